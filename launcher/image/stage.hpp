#pragma once
// Carries a plan out: the files in a folder, the loader's cache, the squashfs image.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "image/pack.hpp"
#include "image/squashfs.hpp"

namespace berth::image {

/// A new folder of one's own below TMPDIR (else /tmp), removed with all in it at the end.
class staging_folder {
 public:
  static result<staging_folder> create();
  staging_folder(staging_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  staging_folder& operator=(staging_folder&&) = delete;
  ~staging_folder();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit staging_folder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Called with what is being done and how far it is; `total` 0: nobody knows.
using progress = std::function<void(std::string_view phase, std::size_t done, std::size_t total)>;

struct squash_options {
  compressor method = compressor::zstd;
  std::int64_t time = 0;  ///< of every file and of the image, seconds since 1970
};

/// Writes the image to `output`, an existing file whose content is replaced; `staging` is an empty
/// folder. The same files, plan and options give the same bytes.
/// Errors: copying (no space), ldconfig or mksquashfs missing or failing.
result<void> write_image(const pack_plan& plan, const std::string& staging,
                         const std::string& output, const squash_options& options,
                         const progress& report);

}  // namespace berth::image
