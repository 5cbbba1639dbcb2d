#pragma once
// HDF5 identifiers as move-only types, and how its failures become one sentence.

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace berth::apps {

/// An owned HDF5 identifier, closed by `Close`. Negative means none.
template <herr_t (*Close)(hid_t)>
class hdf5_handle {
 public:
  hdf5_handle() = default;
  explicit hdf5_handle(hid_t id) noexcept : id_(id) {}
  hdf5_handle(hdf5_handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  hdf5_handle& operator=(hdf5_handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~hdf5_handle() {
    if (id_ >= 0) Close(id_);
  }

  [[nodiscard]] hid_t get() const noexcept { return id_; }
  explicit operator bool() const noexcept { return id_ >= 0; }
  /// Closes now and says whether that succeeded: closing a written file is what writes it.
  [[nodiscard]] bool close() noexcept { return id_ < 0 || Close(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
};

using hdf5_file = hdf5_handle<H5Fclose>;
using hdf5_group = hdf5_handle<H5Gclose>;
using hdf5_dataset = hdf5_handle<H5Dclose>;
using hdf5_space = hdf5_handle<H5Sclose>;
using hdf5_type = hdf5_handle<H5Tclose>;
using hdf5_attribute = hdf5_handle<H5Aclose>;
using hdf5_properties = hdf5_handle<H5Pclose>;

/// Stops HDF5 printing its error stack and lets files be read where locking is not supported.
/// Call once, before any other HDF5 call.
void prepare_hdf5();

/// The innermost reason on HDF5's error stack ("unable to lock file, errno = 11, ..."), or
/// "unknown reason". Read it before the next HDF5 call.
std::string hdf5_reason();

/// Bytes that an HDF5 file should have by its own superblock; nothing when the first block of
/// `path` is not an HDF5 superblock. Source: HDF5 File Format Specification 3.0, II.A.
struct superblock_facts {
  bool is_hdf5 = false;
  std::uint64_t expected_bytes = 0;
  std::uint64_t actual_bytes = 0;
};
result<superblock_facts> read_superblock(const std::string& path);

/// Opens for reading on this process alone. Errors: missing or unreadable file, not HDF5,
/// truncated (have N of M bytes); each names the path.
result<hdf5_file> open_hdf5(const std::string& path);

/// Opens for reading by all ranks through MPI-IO. Collective, agreed.
result<hdf5_file> open_hdf5(const communicator& comm, const std::string& path);

/// What the root group holds, one text each: `/X [20433 x 12] float64`.
std::vector<std::string> list_root(const hdf5_file& file);

/// "float64", "int32", "string", "compound", ...
std::string type_name(hid_t type);

/// Extents of a dataset; empty for a scalar.
std::vector<std::int64_t> shape_of(hid_t dataset);
/// "[20433 x 12]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace berth::apps
