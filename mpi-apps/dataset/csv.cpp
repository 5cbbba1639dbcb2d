#include "dataset/csv.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace berth::apps {

namespace {

struct close_gz {
  void operator()(gzFile_s* file) const noexcept { gzclose(file); }
};

constexpr unsigned chunk = 1U << 20;

}  // namespace

result<std::string> read_text_file(const std::string& path) {
  errno = 0;
  // gzread passes a file that is not gzip through unchanged.
  const std::unique_ptr<gzFile_s, close_gz> file(gzopen(path.c_str(), "rb"));
  if (!file) return fail_errno(fmt::format("\"{}\": cannot open", path));
  std::string text;
  int got = 0;
  do {
    const std::size_t size = text.size();
    text.resize(size + chunk);
    got = gzread(file.get(), text.data() + size, chunk);
    text.resize(size + static_cast<std::size_t>(std::max(got, 0)));
  } while (got > 0);
  int code = Z_OK;
  const char* reason = gzerror(file.get(), &code);
  if (code == Z_ERRNO) return fail_errno(fmt::format("\"{}\": cannot read", path));
  if (code == Z_BUF_ERROR) return fail(fmt::format("\"{}\": truncated gzip file", path));
  if (code != Z_OK) return fail(fmt::format("\"{}\": cannot decompress: {}", path, reason));
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  return text;
}

csv_dialect guess_dialect(std::string_view text) {
  csv_dialect dialect;
  if (text.starts_with('\'')) dialect.quote = '\'';
  const auto header = text.substr(0, text.find_first_of("\r\n"));
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', ' '}) {
    bool inside = false;
    std::ptrdiff_t found = 0;
    for (const char c : header) {
      if (c == dialect.quote) inside = !inside;
      if (c == candidate && !inside) ++found;
    }
    if (found > most) {
      most = found;
      dialect.delimiter = candidate;
    }
  }
  return dialect;
}

bool csv_reader::at_line_end() const noexcept {
  return at_ == text_.size() || text_[at_] == '\n' ||
         (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
}

void csv_reader::skip_line_end() noexcept {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size()) ++at_;
  ++line_;
}

result<void> csv_reader::quoted_field(std::string& field) {
  const std::size_t opened = line_;
  for (++at_;; ++at_) {
    if (at_ == text_.size()) return fail(fmt::format("line {}: quote is not closed", opened));
    const char c = text_[at_];
    if (c == dialect_.quote) {
      const bool doubled = at_ + 1 < text_.size() && text_[at_ + 1] == dialect_.quote;
      if (!doubled) break;
      ++at_;
    }
    if (c == '\n') ++line_;
    field.push_back(c);
  }
  ++at_;
  if (!at_line_end() && text_[at_] != dialect_.delimiter) {
    return fail(fmt::format("line {}: text after a closing quote", line_));
  }
  return {};
}

void csv_reader::plain_field(std::string& field) {
  while (!at_line_end() && text_[at_] != dialect_.delimiter) field.push_back(text_[at_++]);
  const auto last = field.find_last_not_of(" \t");
  field.resize(last == std::string::npos ? 0 : last + 1);
  field.erase(0, std::min(field.find_first_not_of(" \t"), field.size()));
}

result<bool> csv_reader::next(std::vector<std::string>& fields) {
  while (at_ < text_.size() && at_line_end()) skip_line_end();
  if (at_ == text_.size()) return false;
  record_line_ = line_;
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    if (fields.size() == count) fields.emplace_back();
    std::string& field = fields[count];
    field.clear();
    if (at_ < text_.size() && text_[at_] == dialect_.quote) {
      if (auto ok = quoted_field(field); !ok) return pass(std::move(ok));
    } else {
      plain_field(field);
    }
    more = !at_line_end();
    if (more) ++at_;
  }
  skip_line_end();
  fields.resize(count);
  return true;
}

}  // namespace berth::apps
