#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "container/protocol.hpp"

namespace {

// Whatever is accepted means the same to whoever it is passed on to.
template <class Decode>
void check(Decode decode, std::string_view bytes) {
  const auto first = decode(bytes);
  if (!first) return;
  const auto written = encode(*first);
  const auto second = decode(written);
  if (!second || encode(*second) != written || written.size() > bytes.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(berth::container::decode_request, bytes);
  check(berth::container::decode_reply, bytes);
  return 0;
}
