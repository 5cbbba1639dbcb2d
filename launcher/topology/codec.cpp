#include "topology/codec.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace berth::topology {
namespace {

constexpr std::string_view header = "berth-topology 1";

/// Takes the text before the next newline; nothing when there is no newline.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

/// One number in the only form that `encode` writes.
std::optional<int> parse_number(std::string_view text) {
  if (text == "-1") return -1;
  if (text.empty() || text.front() == '-' || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  int value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// "word 1 2 3" -> {1, 2, 3}; at most `limit` numbers.
std::optional<std::vector<int>> parse_numbers(std::string_view line, std::string_view word,
                                              std::size_t limit) {
  if (!line.starts_with(word)) return std::nullopt;
  line.remove_prefix(word.size());
  std::vector<int> numbers;
  while (!line.empty()) {
    if (line.front() != ' ' || numbers.size() == limit) return std::nullopt;
    line.remove_prefix(1);
    const auto field = line.substr(0, line.find(' '));
    const auto number = parse_number(field);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    line.remove_prefix(field.size());
  }
  return numbers;
}

failure bad_line(std::size_t number, std::string_view expected) {
  return fail(fmt::format("topology text, line {}: expected {}", number, expected));
}

/// The PU lines and the end; line numbers start at 3.
result<std::vector<pu>> decode_pus(std::string_view text) {
  std::vector<pu> pus;
  for (std::size_t number = 3;; ++number) {
    const auto line = take_line(text);
    if (line == "end") {
      if (!text.empty()) return bad_line(number + 1, "nothing after \"end\"");
      return pus;
    }
    if (pus.size() == static_cast<std::size_t>(max_pus)) {
      return bad_line(number, fmt::format("\"end\" after at most {} PUs", max_pus));
    }
    const auto fields = line ? parse_numbers(*line, "pu", 5) : std::nullopt;
    if (!fields || fields->size() != 5)
      return bad_line(number, "\"pu\" and five numbers, or \"end\"");
    const auto& f = *fields;
    pus.push_back({.os_index = f[0], .core = f[1], .l3 = f[2], .numa = f[3], .package = f[4]});
  }
}

}  // namespace

std::string encode(const machine& node) {
  fmt::memory_buffer text;
  const auto out = fmt::appender(text);
  fmt::format_to(out, "{}\nnuma", header);
  for (const int index : node.numa_os_indexes) fmt::format_to(out, " {}", index);
  fmt::format_to(out, "\n");
  for (const auto& p : node.pus) {
    fmt::format_to(out, "pu {} {} {} {} {}\n", p.os_index, p.core, p.l3, p.numa, p.package);
  }
  fmt::format_to(out, "end\n");
  return fmt::to_string(text);
}

result<machine> decode(std::string_view text) {
  if (text.size() > max_encoded) {
    return fail(
        fmt::format("topology text of {} bytes is longer than {}", text.size(), max_encoded));
  }
  if (take_line(text) != header) return bad_line(1, fmt::format("\"{}\"", header));
  const auto line = take_line(text);
  auto numa = line ? parse_numbers(*line, "numa", static_cast<std::size_t>(max_pus)) : std::nullopt;
  if (!numa) return bad_line(2, "\"numa\" and OS indexes");
  auto pus = decode_pus(text);
  if (!pus) return pass(std::move(pus));
  machine node{.pus = std::move(*pus), .numa_os_indexes = std::move(*numa)};
  if (auto valid = validate(node); !valid) return pass(std::move(valid), "topology text");
  return node;
}

}  // namespace berth::topology
