#include "data/library_array.hpp"

#include <fmt/format.h>

#include <cstring>

#include "data/buffer.hpp"

namespace berth::apps {

namespace {

template <class T>
hid_t native() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  return H5T_NATIVE_INT64;
}

std::string fixed_text(const char* from, std::size_t width, H5T_str_t padding) {
  std::string text(from, ::strnlen(from, width));
  if (padding == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::unique_lock<std::recursive_mutex> hdf5_lock() {
  static std::recursive_mutex one_at_a_time;
  return std::unique_lock(one_at_a_time);
}

result<library_array> library_array::open(const array_storage& array) {
  const auto lock = hdf5_lock();
  library_array made(array);
  auto file = open_hdf5(array.file);
  if (!file) return pass(std::move(file));
  made.file_ = std::move(*file);
  const hdf5_properties access(H5Pcreate(H5P_DATASET_ACCESS));
  // HDF5 looks in the current folder alone unless it is told otherwise.
  const bool beside =
      !array.external_file.empty() && find_external_file(array) != array.external_file;
  if (beside) H5Pset_efile_prefix(access.get(), "${ORIGIN}");
  made.dataset_ = hdf5_dataset(H5Dopen2(made.file_.get(), array.path.c_str(), access.get()));
  if (made.dataset_) return made;
  return fail(fmt::format("\"{}\": cannot open {}: {}", array.file, array.path, hdf5_reason()));
}

library_array::~library_array() {
  const auto lock = hdf5_lock();
  dataset_ = {};
  file_ = {};
}

result<void> library_array::read_into(row_range range, hid_t memory_type, void* out) const {
  const hdf5_space space(H5Dget_space(dataset_.get()));
  const hsize_t start[] = {static_cast<hsize_t>(range.first), 0};
  const hsize_t count[] = {static_cast<hsize_t>(range.count),
                           static_cast<hsize_t>(array_->columns())};
  const hsize_t values = count[0] * count[1];
  const hdf5_space memory(H5Screate_simple(1, &values, nullptr));
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr);
  if (H5Dread(dataset_.get(), memory_type, memory.get(), space.get(), H5P_DEFAULT, out) >= 0) {
    return {};
  }
  return fail(fmt::format("\"{}\": cannot read rows {} to {} of {}: {}", array_->file,
                          range.first + 1, range.end(), array_->path, hdf5_reason()));
}

template <class T>
result<std::int64_t> library_array::read(row_range range, std::span<T> out) const {
  const auto lock = hdf5_lock();
  if (!array_->element.is_plain()) {
    auto ok = read_into(range, native<T>(), out.data());
    if (!ok) return pass(std::move(ok));
    return std::int64_t{0};
  }
  // As stored, and converted here: HDF5 has no path from an enum to a number.
  const hdf5_type type(H5Dget_type(dataset_.get()));
  buffer<std::byte> stored(out.size() * static_cast<std::size_t>(array_->element.bytes));
  if (auto ok = read_into(range, type.get(), stored.data()); !ok) return pass(std::move(ok));
  return convert(stored.data(), array_->element, out);
}

result<std::vector<std::string>> library_array::read_texts(row_range range) const {
  const auto lock = hdf5_lock();
  const hdf5_type type(H5Dget_type(dataset_.get()));
  const auto count = static_cast<std::size_t>(range.count * array_->columns());
  std::vector<std::string> texts;
  texts.reserve(count);
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> raw(count, nullptr);
    if (auto ok = read_into(range, type.get(), raw.data()); !ok) return pass(std::move(ok));
    for (char* const text : raw) {
      texts.emplace_back(text != nullptr ? text : "");
      H5free_memory(text);
    }
    return texts;
  }
  const std::size_t width = H5Tget_size(type.get());
  const auto padding = H5Tget_strpad(type.get());
  std::string raw(width * count, '\0');
  if (auto ok = read_into(range, type.get(), raw.data()); !ok) return pass(std::move(ok));
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back(fixed_text(raw.data() + i * width, width, padding));
  }
  return texts;
}

template result<std::int64_t> library_array::read(row_range, std::span<float>) const;
template result<std::int64_t> library_array::read(row_range, std::span<double>) const;
template result<std::int64_t> library_array::read(row_range, std::span<std::int64_t>) const;

}  // namespace berth::apps
