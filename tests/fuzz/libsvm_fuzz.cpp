#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "import/libsvm.hpp"
#include "import/number.hpp"

// Numbers are those of strtod; rows that are accepted are in order and finite.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::apps;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto number = parse_number(text);
  if (number && !std::isnan(*number) &&
      *number != std::strtod(std::string(text).c_str(), nullptr)) {
    std::abort();
  }
  libsvm_row row;
  std::string fault;
  if (parse_libsvm(text, row, fault) != libsvm_line::row) return 0;
  const bool good =
      std::isfinite(row.label) && row.indices.size() == row.values.size() &&
      std::ranges::adjacent_find(row.indices, std::ranges::greater_equal()) == row.indices.end() &&
      (row.indices.empty() || (row.smallest >= 0 && row.smallest <= row.indices.front() &&
                               row.largest >= row.indices.back())) &&
      std::ranges::all_of(row.values,
                          [](double value) { return value != 0 && std::isfinite(value); });
  if (!good) std::abort();
  return 0;
}
