#pragma once
// Lines of a file from any line on, in constant memory.

#include <string_view>
#include <vector>

#include "import/csv_stream.hpp"
#include "import/source_file.hpp"

namespace berth::apps {

class line_stream {
 public:
  /// `source` is borrowed. @pre a line begins at `begin`
  line_stream(const source_file& source, std::int64_t begin);

  /// The next line without its end, valid until the next call; false at the end and at a fault.
  bool next(std::string_view& line);

  [[nodiscard]] const std::optional<text_fault>& fault() const noexcept { return fault_; }
  /// Where the line after the last one begins.
  [[nodiscard]] std::int64_t offset() const noexcept {
    return block_at_ + static_cast<std::int64_t>(at_);
  }
  /// Lines that next() has returned.
  [[nodiscard]] std::int64_t lines() const noexcept { return lines_; }

 private:
  bool refill();

  const source_file* source_;
  std::vector<char> buffer_;
  std::int64_t block_at_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  bool last_ = false;
  std::int64_t lines_ = 0;
  std::optional<text_fault> fault_;
};

/// The offset after the next line end at or after `from`; the size of the file when there is none.
std::int64_t next_line(const source_file& source, std::int64_t from);

}  // namespace berth::apps
