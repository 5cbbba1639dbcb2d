#pragma once
// Output files that exist whole or not at all.

#include <cstdint>
#include <initializer_list>
#include <string>

#include "common/error.hpp"

namespace berth::apps {

/// Checks before the work starts that `path` can be written later: its folder exists and is
/// writable, it is no folder itself, an existing file is writable and none of `inputs`. Creates
/// nothing.
result<void> check_writable(const std::string& path,
                            std::initializer_list<std::string> inputs = {});

/// A temporary file beside `path` that takes its place on commit() and is removed otherwise.
class atomic_file {
 public:
  static result<atomic_file> create(const std::string& path);
  atomic_file(atomic_file&& other) noexcept;
  atomic_file& operator=(atomic_file&&) = delete;
  ~atomic_file();

  /// Where to write until commit(); the file exists and is empty.
  [[nodiscard]] const std::string& temporary() const noexcept { return temporary_; }
  /// Errors: fewer than `bytes` are free. HDF5 1.10 crashes at the end of a program that closed a
  /// file on a full disk, so ask before it writes.
  [[nodiscard]] result<void> check_space(std::int64_t bytes) const;
  /// Sync to disk, give the permissions the umask allows, rename. @pre all writers have closed it
  result<void> commit();

 private:
  atomic_file(std::string path, std::string temporary);
  std::string path_;
  std::string temporary_;
};

}  // namespace berth::apps
