#pragma once
// Text inside markup.

#include <string>
#include <string_view>

namespace berth::apps {

/// `text` as content or quoted attribute of HTML and XML: markup is escaped, what is no UTF-8 and
/// characters that XML forbids become U+FFFD.
std::string escaped(std::string_view text);

/// At most `width` characters; a longer text ends in an ellipsis. Not escaped.
std::string shortened(std::string_view text, std::size_t width);

}  // namespace berth::apps
