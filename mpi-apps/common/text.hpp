#pragma once
// Wording shared by messages and reports.

#include <span>
#include <string>
#include <string_view>

namespace berth::apps {

/// `"a", "b", "c" and 4 more`: at most `limit` names, each in double quotes.
std::string quoted_list(std::span<const std::string> names, std::size_t limit = 8);

/// "1 row", "2 rows", with a thousands separator: "20,433 rows".
std::string counted(long long count, std::string_view singular, std::string_view plural);
std::string grouped(long long count);

/// At most `digits` significant digits; scientific where that is shorter; "NA" for NaN.
std::string significant(double value, int digits);

/// Time now in UTC as 2024-02-29T12:00:00Z.
std::string timestamp();

}  // namespace berth::apps
