#include "dataset/provenance.hpp"

#include <fmt/format.h>

#include "common/hdf5_attributes.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t longest_value = 500;

herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* names) noexcept {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

// Nothing where it is neither a text nor a number.
std::string value_text(hid_t file, const std::string& name) {
  const hdf5_attribute attribute(H5Aopen(file, name.c_str(), H5P_DEFAULT));
  const hdf5_type type(H5Aget_type(attribute.get()));
  const hdf5_space space(H5Aget_space(attribute.get()));
  if (!attribute || H5Sget_simple_extent_npoints(space.get()) != 1) return {};
  if (H5Tget_class(type.get()) == H5T_STRING) {
    auto text = read_text(file, name.c_str());
    return text && text->size() <= longest_value ? std::move(*text) : std::string();
  }
  const auto number = read_number(file, name.c_str());
  return number ? fmt::format("{}", *number) : std::string();
}

}  // namespace

result<provenance> read_provenance(const std::string& path) {
  const auto file = open_hdf5(path);
  if (!file) return failure(file.error());
  std::vector<std::string> names;
  H5Aiterate2(file->get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names);
  provenance found;
  for (const auto& name : names) {
    if (auto text = value_text(file->get(), name); !text.empty()) {
      found.emplace_back(name, std::move(text));
    }
  }
  return found;
}

}  // namespace berth::apps
