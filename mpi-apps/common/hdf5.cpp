#include "common/hdf5.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "common/collective.hpp"

namespace berth::apps {

namespace {

herr_t keep_description(unsigned, const H5E_error2_t* entry, void* reason) noexcept {
  if (entry->desc != nullptr) static_cast<std::string*>(reason)->assign(entry->desc);
  return 0;
}

// Below, not even a superblock and the root group fit; above, no file system goes.
constexpr std::uint64_t smallest_file = 48;
constexpr std::uint64_t largest_file = std::uint64_t{1} << 60;

result<void> check_superblock(const std::string& path) {
  auto facts = read_superblock(path);
  if (!facts) return pass(std::move(facts));
  if (!facts->is_hdf5) {
    // A user block may precede the superblock; HDF5 itself searches for it.
    if (H5Fis_hdf5(path.c_str()) > 0) return {};
    return failure(
        error(fmt::format("\"{}\": not an HDF5 file", path))
            .with_hint("make one from a CSV file with: dataset import FILE.csv -o FILE.h5 "
                       "--target COLUMN"));
  }
  if (facts->expected_bytes > largest_file) {
    return fail(
        fmt::format("\"{}\": the header of this HDF5 file is damaged; copy it again", path));
  }
  if (facts->actual_bytes < smallest_file) {
    return fail(
        fmt::format("\"{}\": truncated HDF5 file: have {} bytes, less than its header; copy "
                    "it again",
                    path, facts->actual_bytes));
  }
  if (facts->actual_bytes < facts->expected_bytes) {
    return fail(fmt::format("\"{}\": truncated HDF5 file: have {} of {} bytes; copy it again", path,
                            facts->actual_bytes, facts->expected_bytes));
  }
  return {};
}

result<hdf5_file> open_with(const std::string& path, hid_t access) {
  hdf5_file file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access));
  if (file) return file;
  const auto reason = hdf5_reason();
  const auto says = [&](const char* text) { return reason.find(text) != std::string::npos; };
  if (says("already open for write") || says("unable to lock file")) {
    return fail(
        fmt::format("\"{}\": is being written, or its writer ended early; if nothing writes "
                    "it any more: h5clear -s {}",
                    path, path));
  }
  // Files that cannot be read at all were refused before, with the system's reason.
  return fail(
      fmt::format("\"{}\": the file is damaged, HDF5 says \"{}\"; copy it again", path, reason));
}

herr_t add_link(hid_t, const char* name, const H5L_info_t*, void* names) noexcept {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

void prepare_hdf5() {
  ::setenv("HDF5_USE_FILE_LOCKING", "BEST_EFFORT", 0);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string hdf5_reason() {
  std::string reason = "unknown reason";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_description, &reason);
  std::erase(reason, '\n');  // some hold the text of ctime()
  return reason;
}

result<hdf5_file> open_hdf5(const std::string& path) {
  if (auto ok = check_superblock(path); !ok) return pass(std::move(ok));
  return open_with(path, H5P_DEFAULT);
}

result<hdf5_file> open_hdf5(const communicator& comm, const std::string& path) {
  if (comm.handle() == MPI_COMM_NULL) return open_hdf5(path);
  if (auto ok = agree(comm, check_superblock(path)); !ok) return pass(std::move(ok));
  const hdf5_properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_mpio(access.get(), comm.handle(), MPI_INFO_NULL);
  return agree(comm, open_with(path, access.get()));
}

std::vector<std::string> list_root(const hdf5_file& file) {
  std::vector<std::string> names;
  H5Literate(file.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_link, &names);
  for (auto& name : names) {
    const hdf5_dataset dataset(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT));
    name = "/" + name;
    if (!dataset) continue;
    const hdf5_type type(H5Dget_type(dataset.get()));
    name += fmt::format(" {} {}", shape_text(shape_of(dataset.get())), type_name(type.get()));
  }
  return names;
}

std::string type_name(hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_STRING:
      return "string";
    case H5T_COMPOUND:
      return "compound";
    case H5T_ENUM:
      return "enum";
    case H5T_ARRAY:
      return "array";
    case H5T_OPAQUE:
      return "opaque";
    case H5T_REFERENCE:
      return "reference";
    default:
      return "non-numeric";
  }
}

std::vector<std::int64_t> shape_of(hid_t dataset) {
  const hdf5_space space(H5Dget_space(dataset));
  const int rank = H5Sget_simple_extent_ndims(space.get());
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank > 0 ? rank : 0));
  if (!dims.empty()) H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, " x "));
}

}  // namespace berth::apps
