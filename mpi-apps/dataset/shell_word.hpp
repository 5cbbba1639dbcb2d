#pragma once
// Commands that a user can paste.

#include <string>

namespace berth::apps {

/// `text` as one word of a POSIX shell: as it is where nothing in it is special, else in single
/// quotes.
std::string shell_word(const std::string& text);

}  // namespace berth::apps
