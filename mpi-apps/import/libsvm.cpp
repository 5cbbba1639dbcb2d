#include "import/libsvm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "import/number.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t largest_index = std::int64_t{1} << 53;

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view take_word(std::string_view& line) {
  std::size_t begin = 0;
  while (begin < line.size() && is_blank(line[begin])) ++begin;
  std::size_t end = begin;
  while (end < line.size() && !is_blank(line[end])) ++end;
  const auto word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

bool finite_number(std::string_view text, double& value) {
  const auto number = parse_number(text);
  if (!number || !std::isfinite(*number)) return false;
  value = *number;
  return true;
}

bool add_entry(std::string_view word, libsvm_row& row, std::string& fault) {
  const auto colon = word.find(':');
  const auto name = word.substr(0, colon);
  if (name == "qid") return true;
  std::int64_t index = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), index);
  double value = 0;
  if (colon == std::string_view::npos || code != std::errc() || end != name.data() + name.size() ||
      index < 0 || index > largest_index || !finite_number(word.substr(colon + 1), value)) {
    fault = fmt::format("\"{}\" is not INDEX:VALUE with a finite value", word);
    return false;
  }
  row.largest = std::max(row.largest, index);
  row.smallest = row.smallest < 0 ? index : std::min(row.smallest, index);
  if (value == 0) return true;
  row.indices.push_back(index);
  row.values.push_back(value);
  return true;
}

void sort_entries(libsvm_row& row) {
  std::vector<std::pair<std::int64_t, double>> entries;
  for (std::size_t i = 0; i < row.indices.size(); ++i) {
    entries.emplace_back(row.indices[i], row.values[i]);
  }
  std::ranges::sort(entries);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    row.indices[i] = entries[i].first;
    row.values[i] = entries[i].second;
  }
}

}  // namespace

libsvm_line parse_libsvm(std::string_view line, libsvm_row& row, std::string& fault) {
  row.indices.clear();
  row.values.clear();
  row.largest = -1;
  row.smallest = -1;
  line = line.substr(0, line.find('#'));
  const auto label = take_word(line);
  if (label.empty()) return libsvm_line::blank;
  if (!finite_number(label, row.label)) {
    fault = fmt::format("the label \"{}\" is no finite number", label);
    return libsvm_line::broken;
  }
  for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
    if (!add_entry(word, row, fault)) return libsvm_line::broken;
  }
  if (!std::ranges::is_sorted(row.indices)) sort_entries(row);
  const auto twice = std::ranges::adjacent_find(row.indices);
  if (twice == row.indices.end()) return libsvm_line::row;
  fault = fmt::format("index {} is there twice", *twice);
  return libsvm_line::broken;
}

}  // namespace berth::apps
