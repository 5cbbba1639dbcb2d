#pragma once
// What a file is, by its first bytes.

#include <string_view>

#include "import/import.hpp"

namespace berth::apps {

/// Errors: formats that are known but not read (Parquet, NumPy, spreadsheets, other compression,
/// UTF-16), each with the way to make them readable. Anything else is taken for delimited text.
result<source_format> recognise_format(std::string_view head);

/// "CSV", "LIBSVM", "IDX", "HDF5".
const char* format_name(source_format format) noexcept;

}  // namespace berth::apps
