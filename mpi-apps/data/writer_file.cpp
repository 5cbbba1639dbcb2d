#include "data/writer_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/hdf5_attributes.hpp"
#include "data/dataset.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t chunk_bytes = std::int64_t{1} << 20;
constexpr hsize_t small_file_alignment = 4096;
constexpr hsize_t stripe_alignment = 1 << 20;
// Below this, aligning chunks to stripes would make files larger than their data.
constexpr double striped_from = 64.0 * (1 << 20);

using texts = std::span<const std::string>;

struct array_request {
  hid_t where = -1;
  const char* name = "";
  hid_t type = -1;
  std::vector<hsize_t> shape;
};

failure cannot_create(const char* name) {
  return fail(fmt::format("cannot create \"{}\": {}", name, hdf5_reason()), blame::run);
}

result<void> find_places(const hdf5_dataset& dataset, array_place& place) {
  const auto chunks = (place.rows + place.chunk_rows - 1) / place.chunk_rows;
  place.addresses.reserve(static_cast<std::size_t>(chunks));
  for (std::int64_t row = 0; row < place.rows; row += place.chunk_rows) {
    const hsize_t at[2] = {static_cast<hsize_t>(row), 0};
    unsigned skipped = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t bytes = 0;
    if (H5Dget_chunk_info_by_coord(dataset.get(), at, &skipped, &address, &bytes) < 0 ||
        address == HADDR_UNDEF) {
      return fail(fmt::format("cannot allocate: {}", hdf5_reason()), blame::run);
    }
    place.addresses.push_back(static_cast<std::int64_t>(address));
  }
  return {};
}

