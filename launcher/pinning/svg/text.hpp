#pragma once
// Text for XML.

#include <string>
#include <string_view>
#include <vector>

namespace berth::pinning {

/// As content or attribute value of an XML 1.0 document in UTF-8: markup is escaped; what such a
/// document cannot hold (control characters, bytes that are not UTF-8) becomes "?".
std::string xml_text(std::string_view text);

/// Lines of at most `characters` bytes, broken at blanks; a longer word has a line of its own.
std::vector<std::string> wrapped(std::string_view text, std::size_t characters);

}  // namespace berth::pinning
