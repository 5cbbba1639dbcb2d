#include "import/csv_splitter.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace berth::apps {

namespace {

using word = std::uint64_t;
constexpr word low_bits = 0x7F7F7F7F7F7F7F7FU;
constexpr word ones = 0x0101010101010101U;
constexpr std::size_t step = 64;

// The top bit of each byte of the result is set where `bytes` is zero, with no false hits.
word zero_bytes(word bytes) noexcept {
  return ~(((bytes & low_bits) + low_bits) | bytes | low_bits);
}

// Gathers the top bits of eight bytes into one byte.
word top_bits(word bytes) noexcept {
  return ((bytes >> 7U) * 0x0102040810204080U) >> 56U;
}

word marks_of(const char* text, word delimiter, word quote) noexcept {
  word marks = 0;
  for (std::size_t i = 0; i < step / 8; ++i) {
    word bytes = 0;
    std::memcpy(&bytes, text + i * 8, 8);
    const word hits = zero_bytes(bytes ^ delimiter) | zero_bytes(bytes ^ quote) |
                      zero_bytes(bytes ^ (ones * '\n'));
    marks |= top_bits(hits) << (i * 8);
  }
  return marks;
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(const char* begin, const char* end) noexcept {
  while (begin != end && is_blank(*begin)) ++begin;
  while (begin != end && is_blank(end[-1])) --end;
  return {begin, end};
}

word repeated(char c) noexcept {
  return ones * static_cast<unsigned char>(c);
}

}  // namespace

void csv_splitter::begin(std::span<char> block, bool last) {
  block_ = block;
  last_ = last;
  at_ = 0;
  mark_ = 0;
  index();
  // A last line without an end gets one.
  if (last && !block.empty() && block.back() != '\n') {
    block.data()[block.size()] = '\n';
    marks_[mark_count_++] = static_cast<std::uint32_t>(block.size());
  }
}

void csv_splitter::index() {
  const word delimiter = repeated(dialect_.delimiter);
  const word quote = repeated(dialect_.quote);
  if (marks_.size() < block_.size() + step) marks_.resize(block_.size() + step);
  std::uint32_t* out = marks_.data();
  const auto collect = [&out](word marks, std::size_t base) {
    for (; marks != 0; marks &= marks - 1) {
      *out++ =
          static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(std::countr_zero(marks));
    }
  };
  std::size_t at = 0;
  for (; at + step <= block_.size(); at += step) {
    collect(marks_of(block_.data() + at, delimiter, quote), at);
  }
  if (at < block_.size()) {
    char rest[step] = {};
    std::memcpy(rest, block_.data() + at, block_.size() - at);
    word marks = marks_of(rest, delimiter, quote);
    marks &= (word{1} << (block_.size() - at)) - 1;
    collect(marks, at);
  }
  mark_count_ = static_cast<std::size_t>(out - marks_.data());
}

// A quote opens a quoted field at the field's first character, blanks aside.
bool csv_splitter::starts_quoted(cursor& now) const {
  std::size_t at = now.at;
  while (at < block_.size() && is_blank(block_[at]) && block_[at] != dialect_.delimiter) ++at;
  if (at == block_.size() || block_[at] != dialect_.quote) return false;
  now.at = at;
  return true;
}

csv_splitter::field_end csv_splitter::plain_field(cursor& now, std::string_view& field) {
  const char* const text = block_.data();
  std::size_t end = 0;
  do {
    if (now.mark == mark_count_) return field_end::more;
    end = marks_[now.mark++];
  } while (text[end] == dialect_.quote);
  const bool line = text[end] != dialect_.delimiter;
  const char* stop = text + end;
  if (line && end > now.at && stop[-1] == '\r') --stop;
  field = trimmed(text + now.at, stop);
  now.at = end + 1;
  if (!line) return field_end::delimiter;
  ++now.lines;
  return field_end::line;
}

csv_splitter::field_end csv_splitter::quoted_field(cursor& now, std::string_view& field) {
  const char* const text = block_.data();
  const std::size_t begin = now.at + 1;
  const std::int64_t opened = now.lines;
  bool doubled = false;
  ++now.mark;
  for (;; ++now.mark) {
    if (now.mark == mark_count_ || marks_[now.mark] >= block_.size()) {
      if (!last_) return field_end::more;
      lines_ = opened;
      fault_ = "quote is not closed";
      return field_end::broken;
    }
    const std::size_t at = marks_[now.mark];
    if (text[at] == '\n') ++now.lines;
    if (text[at] != dialect_.quote) continue;
    if (at + 1 == block_.size() && !last_) return field_end::more;
    if (at + 1 == block_.size() || text[at + 1] != dialect_.quote) break;
    doubled = true;
    ++now.mark;
  }
  const std::size_t end = marks_[now.mark++];
  field = {text + begin, end - begin};
  now.at = end + 1;
  if (doubled) doubled_.push_back(0);
  return after_quote(now);
}

csv_splitter::field_end csv_splitter::after_quote(cursor& now) {
  const char* const text = block_.data();
  if (now.mark == mark_count_) return field_end::more;
  const std::size_t end = marks_[now.mark];
  const bool line = text[end] == '\n' && dialect_.delimiter != '\n';
  auto between = std::string_view(text + now.at, end - now.at);
  if (line && between.ends_with('\r')) between.remove_suffix(1);
  if (between.find_first_not_of(" \t") != std::string_view::npos || text[end] == dialect_.quote) {
    lines_ = now.lines;
    fault_ = "text after a closing quote";
    return field_end::broken;
  }
  ++now.mark;
  now.at = end + 1;
  if (!line) return field_end::delimiter;
  ++now.lines;
  return field_end::line;
}

// Only fields of a whole record are changed: a part of one is split again with more text behind it.
void csv_splitter::undouble(std::string_view& field) const {
  char* const begin = block_.data() + (field.data() - block_.data());
  const char* const end = begin + field.size();
  char* to = begin;
  for (const char* from = begin; from != end; ++from) {
    *to++ = *from;
    if (*from == dialect_.quote) ++from;
  }
  field = {begin, to};
}

// A record without quotes. False where the record has one, or does not end in this block.
bool csv_splitter::plain_record(cursor& now, std::vector<std::string_view>& fields) const {
  const char* const text = block_.data();
  while (now.mark != mark_count_) {
    const std::size_t end = marks_[now.mark++];
    const char mark = text[end];
    if (mark == dialect_.quote) return false;
    const char* const begin = text + now.at;
    const char* stop = text + end;
    // Blanks and carriage returns are below everything that is printed.
    if (begin != stop && (*begin <= ' ' || stop[-1] <= ' ')) {
      if (mark != dialect_.delimiter && stop[-1] == '\r') --stop;
      fields.push_back(trimmed(begin, stop));
    } else {
      fields.emplace_back(begin, static_cast<std::size_t>(stop - begin));
    }
    now.at = end + 1;
    if (mark == dialect_.delimiter) continue;
    ++now.lines;
    return true;
  }
  return false;
}

csv_splitter::field_end csv_splitter::any_record(cursor& now,
                                                 std::vector<std::string_view>& fields) {
  fields.clear();
  field_end end = field_end::delimiter;
  while (end == field_end::delimiter) {
    std::string_view field;
    const std::size_t quoted = doubled_.size();
    const char first = now.at < block_.size() ? block_[now.at] : '\0';
    if ((first == dialect_.quote || is_blank(first)) && starts_quoted(now)) {
      end = quoted_field(now, field);
    } else {
      end = plain_field(now, field);
    }
    if (doubled_.size() > quoted) doubled_.back() = fields.size();
    fields.push_back(field);
  }
  return end;
}

csv_splitter::found csv_splitter::next(std::vector<std::string_view>& fields) {
  for (;;) {
    cursor now{at_, mark_, lines_};
    record_line_ = lines_;
    fields.clear();
    doubled_.clear();
    auto end = field_end::line;
    if (!plain_record(now, fields)) {
      now = {at_, mark_, lines_};
      end = any_record(now, fields);
    }
    if (end == field_end::more) return found::more;
    if (end == field_end::broken) return found::broken;
    const bool blank = fields.size() == 1 && fields[0].empty() && block_[at_] != dialect_.quote;
    at_ = std::min(now.at, block_.size());
    mark_ = now.mark;
    lines_ = now.lines;
    if (!blank) break;
  }
  for (const std::size_t each : doubled_) undouble(fields[each]);
  return found::record;
}

}  // namespace berth::apps
