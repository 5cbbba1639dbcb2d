#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "import/csv_splitter.hpp"

namespace {

using namespace berth::apps;

struct outcome {
  std::vector<std::vector<std::string>> records;
  std::vector<std::int64_t> lines;
  std::string fault;
  friend bool operator==(const outcome&, const outcome&) = default;
};

// Splits a text that arrives `step` bytes at a time.
outcome split(std::string_view text, std::size_t step, csv_dialect dialect) {
  outcome out;
  csv_splitter splitter(dialect);
  std::vector<std::string_view> fields;
  std::size_t begin = 0;
  for (std::size_t end = 0; end < text.size() || end == 0;) {
    end = text.size() - end < step ? text.size() : end + step;
    std::vector<char> block(text.begin() + static_cast<std::ptrdiff_t>(begin),
                            text.begin() + static_cast<std::ptrdiff_t>(end));
    block.push_back('\0');
    splitter.begin(std::span(block).first(block.size() - 1), end == text.size());
    auto found = splitter.next(fields);
    for (; found == csv_splitter::found::record; found = splitter.next(fields)) {
      out.records.emplace_back(fields.begin(), fields.end());
      out.lines.push_back(splitter.record_line());
    }
    if (found == csv_splitter::found::broken) {
      out.fault = splitter.fault();
      return out;
    }
    begin += splitter.consumed();
    if (end == text.size()) break;
  }
  return out;
}

}  // namespace

// However a text is cut into blocks, its records are the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const csv_dialect dialect{",;\t "[data[0] % 4], "\"'"[data[0] / 4 % 2]};
  const auto whole = split(text, text.size() + 1, dialect);
  if (whole != split(text, 1 + data[1] % 100, dialect)) std::abort();
  return 0;
}
