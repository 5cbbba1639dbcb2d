#pragma once
// Delimiters and quotes of delimited text, as they are met in practice.

#include <string_view>

namespace berth::apps {

struct csv_dialect {
  char delimiter = ',';
  char quote = '"';
};

/// From the first record: the delimiter among comma, semicolon, tab and blank that splits it into
/// most fields; single quotes if it begins with one.
csv_dialect guess_dialect(std::string_view text);

}  // namespace berth::apps
