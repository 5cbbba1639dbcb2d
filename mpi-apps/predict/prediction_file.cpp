#include "predict/prediction_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "common/hdf5_attributes.hpp"
#include "data/dataset.hpp"
#include "models/metrics.hpp"

namespace berth::apps {

namespace {

std::vector<const char*> names_of(const model& fitted, bool bounds) {
  if (fitted.kind == model_kind::logistic) return {"probability", "class"};
  if (bounds) return {"prediction", "lower", "upper"};
  return {"prediction"};
}

// Contiguous, so that the numbers of consecutive rows are consecutive bytes.
result<std::int64_t> make_column(const hdf5_file& file, const char* name,
                                 const std::vector<hsize_t>& shape) {
  const hdf5_space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const hdf5_properties how(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_alloc_time(how.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(how.get(), H5D_FILL_TIME_NEVER);
  const hdf5_dataset made(H5Dcreate2(file.get(), name, H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                     how.get(), H5P_DEFAULT));
  const haddr_t address = made ? H5Dget_offset(made.get()) : HADDR_UNDEF;
  if (address == HADDR_UNDEF) {
    return fail(fmt::format("cannot create {}: {}", name, hdf5_reason()), blame::run);
  }
  return static_cast<std::int64_t>(address);
}

result<void> describe(const hdf5_file& file, const model& fitted) {
  if (fitted.kind == model_kind::logistic) {
    if (fitted.levels.empty()) return {};
    const hdf5_dataset classes(H5Dopen2(file.get(), "class", H5P_DEFAULT));
    return write_attribute(classes.get(), target_levels_attribute,
                           std::span<const std::string>(fitted.levels));
  }
  std::vector<std::string> targets;
  for (const auto& each : fitted.targets) targets.push_back(each.name);
  const hdf5_dataset values(H5Dopen2(file.get(), "prediction", H5P_DEFAULT));
  return write_attribute(values.get(), "targets", std::span<const std::string>(targets));
}

// A disk that is full is known now, and not when some rank has written half of its rows.
result<void> reserve(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return fail_errno("cannot write", errno, blame::run);
  const off_t bytes = ::lseek(fd, 0, SEEK_END);
  const int reason = ::posix_fallocate(fd, 0, bytes);
  ::close(fd);
  // File systems without room to reserve say so later.
  if (reason == 0 || reason == EOPNOTSUPP || reason == EINVAL) return {};
  return fail_errno("cannot write", reason, blame::run);
}

}  // namespace

std::size_t prediction_columns(const model& fitted, bool bounds) {
  return names_of(fitted, bounds).size();
}

std::int64_t prediction_file_bytes(const model& fitted, std::int64_t rows, bool bounds) {
  constexpr std::int64_t own = 16 << 10;  // of HDF5
  const auto columns = prediction_columns(fitted, bounds) * fitted.targets.size();
  return own + 8 * rows * static_cast<std::int64_t>(columns);
}

std::vector<std::vector<double>> columns_of(const model& fitted, const predicted_rows& logs) {
  if (fitted.kind == model_kind::linear) {
    if (logs.lower.empty()) return {logs.value};
    return {logs.value, logs.lower, logs.upper};
  }
  std::vector<std::vector<double>> columns(2);
  for (const double log : logs.value) {
    columns[0].push_back(logistic_function(log));
    columns[1].push_back(log >= 0 ? 1 : 0);
  }
  return columns;
}

result<std::vector<std::int64_t>> create_prediction_file(const std::string& path,
                                                         const model& fitted, std::int64_t rows,
                                                         bool bounds) {
  auto file = create_hdf5(path);
  if (!file) return pass(std::move(file));
  std::vector<hsize_t> shape{static_cast<hsize_t>(rows)};
  if (fitted.targets.size() > 1) shape.push_back(fitted.targets.size());
  std::vector<std::int64_t> addresses;
  for (const char* name : names_of(fitted, bounds)) {
    auto address = make_column(*file, name, shape);
    if (!address) return pass(std::move(address));
    addresses.push_back(*address);
  }
  auto ok = describe(*file, fitted);
  if (ok && !file->close()) ok = fail(hdf5_reason(), blame::run);
  if (ok) ok = reserve(path);
  if (!ok) return pass(std::move(ok));
  return addresses;
}

}  // namespace berth::apps
