#include "import/csv_dialect.hpp"

#include <cstddef>

namespace berth::apps {

csv_dialect guess_dialect(std::string_view text) {
  csv_dialect dialect;
  if (text.starts_with('\'')) dialect.quote = '\'';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', ' '}) {
    bool inside = false;
    std::ptrdiff_t found = 0;
    for (const char c : text) {
      if (c == dialect.quote) inside = !inside;
      if (inside) continue;
      if (c == '\n') break;
      if (c == candidate) ++found;
    }
    if (found > most) {
      most = found;
      dialect.delimiter = candidate;
    }
  }
  return dialect;
}

}  // namespace berth::apps
