#pragma once
// Files that others write, copied to this program's own outputs while they grow.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::cli {

class growing_file {
 public:
  /// `to` is a descriptor of ours, borrowed. `from` is the open file, where it was opened before.
  growing_file(std::string path, int to, unique_fd from = {})
      : path_(std::move(path)), to_(to), from_(std::move(from)) {}

  /// Copies what is new; a file that is not there yet is empty.
  result<void> copy();
  /// Leaves out all but the last `lines` of what is there now. A newline at the very end begins
  /// no line.
  result<void> skip_to_last(std::uint64_t lines);
  /// Asks inotify(7) to tell of changes, if it can.
  void watch(int notifier) const;

 private:
  std::string path_;
  int to_;
  unique_fd from_;
};

result<void> copy_all(std::vector<growing_file>& files);

/// Copies until `goes_on`, asked once a second, says no, and what was written before that.
result<void> follow(std::vector<growing_file>& files, const std::function<result<bool>()>& goes_on);

}  // namespace berth::cli
