#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/metadata.hpp"

// Whatever is accepted can be written and is accepted again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::image;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = parse_metadata(text);
  if (!first) return 0;
  if (first->env.size() > metadata_env_limit || !validate(*first)) std::abort();
  const auto written = write_metadata(*first);
  if (written.size() <= metadata_size_limit && !parse_metadata(written)) std::abort();
  return 0;
}
