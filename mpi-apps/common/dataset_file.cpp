#include "common/dataset_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>

#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "common/text.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t slab_bytes = (std::int64_t{1} << 30) - 1;

result<hdf5_dataset> open_part(const hdf5_file& file, const std::string& path, const char* name) {
  hdf5_dataset dataset(H5Dopen2(file.get(), name, H5P_DEFAULT));
  if (dataset) return dataset;
  const auto present = list_root(file);
  return fail(
      fmt::format("\"{}\": has no dataset {}; it has {}", path, name,
                  present.empty() ? "nothing" : fmt::format("{}", fmt::join(present, ", "))));
}

result<void> check_content(const hdf5_dataset& dataset, const std::string& path, const char* name) {
  const hdf5_type type(H5Dget_type(dataset.get()));
  const auto kind = H5Tget_class(type.get());
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
    return fail(fmt::format("\"{}\": {} has type {}; it must be numeric", path, name,
                            type_name(type.get())));
  }
  H5D_space_status_t status{};
  H5Dget_space_status(dataset.get(), &status);
  if (status != H5D_SPACE_STATUS_ALLOCATED) {
    return fail(fmt::format("\"{}\": {} was {} written and would read as zeros; write it again",
                            path, name,
                            status == H5D_SPACE_STATUS_NOT_ALLOCATED ? "never" : "only partly"));
  }
  return {};
}

result<void> inspect_features(const hdf5_file& file, dataset_info& info) {
  auto x = open_part(file, info.path, "/X");
  if (!x) return pass(std::move(x));
  const auto shape = shape_of(*x);
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
    return fail(fmt::format("\"{}\": /X has shape {}; it must be [rows x features]", info.path,
                            shape_text(shape)));
  }
  if (auto ok = check_content(*x, info.path, "/X"); !ok) return ok;
  info.rows = shape[0];
  info.features = shape[1];
  if (!has_attribute(x->get(), feature_names_attribute)) {
    for (std::int64_t j = 1; j <= info.features; ++j) info.names.push_back(fmt::format("x{}", j));
    return {};
  }
  auto names = read_texts(x->get(), feature_names_attribute);
  if (!names) return pass(std::move(names), fmt::format("\"{}\": /X", info.path));
  if (std::ssize(*names) != info.features) {
    return fail(fmt::format("\"{}\": /X has {} features but {} feature_names", info.path,
                            info.features, names->size()));
  }
  info.names = std::move(*names);
  return {};
}

result<void> inspect_target(const hdf5_file& file, dataset_info& info) {
  auto y = open_part(file, info.path, "/y");
  if (!y) return pass(std::move(y));
  const auto shape = shape_of(*y);
  const bool vector = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  if (!vector || shape[0] != info.rows) {
    return fail(
        fmt::format("\"{}\": /X has shape {} but /y has shape {}; they must have the same "
                    "number of rows",
                    info.path, shape_text({info.rows, info.features}), shape_text(shape)));
  }
  if (auto ok = check_content(*y, info.path, "/y"); !ok) return ok;
  info.has_target = true;
  info.target = std::string("y");
  if (has_attribute(y->get(), target_name_attribute)) {
    if (auto name = read_text(y->get(), target_name_attribute)) info.target = std::move(*name);
  }
  if (has_attribute(y->get(), target_levels_attribute)) {
    if (auto levels = read_texts(y->get(), target_levels_attribute)) {
      info.levels = std::move(*levels);
    }
  }
  return {};
}

// Rows of a dataset of one or two dimensions, `width` values each, into consecutive memory.
result<void> read_slabs(const hdf5_file& file, const dataset_info& info, const char* name,
                        row_range range, std::int64_t width, std::span<double> out) {
  const hdf5_dataset dataset(H5Dopen2(file.get(), name, H5P_DEFAULT));
  const hdf5_space space(H5Dget_space(dataset.get()));
  const hdf5_type type(H5Dget_type(dataset.get()));
  const auto element =
      std::max<std::int64_t>(8, static_cast<std::int64_t>(H5Tget_size(type.get())));
  const std::int64_t step = std::max<std::int64_t>(1, slab_bytes / (width * element));
  for (std::int64_t done = 0; done < range.count; done += step) {
    const auto rows = static_cast<hsize_t>(std::min(step, range.count - done));
    const hsize_t start[2] = {static_cast<hsize_t>(range.first + done), 0};
    const hsize_t count[2] = {rows, static_cast<hsize_t>(width)};
    const hsize_t values = rows * static_cast<hsize_t>(width);
    const hdf5_space memory(H5Screate_simple(1, &values, nullptr));
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr);
    if (H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT,
                out.data() + done * width) < 0) {
      return fail(fmt::format("\"{}\": cannot read rows {} to {} of {}: {}", info.path, start[0],
                              start[0] + rows - 1, name, hdf5_reason()));
    }
  }
  return {};
}

