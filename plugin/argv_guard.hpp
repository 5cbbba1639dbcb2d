#pragma once
// Never silently on the host: while the command of a container step, or of a dry run, travels to
// the nodes, its first word says so instead of naming the program. The plugin on the node puts the
// word back; a node without the plugin finds no such program and refuses, and its error message is
// our sentence.

#include <string>
#include <string_view>

namespace berth::plugin {

/// The guarded form of a command's first word.
std::string guard_word(std::string_view word);

/// The word inside a guarded one, or the word itself.
std::string_view unguarded(std::string_view word);

/// Replaces a guarded first word by the word inside, in place: it is the shorter one.
void restore(char* word);

}  // namespace berth::plugin
