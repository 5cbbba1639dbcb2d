#pragma once
// The LIBSVM format: one row a line, "label index:value index:value ... # comment".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::apps {

/// One row. Values that are zero are left out.
struct libsvm_row {
  double label = 0;
  std::vector<std::int64_t> indices;  // as written, ascending
  std::vector<double> values;
  std::int64_t largest = -1;  // index, that of a zero as well; -1: none
  std::int64_t smallest = -1;
};

enum class libsvm_line { row, blank, broken };

/// Reads a line without its end into `row`; `fault` says what is broken. Entries in another order
/// are sorted. Faults: no number where one must be, infinite values or NaN, an index twice or above
/// 2^53. "qid:" entries are left out.
libsvm_line parse_libsvm(std::string_view line, libsvm_row& row, std::string& fault);

}  // namespace berth::apps
