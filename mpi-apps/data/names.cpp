#include "data/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/hdf5_attributes.hpp"
#include "data/library_array.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t texts_at_once = std::int64_t{1} << 20;

std::vector<std::string> texts_or_nothing(hid_t object, std::int64_t count) {
  if (H5Iget_type(object) != H5I_DATASET) return {};
  if (shape_of(object) != std::vector<std::int64_t>{count}) return {};
  const hdf5_type type(H5Dget_type(object));
  if (H5Tget_class(type.get()) != H5T_STRING) return {};
  const auto length = H5Iget_name(object, nullptr, 0);
  std::string path(static_cast<std::size_t>(std::max<ssize_t>(0, length)), '\0');
  H5Iget_name(object, path.data(), path.size() + 1);
  auto texts = read_all_texts(object, path);
  return texts ? std::move(*texts) : std::vector<std::string>{};
}

// Dimension scales are kept as a list of references per dimension.
std::vector<std::string> scale_of_columns(hid_t features, std::int64_t count) {
  constexpr const char* list = "DIMENSION_LIST";
  if (H5Iget_type(features) != H5I_DATASET || !has_attribute(features, list)) return {};
  const hdf5_attribute attribute(H5Aopen(features, list, H5P_DEFAULT));
  const hdf5_space space(H5Aget_space(attribute.get()));
  if (H5Sget_simple_extent_npoints(space.get()) != 2) return {};
  const hdf5_type type(H5Tvlen_create(H5T_STD_REF_OBJ));
  std::array<hvl_t, 2> references{};
  if (H5Aread(attribute.get(), type.get(), references.data()) < 0) return {};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < references[1].len && names.empty(); ++i) {
    const hdf5_object scale(H5Rdereference2(features, H5P_DEFAULT, H5R_OBJECT,
                                            static_cast<hobj_ref_t*>(references[1].p) + i));
    if (scale) names = texts_or_nothing(scale.get(), count);
  }
  H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, references.data());
  return names;
}

// AnnData names the column of `var` that holds the names in its attribute _index.
std::vector<std::string> anndata_names(const hdf5_file& file, std::int64_t count) {
  if (!has_object(file.get(), "/var")) return {};
  const hdf5_object var(H5Oopen(file.get(), "/var", H5P_DEFAULT));
  if (!var || H5Iget_type(var.get()) != H5I_GROUP) return {};
  const auto column = text_or_nothing(var.get(), "_index");
  if (column.empty() || !has_object(var.get(), column)) return {};
  const hdf5_object names(H5Oopen(var.get(), column.c_str(), H5P_DEFAULT));
  return names ? texts_or_nothing(names.get(), count) : std::vector<std::string>{};
}

std::vector<std::string> enum_members(hid_t type) {
  const int count = H5Tget_nmembers(type);
  std::vector<std::string> names(static_cast<std::size_t>(std::max(0, count)));
  const hdf5_type base(H5Tget_super(type));
  for (int i = 0; i < count; ++i) {
    std::int64_t value = 0;
    if (H5Tget_member_value(type, static_cast<unsigned>(i), &value) < 0) return {};
    // The member is stored in the base type, which may be shorter or of the other byte order.
    if (H5Tconvert(base.get(), H5T_NATIVE_INT64, 1, &value, nullptr, H5P_DEFAULT) < 0) return {};
    if (value < 0 || value >= count || !names[static_cast<std::size_t>(value)].empty()) return {};
    char* const name = H5Tget_member_name(type, static_cast<unsigned>(i));
    names[static_cast<std::size_t>(value)] = name;
    H5free_memory(name);
  }
  return names;
}

}  // namespace

result<std::vector<std::string>> find_feature_names(const hdf5_file& file, hid_t features,
                                                    const std::string& path, std::int64_t count) {
  if (has_attribute(features, feature_names_attribute)) {
    auto names = read_texts(features, feature_names_attribute);
    if (!names) return pass(std::move(names), path);
    if (std::ssize(*names) == count) return names;
    return fail(fmt::format("{} has {} features but {} feature_names", path, count, names->size()));
  }
  auto names = scale_of_columns(features, count);
  if (names.empty()) names = anndata_names(file, count);
  for (auto j = std::ssize(names); j < count; ++j) names.push_back(fmt::format("x{}", j + 1));
  return names;
}

result<std::vector<std::string>> find_levels(hid_t target) {
  if (has_attribute(target, target_levels_attribute)) {
    return read_texts(target, target_levels_attribute);
  }
  const hdf5_type type(H5Dget_type(target));
  if (H5Tget_class(type.get()) != H5T_ENUM) return std::vector<std::string>{};
  auto names = enum_members(type.get());
  // h5py's and R's truth values are numbers.
  if (names == std::vector<std::string>{"FALSE", "TRUE"}) names.clear();
  return names;
}

result<std::vector<std::string>> distinct_texts(const array_storage& target, std::size_t limit) {
  auto opened = library_array::open(target);
  if (!opened) return pass(std::move(opened));
  std::set<std::string> seen;
  for (std::int64_t first = 0; first < target.rows(); first += texts_at_once) {
    auto texts = opened->read_texts({first, std::min(texts_at_once, target.rows() - first)});
    if (!texts) return pass(std::move(texts));
    seen.insert(std::make_move_iterator(texts->begin()), std::make_move_iterator(texts->end()));
    if (seen.size() <= limit) continue;
    return fail(
        fmt::format("{} has more than {} different texts; a target must be numeric or have "
                    "classes",
                    target.path, limit));
  }
  return std::vector<std::string>(seen.begin(), seen.end());
}

}  // namespace berth::apps
