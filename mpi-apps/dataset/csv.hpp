#pragma once
// Delimited text: RFC 4180 with the delimiters and quotes that are met in practice.

#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace berth::apps {

/// The whole text of a file, decompressed if it is gzip, without a UTF-8 byte order mark.
/// Errors: missing, unreadable, truncated gzip.
result<std::string> read_text_file(const std::string& path);

struct csv_dialect {
  char delimiter = ',';
  char quote = '"';
};

/// From the header line: the delimiter among comma, semicolon, tab and blank that splits it into
/// most fields; single quotes if it begins with one.
csv_dialect guess_dialect(std::string_view text);

/// Reads one record after the other. `text` is borrowed and must outlive the reader.
class csv_reader {
 public:
  csv_reader(std::string_view text, csv_dialect dialect) : text_(text), dialect_(dialect) {}

  /// The next record's fields in `fields`, reused from call to call and valid until the next; false
  /// at the end. Blank lines are skipped. Errors: a quote that is not closed, or text after one.
  result<bool> next(std::vector<std::string>& fields);

  /// Line (from 1) where the record of the last next() began.
  [[nodiscard]] std::size_t line() const noexcept { return record_line_; }

 private:
  result<void> quoted_field(std::string& field);
  void plain_field(std::string& field);
  [[nodiscard]] bool at_line_end() const noexcept;
  void skip_line_end() noexcept;

  std::string_view text_;
  csv_dialect dialect_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t record_line_ = 1;
};

}  // namespace berth::apps
