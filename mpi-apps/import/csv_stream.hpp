#pragma once
// Records of a delimited file from any record on, in constant memory.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/csv_splitter.hpp"
#include "import/source_file.hpp"

namespace berth::apps {

/// What is wrong with the text, and where: lines from the stream's first, from 0. `what` is a whole
/// sentence when it is no fault of one line.
struct text_fault {
  std::int64_t line = 0;
  std::string what;
  bool has_line = true;
  blame whose = blame::input;
};

class csv_stream {
 public:
  /// `source` is borrowed. @pre a record begins at `begin`
  csv_stream(const source_file& source, csv_dialect dialect, std::int64_t begin,
             std::size_t buffer = std::size_t{1} << 18);

  /// The next record's fields, valid until the next call; false at the end and at a fault.
  bool next(std::vector<std::string_view>& fields);

  [[nodiscard]] const std::optional<text_fault>& fault() const noexcept { return fault_; }
  /// Where the record after the last one begins, blank lines before it included.
  [[nodiscard]] std::int64_t offset() const noexcept {
    return block_at_ + static_cast<std::int64_t>(splitter_.consumed());
  }
  /// Line ends before the last record, and before offset().
  [[nodiscard]] std::int64_t record_line() const noexcept { return splitter_.record_line(); }
  [[nodiscard]] std::int64_t lines() const noexcept { return splitter_.lines(); }

 private:
  bool refill();

  const source_file* source_;
  csv_splitter splitter_;
  std::vector<char> buffer_;
  std::int64_t block_at_ = 0;  // of the block, in the file
  std::size_t filled_ = 0;
  bool last_ = false;
  std::optional<text_fault> fault_;
};

}  // namespace berth::apps
