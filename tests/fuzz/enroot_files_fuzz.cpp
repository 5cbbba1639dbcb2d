#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/enroot_files.hpp"

// What is accepted keeps its form and its bounds, whatever the references stand for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::image;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_environment(text);
  if (file.entries.size() > 256) std::abort();
  const auto expanded =
      expand_references(file.entries, [](const std::string& name) { return name + "=${A}"; });
  for (const auto& entry : expanded) {
    if (entry.find('=') == std::string::npos || entry.find('\0') != std::string::npos) std::abort();
  }
  describe_fstab(text);
  return 0;
}
