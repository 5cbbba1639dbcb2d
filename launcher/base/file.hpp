#pragma once
// Whole files in, whole files out: a reader never sees a half-written file.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth {

/// Reads from the descriptor's current position to the end; refuses more than `limit` bytes.
result<std::string> read_all(int fd, std::size_t limit);

/// Opens (close-on-exec) and reads a file; refuses more than `limit` bytes.
result<std::string> read_file(const std::string& path, std::size_t limit);

/// Writes every byte, also across short writes and EINTR.
result<void> write_all(int fd, std::string_view bytes);

/// A file under construction: a temporary sibling that `commit` syncs and renames to its name.
/// Without commit, nothing is left behind.
class atomic_file {
 public:
  static result<atomic_file> create(const std::string& path, unsigned mode = 0644);
  atomic_file(atomic_file&& other) noexcept
      : path_(std::move(other.path_)),
        temporary_(std::exchange(other.temporary_, {})),
        fd_(std::move(other.fd_)) {}
  atomic_file& operator=(atomic_file&&) = delete;
  ~atomic_file();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// For programs that write the file themselves.
  [[nodiscard]] const std::string& temporary_path() const noexcept { return temporary_; }
  result<void> commit();

 private:
  atomic_file(std::string path, std::string temporary, unique_fd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  std::string path_;
  std::string temporary_;
  unique_fd fd_;
};

}  // namespace berth
