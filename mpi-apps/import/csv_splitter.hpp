#pragma once
// Delimited text (RFC 4180) to records, block by block.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/csv_dialect.hpp"

namespace berth::apps {

/// Splits a block of text into records. Fields are views into the block: blanks around plain fields
/// are trimmed, doubled quotes in quoted fields are made single in place. A quote inside a plain
/// field is a character like others. Blank lines are skipped.
class csv_splitter {
 public:
  /// What next() found. `more`: the block ends inside a record.
  enum class found { record, more, broken };

  explicit csv_splitter(csv_dialect dialect) : dialect_(dialect) {}

  /// Starts at the beginning of `block`, which is borrowed and changed, and must be followed by one
  /// writable byte. `last`: the text ends with the block. @pre block.size() < 4 GiB
  void begin(std::span<char> block, bool last);

  /// The next record's fields in `fields`, valid until the next call. `more` at the end of the
  /// block as well.
  found next(std::vector<std::string_view>& fields);

  /// Bytes of the block before the record that next() would return.
  [[nodiscard]] std::size_t consumed() const noexcept { return at_; }
  /// Line ends before the record that the last next() returned, and before the one to come.
  [[nodiscard]] std::int64_t record_line() const noexcept { return record_line_; }
  [[nodiscard]] std::int64_t lines() const noexcept { return lines_; }
  /// What is wrong with the quote in line lines() (from 0).
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

 private:
  enum class field_end { delimiter, line, more, broken };
  struct cursor {
    std::size_t at = 0;    // in the block
    std::size_t mark = 0;  // in marks_
    std::int64_t lines = 0;
  };

  void index();
  bool plain_record(cursor& now, std::vector<std::string_view>& fields) const;
  field_end any_record(cursor& now, std::vector<std::string_view>& fields);
  field_end plain_field(cursor& now, std::string_view& field);
  field_end quoted_field(cursor& now, std::string_view& field);
  field_end after_quote(cursor& now);
  bool starts_quoted(cursor& now) const;
  void undouble(std::string_view& field) const;

  csv_dialect dialect_;
  std::span<char> block_;
  bool last_ = false;
  std::vector<std::uint32_t> marks_;  // delimiters, quotes and line ends; mark_count_ of them
  std::size_t mark_count_ = 0;
  std::vector<std::size_t> doubled_;  // fields of this record with doubled quotes
  std::size_t at_ = 0;
  std::size_t mark_ = 0;
  std::int64_t lines_ = 0;
  std::int64_t record_line_ = 0;
  std::string fault_;
};

}  // namespace berth::apps
