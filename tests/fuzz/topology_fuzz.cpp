#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "topology/codec.hpp"

// Whatever is accepted is a valid machine with this one form, whose every part can be restricted to
// its first PU.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::topology;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto node = decode(text);
  if (!node) return 0;
  if (!validate(*node) || encode(*node) != text) std::abort();
  if (!restricted(*node, std::vector{node->pus.front().os_index})) std::abort();
  return 0;
}
