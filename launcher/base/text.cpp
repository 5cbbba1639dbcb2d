#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>

namespace berth {
namespace {

// Whoever types a paragraph is not one letter away from a word; and the distance is quadratic.
constexpr std::size_t longest_word = 64;

// Levenshtein, "The String-to-String Correction Problem", Wagner and Fischer 1974.
// @pre b is at most longest_word bytes long
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, longest_word + 1> row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (true) {
    const auto end = text.find(separator);
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (text.empty() || code != std::errc{} || stop != end) return std::nullopt;
  return value;
}

result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view suffixes = "KMGT";
  auto digits = text;
  unsigned shift = 0;
  if (!text.empty()) {
    if (const auto at = suffixes.find(text.back()); at != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(at) + 1);
      digits.remove_suffix(1);
    }
  }
  const auto value = parse_unsigned(digits);
  if (!value || *value > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
    return fail(
        fmt::format("\"{}\" is not a size; write bytes or a number with K, M, G or T", text));
  }
  return *value << shift;
}

std::string format_list(const std::vector<int>& numbers) {
  std::string text;
  for (std::size_t first = 0; first < numbers.size();) {
    auto last = first;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += first == last ? fmt::format("{}", numbers[first])
                          : fmt::format("{}-{}", numbers[first], numbers[last]);
    first = last + 1;
  }
  return text;
}

result<std::vector<int>> parse_list(std::string_view text) {
  constexpr std::uint64_t limit = (1U << 20) - 1;
  std::vector<int> numbers;
  for (const auto& piece : split(text, ',')) {
    const auto dash = piece.find('-');
    const auto first = parse_unsigned(std::string_view(piece).substr(0, dash));
    const auto last = dash == std::string::npos
                          ? first
                          : parse_unsigned(std::string_view(piece).substr(dash + 1));
    if (!first || !last || *first > *last || *last > limit) {
      return fail(fmt::format("\"{}\" is not a list of numbers such as 0-3,8", text));
    }
    for (auto n = *first; n <= *last; ++n) numbers.push_back(static_cast<int>(n));
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::string printable(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool two =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || two) text.replace(i, two ? 2 : 1, "?");
  }
  return text;
}

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  if (word.size() > longest_word) return best;
  auto best_distance = word.size();
  for (const auto candidate : known) {
    if (candidate.size() > longest_word) continue;
    const auto d = distance(word, candidate);
    if (d < best_distance && d <= 1 + candidate.size() / 4) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace berth
