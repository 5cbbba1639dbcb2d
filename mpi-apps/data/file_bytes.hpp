#pragma once
// Bytes of a file at known addresses.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/error.hpp"

namespace berth::apps {

/// A file open for reading. Every member may be called by several threads at once.
class file_bytes {
 public:
  static result<file_bytes> open(const std::string& path);
  file_bytes(file_bytes&& other) noexcept;
  file_bytes& operator=(file_bytes&& other) noexcept;
  ~file_bytes();

  /// Fills `into` from `address`. Errors: the system's, and a file that ends before.
  result<void> read(std::uint64_t address, std::span<std::byte> into) const;
  /// These bytes will be read soon, by pieces: the kernel may fetch them as a whole.
  void announce(std::uint64_t address, std::uint64_t bytes) const noexcept;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  file_bytes(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace berth::apps
