#pragma once
// Decimal numbers as text, to the nearest double.

#include <optional>
#include <string_view>

namespace berth::apps {

/// A decimal number with an optional sign, as strtod reads it in the C locale but for hexadecimal:
/// 1e400 is infinite, inf and nan are read. Correctly rounded. Nothing when any character is left.
std::optional<double> parse_number(std::string_view text) noexcept;

}  // namespace berth::apps
