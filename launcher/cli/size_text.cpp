#include "cli/size_text.hpp"

#include <fmt/format.h>

#include <array>

namespace berth::cli {

std::string size_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 999.5 would be printed as 1000.
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit > 0 && value < 9.95 ? fmt::format("{:.1f} {}", value, units.at(unit))
                                  : fmt::format("{:.0f} {}", value, units.at(unit));
}

}  // namespace berth::cli
