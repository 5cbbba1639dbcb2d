#pragma once
// What can be said of an image without mounting it: for `berth inspect` and --container-explain.

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "image/kind.hpp"
#include "image/metadata.hpp"
#include "image/trust.hpp"

namespace berth::cli {

struct image_facts {
  std::string path;
  image::image_content content;
  std::uint64_t size = 0;  // of a folder 0
  image::path_facts trust;
  std::optional<image::image_metadata> metadata;
  std::string metadata_problem;
};

/// Looks at the image with the caller's rights. Errors name the image. Metadata that cannot be read
/// are no error: `metadata_problem` says why, and is empty for an image that has none.
result<image_facts> gather_facts(const std::string& path);

/// The content of one file inside, by its absolute path; nothing when it is not there. `fd` is the
/// image's, borrowed. Errors: cannot be read, compressed in EROFS, more than `limit` bytes.
result<std::optional<std::string>> read_inside(const image_facts& image, int fd,
                                               const std::string& path, std::size_t limit);

}  // namespace berth::cli
