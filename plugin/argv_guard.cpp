#include "plugin/argv_guard.hpp"

#include <cstring>

namespace berth::plugin {
namespace {

// No slash at either end: Slurm reads those as paths.
constexpr std::string_view sentence =
    "[this node has no berth plugin: it can neither start containers nor pin, and the command was "
    "not run; add spank_berth.so to plugstack.conf on the node] ";

}  // namespace

std::string guard_word(std::string_view word) {
  return std::string(sentence).append(word);
}

std::string_view unguarded(std::string_view word) {
  if (word.starts_with(sentence)) word.remove_prefix(sentence.size());
  return word;
}

void restore(char* word) {
  const auto inside = unguarded(word);
  std::memmove(word, inside.data(), inside.size() + 1);
}

}  // namespace berth::plugin
