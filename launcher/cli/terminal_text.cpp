#include "cli/terminal_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::cli {

std::string age_text(std::int64_t seconds) {
  struct unit {
    std::int64_t seconds;
    const char* name;
  };
  seconds = std::max<std::int64_t>(0, seconds);
  for (const auto& [size, name] : {unit{86400, "day"}, unit{3600, "hour"}, unit{60, "minute"}}) {
    const auto count = seconds / size;
    if (count > 0) return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
  }
  return fmt::format("{} second{}", seconds, seconds == 1 ? "" : "s");
}

}  // namespace berth::cli
