#include "data/csr_layout.hpp"

#include <fmt/format.h>

#include <array>

#include "common/hdf5_attributes.hpp"

namespace berth::apps {

namespace {

constexpr const char* members[] = {"data", "indices", "indptr"};

// AnnData writes `shape`, before 0.7 `h5sparse_shape`; others keep a dataset.
std::array<std::int64_t, 2> stated_shape(hid_t group) {
  std::array<std::int64_t, 2> shape{0, 0};
  for (const char* name : {"shape", "h5sparse_shape"}) {
    if (!has_attribute(group, name)) continue;
    const hdf5_attribute attribute(H5Aopen(group, name, H5P_DEFAULT));
    const hdf5_space space(H5Aget_space(attribute.get()));
    if (H5Sget_simple_extent_npoints(space.get()) != 2) continue;
    if (H5Aread(attribute.get(), H5T_NATIVE_INT64, shape.data()) >= 0) return shape;
  }
  if (H5Lexists(group, "shape", H5P_DEFAULT) <= 0) return shape;
  const hdf5_dataset dataset(H5Dopen2(group, "shape", H5P_DEFAULT));
  if (dataset && shape_of(dataset.get()) == std::vector<std::int64_t>{2}) {
    H5Dread(dataset.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, shape.data());
  }
  return shape;
}

result<array_storage> describe_member(hid_t group, const std::string& path, const char* name) {
  const auto whole = fmt::format("{}/{}", path, name);
  const hdf5_dataset dataset(H5Dopen2(group, name, H5P_DEFAULT));
  if (!dataset) return fail(fmt::format("{} is not a dataset", whole));
  auto array = describe_storage(dataset.get(), whole);
  if (!array) return array;
  if (array->shape.size() != 1) {
    return fail(fmt::format("{} has shape {}; it must have one dimension", whole,
                            shape_text(array->shape)));
  }
  if (!array->element.is_plain() && array->element.kind != element_kind::foreign) {
    return fail(fmt::format("{} has type {}; it must be numeric", whole, array->element.name));
  }
  return array;
}

result<void> check_lengths(const csr_storage& csr, const std::string& path,
                           const std::vector<std::int64_t>& shape) {
  if (csr.data.rows() != csr.indices.rows()) {
    return fail(
        fmt::format("{} has {} data but {} indices", path, csr.data.rows(), csr.indices.rows()));
  }
  if (csr.indptr.rows() != shape[0] + 1) {
    return fail(fmt::format("{} has shape {} but {} indptr; it needs one more than rows", path,
                            shape_text(shape), csr.indptr.rows()));
  }
  for (const auto* array : {&csr.indices, &csr.indptr}) {
    const auto kind = array->element.kind;
    if (kind == element_kind::signed_integer || kind == element_kind::unsigned_integer) continue;
    return fail(
        fmt::format("{} has type {}; it must be an integer", array->path, array->element.name));
  }
  return {};
}

}  // namespace

std::vector<std::int64_t> csr_shape(hid_t group) {
  if (H5Iget_type(group) != H5I_GROUP) return {};
  for (const char* name : members) {
    if (H5Lexists(group, name, H5P_DEFAULT) <= 0) return {};
  }
  auto shape = stated_shape(group);
  if (shape[0] == 0) {
    const hdf5_dataset starts(H5Dopen2(group, "indptr", H5P_DEFAULT));
    const auto extent = starts ? shape_of(starts.get()) : std::vector<std::int64_t>{};
    if (extent.size() == 1 && extent[0] > 0) shape[0] = extent[0] - 1;
  }
  return {shape[0], shape[1]};
}

std::string csr_name(hid_t group) {
  for (const char* name : {"encoding-type", "h5sparse_format"}) {
    auto text = text_or_nothing(group, name);
    if (text == "csr" || text == "csc") text += "_matrix";
    if (!text.empty()) return text;
  }
  return "csr_matrix";
}

result<csr_storage> describe_csr(hid_t group, const std::string& path) {
  const auto shape = csr_shape(group);
  if (shape.empty()) {
    return fail(
        fmt::format("{} is a group, but no sparse matrix: it lacks data, indices or indptr", path));
  }
  if (csr_name(group) == "csc_matrix") {
    return fail(
        fmt::format("{} is a csc_matrix, stored by columns; rows cannot be read from it: "
                    "write it by rows, in Python: X.tocsr()",
                    path));
  }
  if (shape[1] < 1) {
    return fail(
        fmt::format("{} does not say how many columns it has; add an attribute \"shape\" "
                    "with rows and columns",
                    path));
  }
  auto data = describe_member(group, path, members[0]);
  if (!data) return pass(std::move(data));
  auto indices = describe_member(group, path, members[1]);
  if (!indices) return pass(std::move(indices));
  auto indptr = describe_member(group, path, members[2]);
  if (!indptr) return pass(std::move(indptr));
  csr_storage csr{std::move(*data), std::move(*indices), std::move(*indptr)};
  if (auto ok = check_lengths(csr, path, shape); !ok) return pass(std::move(ok));
  return csr;
}

}  // namespace berth::apps
