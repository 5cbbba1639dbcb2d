#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pinning/request.hpp"

// Whatever is accepted can be written, and is read back as the same request.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::pinning;
  const auto asked = parse_request({reinterpret_cast<const char*>(data), size});
  if (!asked) return 0;
  const auto again = parse_request(to_string(*asked));
  if (!again || *again != *asked) std::abort();
  return 0;
}
