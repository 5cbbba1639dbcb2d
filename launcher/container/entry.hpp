#pragma once
// How words come to stand before a task's command. Slurm's list of a task's words cannot grow, so
// its first word becomes a small program (entry_main.cpp) that finds in its environment what to run
// in its own place.

#include <string>
#include <string_view>
#include <vector>

namespace berth::container {

/// The variable in which the words travel to the program; it takes it out of the environment.
inline constexpr const char* entry_variable = "SLURM_BERTH_ENTRY";
/// Three descriptors, "ENDED:ALIVE:SAVER", where the container is saved when all commands of the
/// node have ended: the ends of a pipe, and in the first task the socket to berth-save, or -1.
inline constexpr const char* save_variable = "SLURM_BERTH_SAVE";

/// One text of any words, and back. Newlines separate; "%" and newlines in words are written "%25"
/// and "%0A".
std::string encode_words(const std::vector<std::string>& words);
std::vector<std::string> decode_words(std::string_view text);

}  // namespace berth::container
