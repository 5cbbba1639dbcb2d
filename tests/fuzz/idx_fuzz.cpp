#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "import/idx.hpp"

// What is accepted has as many numbers as the bytes that are there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::apps;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto head = parse_idx(text, static_cast<std::int64_t>(size));
  if (!head) return 0;
  const auto numbers = static_cast<std::size_t>(head->rows() * head->width());
  const auto bytes = text.substr(static_cast<std::size_t>(head->data_begin));
  if (numbers * static_cast<std::size_t>(head->element_bytes()) != bytes.size()) std::abort();
  std::vector<double> values(numbers);
  convert_idx(*head, bytes, values);
  return 0;
}
