#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "image/elf.hpp"

// Whatever is accepted must keep the limits that the header promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto facts = berth::image::parse_elf(std::as_bytes(std::span(data, size)));
  if (!facts || !*facts) return 0;
  if ((*facts)->needed.size() > 1024 || (*facts)->interpreter.size() > 4095) std::abort();
  for (const auto& name : (*facts)->needed) {
    if (name.size() > 4095) std::abort();
  }
  return 0;
}
