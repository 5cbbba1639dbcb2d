#pragma once
// The HDF5 side of writing a dataset: an empty file in which every array has its place.

#include <string>
#include <variant>

#include "common/error.hpp"
#include "data/writer.hpp"

namespace berth::apps {

/// Where the rows of one array go: row i is `row_bytes` long at
/// addresses[i / chunk_rows] + (i % chunk_rows) * row_bytes.
struct array_place {
  std::int64_t rows = 0;
  std::int64_t row_bytes = 0;
  std::int64_t chunk_rows = 1;
  std::vector<std::int64_t> addresses;
};

/// In the order of places_of().
struct dataset_places {
  array_place x;        // dense
  array_place data;     // sparse: values,
  array_place indices;  // columns, int32 where they fit,
  array_place starts;   // rows + 1
  array_place y;
  array_place weights;
  bool wide_indices = false;  // int64 columns
};

/// Rows per chunk: about 1 MiB, which is a usual stripe of parallel file systems; at most `rows`.
std::int64_t rows_per_chunk(std::int64_t rows, std::int64_t row_bytes) noexcept;

/// Bytes that the arrays of `layout` take.
double bytes_of(const dataset_layout& layout) noexcept;

/// Replaces the file at `path`. Storage is allocated and left as it is.
result<dataset_places> create_dataset_file(const std::string& path, const dataset_layout& layout);

/// Root attributes, in order.
using file_attributes =
    std::vector<std::pair<std::string, std::variant<std::string, std::int64_t>>>;

/// An array of a few numbers; `name` may have one group, which is created.
struct small_array {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// Adds what is not rows to a file of create_dataset_file().
result<void> complete_file(const std::string& path, const file_attributes& attributes,
                           const std::vector<small_array>& arrays);

}  // namespace berth::apps