result<row_block> allocate(const dataset_info& info, row_range range) {
  row_block block{range, info.features, {}, {}};
  try {
    block.x.resize(static_cast<std::size_t>(range.count * info.features));
    if (info.has_target) block.y.resize(static_cast<std::size_t>(range.count));
  } catch (const std::bad_alloc&) {
    return fail(fmt::format("\"{}\": not enough memory for {} rows x {} features a rank; use more "
                            "ranks",
                            info.path, range.count, info.features),
                blame::run);
  }
  return block;
}

void share(const communicator& comm, dataset_info& info) {
  std::array<std::int64_t, 3> numbers{info.rows, info.features, info.has_target ? 1 : 0};
  comm.broadcast(std::span<std::int64_t>(numbers));
  info.rows = numbers[0];
  info.features = numbers[1];
  info.has_target = numbers[2] != 0;
  comm.broadcast(info.names);
  comm.broadcast(info.target);
  comm.broadcast(info.levels);
}

}  // namespace

result<dataset_info> inspect_dataset(const std::string& path, target_use use) {
  auto file = open_hdf5(path);
  if (!file) return pass(std::move(file), "dataset");
  dataset_info info;
  info.path = path;
  auto ok = inspect_features(*file, info);
  const bool wanted = use == target_use::required || H5Lexists(file->get(), "y", H5P_DEFAULT) > 0;
  if (ok && wanted) ok = inspect_target(*file, info);
  if (!ok) return pass(std::move(ok), "dataset");
  return info;
}

result<dataset_info> inspect_dataset(const communicator& comm, const std::string& path,
                                     target_use use) {
  dataset_info info;
  info.path = path;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto seen = inspect_dataset(path, use);
    if (!seen) return pass(std::move(seen));
    info = std::move(*seen);
    return {};
  });
  if (!ok) return pass(std::move(ok));
  share(comm, info);
  return info;
}

result<void> read_features(const hdf5_file& file, const dataset_info& info, row_range range,
                           std::span<double> x) {
  return read_slabs(file, info, "/X", range, info.features, x);
}

result<void> read_target(const hdf5_file& file, const dataset_info& info, row_range range,
                         std::span<double> y) {
  return read_slabs(file, info, "/y", range, 1, y);
}

result<row_block> read_rows(const communicator& comm, const dataset_info& info) {
  auto file = open_hdf5(comm, info.path);
  if (!file) return pass(std::move(file), "dataset");
  auto block = agree(comm, allocate(info, rows_of(comm.rank(), comm.size(), info.rows)));
  if (!block) return block;
  auto ok = read_features(*file, info, block->range, block->x);
  if (ok && info.has_target) ok = read_target(*file, info, block->range, block->y);
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all), "dataset");
  return block;
}

result<void> check_finite(const communicator& comm, const dataset_info& info,
                          const row_block& block) {
  const auto width = static_cast<std::size_t>(info.features);
  std::vector<std::int64_t> bad(width + 1, 0);
  for (std::size_t i = 0; i < block.x.size(); ++i) bad[i % width] += !std::isfinite(block.x[i]);
  for (const double value : block.y) bad[width] += !std::isfinite(value);
  comm.sum(std::span<std::int64_t>(bad));
  std::string list;
  for (std::size_t j = 0; j <= width; ++j) {
    if (bad[j] == 0) continue;
    list += fmt::format("{}{} in \"{}\"", list.empty() ? "" : ", ", bad[j],
                        j < width ? info.names[j] : info.target);
  }
  if (list.empty()) return {};
  return fail(
      fmt::format("dataset \"{}\": missing or infinite values: {}; leave those rows out, for "
                  "example with: dataset import ... --missing drop",
                  info.path, list));
}

}  // namespace berth::apps
