#pragma once
// Where the bytes of an HDF5 dataset are in its file: what a rank needs to read them by itself,
// without HDF5. Rank 0 asks HDF5 once and shares the answer.

#include <cstdint>
#include <string>
#include <vector>

#include "common/hdf5.hpp"
#include "data/element.hpp"
#include "data/pack.hpp"
#include "data/partition.hpp"

namespace berth::apps {

/// One chunk as stored. `bytes` of 0: never written, HDF5 would read fill values.
struct stored_chunk {
  std::uint64_t address = 0;  // from the first byte of the file
  std::uint32_t bytes = 0;    // after the filters
  std::uint32_t skipped = 0;  // bit i: filter i of the pipeline was not applied
};

/// One step of a filter pipeline, in the order in which a writer applies them.
struct filter_step {
  std::int64_t id = 0;  // H5Z_filter_t
  std::string name;     // "deflate", "shuffle", "fletcher32", "lzf", ...; what the file says
  std::vector<std::int64_t> parameters;
};

enum class layout_kind : std::int64_t {
  contiguous,
  chunked,
  indirect,  // only HDF5 reads it
};

/// A dataset of one or two dimensions. One dimension counts as one column.
struct array_storage {
  std::string file;                 // that holds it; another one behind an external link
  std::string path;                 // "/X"
  std::vector<std::int64_t> shape;  // [rows] or [rows, columns]
  element_type element;
  layout_kind layout = layout_kind::contiguous;
  std::string indirect_kind;  // "compact", "external", "virtual", ...; empty otherwise
  std::string external_file;  // that holds the elements, as the file names it; empty otherwise
  bool written = true;        // false: not one element has been written
  std::uint64_t address = 0;  // of the first element, contiguous layout
  std::int64_t chunk_rows = 0;
  std::int64_t chunk_columns = 0;
  std::vector<filter_step> filters;
  std::vector<stored_chunk> chunks;  // the grid of chunks, row-major

  [[nodiscard]] std::int64_t rows() const noexcept { return shape.empty() ? 0 : shape[0]; }
  [[nodiscard]] std::int64_t columns() const noexcept { return shape.size() < 2 ? 1 : shape[1]; }
  /// Chunks from top to bottom and from left to right. @pre layout == chunked
  [[nodiscard]] std::int64_t bands() const noexcept {
    return (rows() + chunk_rows - 1) / chunk_rows;
  }
  [[nodiscard]] std::int64_t chunks_across() const noexcept {
    return (columns() + chunk_columns - 1) / chunk_columns;
  }
  /// Of one chunk before the filters; chunks at the borders are as large.
  [[nodiscard]] std::int64_t chunk_bytes() const noexcept {
    return chunk_rows * chunk_columns * element.bytes;
  }
};

/// Asks HDF5. `path` is the name in messages and in the result. Errors: types that are neither
/// numbers nor text (named), a rank other than 1 or 2 (shape given).
result<array_storage> describe_storage(hid_t dataset, const std::string& path);

/// Where HDF5 will find the external file: beside the file that names it, unless it is in the
/// current folder. Empty where it is in neither.
std::string find_external_file(const array_storage& array);

/// Refuses arrays whose bytes lie beyond the end of the file, before anybody makes room for them.
result<void> check_within_file(const array_storage& array);

/// Rows of which at least one chunk was never written, merged, ascending; all rows when nothing
/// was. Empty: every element was written.
std::vector<row_range> unwritten_rows(const array_storage& array);

void pack(packer& to, const array_storage& array);
void unpack(unpacker& from, array_storage& array);

}  // namespace berth::apps
