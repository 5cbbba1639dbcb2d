#pragma once
// The text or bytes to import, at any position, on every rank.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace berth::apps {

/// A regular file open for reading. What is compressed with gzip, or is no regular file (a pipe,
/// "-" for standard input), is first unpacked by rank 0 into a file without a name in the folder of
/// the output: two passes read it, from any position, in parallel, and memory stays small.
class source_file {
 public:
  /// Opens `path` on all ranks; `output` names the folder for what is unpacked. Collective, agreed.
  /// Errors: missing, unreadable, a folder, truncated or broken gzip, no space, a file that the
  /// ranks see with different sizes.
  static result<source_file> open(const communicator& comm, const std::string& path,
                                  const std::string& output);
  source_file(source_file&& other) noexcept;
  source_file& operator=(source_file&&) = delete;
  ~source_file();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// The path of the file that is really read: path(), or a name under /proc for unpacked bytes.
  [[nodiscard]] bool unpacked() const noexcept { return unpacked_; }

  /// Fills `out` from `offset`; fewer bytes at the end of the file only. Safe from several threads.
  [[nodiscard]] result<std::size_t> read(std::int64_t offset, std::span<char> out) const;
  /// The first bytes of the file.
  [[nodiscard]] result<std::string> head(std::size_t bytes) const;

 private:
  source_file(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
  std::int64_t size_ = 0;
  bool unpacked_ = false;
};

}  // namespace berth::apps