result<hdf5_dataset> create_array(const array_request& request, array_place& place) {
  const auto rank = static_cast<int>(request.shape.size());
  place.rows = static_cast<std::int64_t>(request.shape[0]);
  place.row_bytes =
      static_cast<std::int64_t>(H5Tget_size(request.type) * (rank == 2 ? request.shape[1] : 1));
  place.chunk_rows = rows_per_chunk(place.rows, place.row_bytes);
  const hdf5_properties how(H5Pcreate(H5P_DATASET_CREATE));
  if (place.rows > 0) {
    auto chunk = request.shape;
    chunk[0] = static_cast<hsize_t>(place.chunk_rows);
    H5Pset_chunk(how.get(), rank, chunk.data());
  }
  // Equal data make equal files.
  H5Pset_obj_track_times(how.get(), false);
  H5Pset_alloc_time(how.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(how.get(), H5D_FILL_TIME_NEVER);
  const hdf5_space space(H5Screate_simple(rank, request.shape.data(), nullptr));
  hdf5_dataset dataset(H5Dcreate2(request.where, request.name, request.type, space.get(),
                                  H5P_DEFAULT, how.get(), H5P_DEFAULT));
  if (!dataset) return cannot_create(request.name);
  if (auto ok = find_places(dataset, place); !ok) return pass(std::move(ok));
  return dataset;
}

hid_t value_type(const dataset_layout& layout) {
  return layout.values == precision::f32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
}

result<void> describe_features(hid_t x, const dataset_layout& layout) {
  result<void> ok;
  if (!layout.feature_names.empty()) {
    ok = write_attribute(x, feature_names_attribute, texts(layout.feature_names));
  }
  if (ok && !layout.reference_levels.empty()) {
    ok = write_attribute(x, reference_levels_attribute, texts(layout.reference_levels));
  }
  for (const auto& [name, list] : layout.notes) {
    if (ok && !list.empty()) ok = write_attribute(x, name.c_str(), texts(list));
  }
  return ok;
}

// Source: AnnData's on-disk format, "Sparse arrays".
result<void> mark_as_csr(hid_t group, const dataset_layout& layout) {
  auto ok = write_attribute(group, "encoding-type", std::string("csr_matrix"));
  if (ok) ok = write_attribute(group, "encoding-version", std::string("0.1.0"));
  if (!ok) return ok;
  const std::int64_t shape[2] = {layout.rows, layout.features};
  const hsize_t two = 2;
  const hdf5_space space(H5Screate_simple(1, &two, nullptr));
  const hdf5_attribute attribute(
      H5Acreate2(group, "shape", H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  if (!attribute || H5Awrite(attribute.get(), H5T_NATIVE_INT64, shape) < 0) {
    return cannot_create("shape");
  }
  return {};
}

result<void> create_sparse(const hdf5_file& file, const dataset_layout& layout,
                           dataset_places& places) {
  const hdf5_properties how(H5Pcreate(H5P_GROUP_CREATE));
  H5Pset_obj_track_times(how.get(), false);
  const hdf5_group group(H5Gcreate2(file.get(), "X", H5P_DEFAULT, how.get(), H5P_DEFAULT));
  if (!group) return cannot_create("X");
  const auto entries = static_cast<hsize_t>(layout.entries);
  const auto rows = static_cast<hsize_t>(layout.rows);
  places.wide_indices = layout.features > std::numeric_limits<std::int32_t>::max();
  const hid_t index_type = places.wide_indices ? H5T_STD_I64LE : H5T_STD_I32LE;
  auto made = create_array({group.get(), "data", value_type(layout), {entries}}, places.data);
  if (made) {
    made = create_array({group.get(), "indices", index_type, {entries}}, places.indices);
  }
  if (made) {
    made = create_array({group.get(), "indptr", H5T_STD_I64LE, {rows + 1}}, places.starts);
  }
  if (!made) return pass(std::move(made), "/X");
  if (auto ok = mark_as_csr(group.get(), layout); !ok) return ok;
  return describe_features(group.get(), layout);
}

result<void> create_dense(const hdf5_file& file, const dataset_layout& layout,
                          dataset_places& places) {
  const std::vector<hsize_t> shape{static_cast<hsize_t>(layout.rows),
                                   static_cast<hsize_t>(layout.features)};
  auto x = create_array({file.get(), "X", value_type(layout), shape}, places.x);
  if (!x) return pass(std::move(x));
  return describe_features(x->get(), layout);
}

result<void> describe_targets(hid_t y, const dataset_layout& layout) {
  const auto& targets = layout.targets;
  if (targets.size() == 1) {
    auto ok = write_attribute(y, target_name_attribute, targets[0].name);
    if (!ok || targets[0].levels.empty()) return ok;
    return write_attribute(y, target_levels_attribute, texts(targets[0].levels));
  }
  std::vector<std::string> names;
  for (const auto& target : targets) names.push_back(target.name);
  auto ok = write_attribute(y, target_name_attribute, texts(names));
  for (const auto& target : targets) {
    if (!ok || target.levels.empty()) continue;
    const auto name = fmt::format("{}:{}", target_levels_attribute, target.name);
    ok = write_attribute(y, name.c_str(), texts(target.levels));
  }
  return ok;
}

result<void> create_targets(const hdf5_file& file, const dataset_layout& layout,
                            dataset_places& places) {
  std::vector<hsize_t> shape{static_cast<hsize_t>(layout.rows)};
  if (layout.targets.size() > 1) shape.push_back(layout.targets.size());
  auto y = create_array({file.get(), "y", H5T_IEEE_F64LE, shape}, places.y);
  if (!y) return pass(std::move(y));
  return describe_targets(y->get(), layout);
}

result<void> create_weights(const hdf5_file& file, const dataset_layout& layout,
                            dataset_places& places) {
  auto made = create_array(
      {file.get(), "weights", H5T_IEEE_F64LE, {static_cast<hsize_t>(layout.rows)}}, places.weights);
  if (!made) return pass(std::move(made));
  if (layout.weights_name.empty()) return {};
  return write_attribute(made->get(), target_name_attribute, layout.weights_name);
}

result<hdf5_file> create_file(const std::string& path, const dataset_layout& layout) {
  const hdf5_properties access(H5Pcreate(H5P_FILE_ACCESS));
  // Format 1.8 keeps large attributes outside the object header.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V110);
  const bool striped = bytes_of(layout) >= striped_from;
  H5Pset_alignment(access.get(), striped ? chunk_bytes / 2 : small_file_alignment,
                   striped ? stripe_alignment : small_file_alignment);
  const hdf5_properties how(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_obj_track_times(how.get(), false);
  hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, how.get(), access.get()));
  if (!file) return fail(fmt::format("cannot create: {}", hdf5_reason()), blame::run);
  return file;
}

// Without times of their own, the same requests give the same bytes.
hdf5_properties timeless(hid_t kind) {
  hdf5_properties creation(H5Pcreate(kind));
  H5Pset_obj_track_times(creation.get(), false);
  return creation;
}

// @pre the group of `name`, if any, is one level deep
result<void> write_small(hid_t file, const small_array& array) {
  const auto slash = array.name.find('/');
  if (slash != std::string::npos &&
      H5Lexists(file, array.name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) {
    const auto creation = timeless(H5P_GROUP_CREATE);
    const hdf5_group made(H5Gcreate2(file, array.name.substr(0, slash).c_str(), H5P_DEFAULT,
                                     creation.get(), H5P_DEFAULT));
    if (!made) return fail(hdf5_reason(), blame::run);
  }
  const std::vector<hsize_t> extents(array.shape.begin(), array.shape.end());
  const hdf5_space space(
      H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
  const auto creation = timeless(H5P_DATASET_CREATE);
  const hdf5_dataset made(H5Dcreate2(file, array.name.c_str(), H5T_IEEE_F64LE, space.get(),
                                     H5P_DEFAULT, creation.get(), H5P_DEFAULT));
  const bool ok = made && H5Dwrite(made.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                   array.values.data()) >= 0;
  return ok ? result<void>{} : fail(hdf5_reason(), blame::run);
}

}  // namespace

std::int64_t rows_per_chunk(std::int64_t rows, std::int64_t row_bytes) noexcept {
  return std::max<std::int64_t>(1, std::min(rows, chunk_bytes / row_bytes));
}

double bytes_of(const dataset_layout& layout) noexcept {
  const double value = layout.values == precision::f32 ? 4 : 8;
  const auto rows = static_cast<double>(layout.rows);
  const double x = layout.sparse ? static_cast<double>(layout.entries) * (value + 4) + rows * 8
                                 : rows * static_cast<double>(layout.features) * value;
  return x + rows * 8 * static_cast<double>(layout.targets.size() + (layout.weights ? 1 : 0));
}

result<dataset_places> create_dataset_file(const std::string& path, const dataset_layout& layout) {
  auto file = create_file(path, layout);
  if (!file) return pass(std::move(file));
  dataset_places places;
  auto ok =
      layout.sparse ? create_sparse(*file, layout, places) : create_dense(*file, layout, places);
  if (ok && !layout.targets.empty()) ok = create_targets(*file, layout, places);
  if (ok && layout.weights) ok = create_weights(*file, layout, places);
  if (ok && !file->close()) ok = fail(hdf5_reason(), blame::run);
  if (!ok) return pass(std::move(ok));
  return places;
}

result<void> complete_file(const std::string& path, const file_attributes& attributes,
                           const std::vector<small_array>& arrays) {
  hdf5_file file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  if (!file) return fail(fmt::format("cannot open again: {}", hdf5_reason()), blame::run);
  for (const auto& attribute : attributes) {
    auto ok = std::visit(
        [&](const auto& value) {
          return write_attribute(file.get(), attribute.first.c_str(), value);
        },
        attribute.second);
    if (!ok) return ok;
  }
  for (const auto& each : arrays) {
    if (auto ok = write_small(file.get(), each); !ok) return ok;
  }
  if (!file.close()) return fail(hdf5_reason(), blame::run);
  return {};
}

}  // namespace berth::apps
