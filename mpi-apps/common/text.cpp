#include "common/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace berth::apps {

std::string quoted_list(std::span<const std::string> names, std::size_t limit) {
  const auto shown = names.first(std::min(limit, names.size()));
  std::string text;
  for (const auto& name : shown) text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", name);
  if (shown.size() < names.size()) text += fmt::format(" and {} more", names.size() - shown.size());
  return text;
}

std::string grouped(long long count) {
  const std::string digits = fmt::format("{}", count < 0 ? -count : count);
  std::string text = fmt::format("{}", count < 0 ? "-" : "");
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string counted(long long count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", grouped(count), count == 1 ? singular : plural);
}

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "NA";
  return fmt::format("{:.{}g}", value, digits);
}

std::string timestamp() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace berth::apps
