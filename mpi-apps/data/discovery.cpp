#include "data/discovery.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/hdf5_attributes.hpp"
#include "data/array_reader.hpp"
#include "data/buffer.hpp"
#include "data/csr_layout.hpp"
#include "data/library_array.hpp"

namespace berth::apps {

namespace {

// A link's value: the path of a soft link, file and path of an external one.
std::string link_target(const hdf5_file& file, const std::string& path) {
  H5L_info_t info{};
  if (H5Lget_info(file.get(), path.c_str(), &info, H5P_DEFAULT) < 0) return {};
  if (info.type != H5L_TYPE_SOFT && info.type != H5L_TYPE_EXTERNAL) return {};
  std::string value(info.u.val_size, '\0');
  if (H5Lget_val(file.get(), path.c_str(), value.data(), value.size(), H5P_DEFAULT) < 0) return {};
  if (info.type == H5L_TYPE_SOFT) return fmt::format("\"{}\"", value.c_str());
  unsigned flags = 0;
  const char* other_file = nullptr;
  const char* other_path = nullptr;
  if (H5Lunpack_elink_val(value.data(), value.size(), &flags, &other_file, &other_path) < 0) {
    return {};
  }
  return fmt::format("\"{}\" in file \"{}\"", other_path, other_file);
}

failure missing(const hdf5_file& file, const std::string& file_name, const std::string& path) {
  const auto present = list_candidates(file);
  return fail(fmt::format("\"{}\": has no dataset {}; it has {}", file_name, path,
                          present.empty() ? "none" : fmt::format("{}", fmt::join(present, ", "))));
}

struct visit {
  hid_t file;
  std::size_t limit;
  std::size_t seen = 0;
  std::vector<std::string> found;
};

std::string candidate_text(hid_t object, const std::string& path) {
  if (H5Iget_type(object) == H5I_GROUP) {
    const auto shape = csr_shape(object);
    return shape.empty() ? "" : fmt::format("{} {} {}", path, shape_text(shape), csr_name(object));
  }
  if (H5Iget_type(object) != H5I_DATASET) return {};
  const hdf5_type type(H5Dget_type(object));
  const auto element = describe_element(type.get());
  return fmt::format("{} {} {}", path, shape_text(shape_of(object)),
                     element ? element->name : type_name(type.get()));
}

herr_t add_candidate(hid_t, const char* name, const H5O_info_t*, void* data) noexcept {
  auto& into = *static_cast<visit*>(data);
  const hdf5_object object(H5Oopen(into.file, name, H5P_DEFAULT));
  if (!object) return 0;
  auto text = candidate_text(object.get(), absolute(name));
  if (text.empty()) return 0;
  if (into.seen++ < into.limit) into.found.push_back(std::move(text));
  return 0;
}

}  // namespace

std::string absolute(const std::string& path) {
  return path.starts_with('/') ? path : "/" + path;
}

bool has_object(hid_t where, const std::string& path) {
  for (auto end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto prefix = path.substr(0, end);
    if (H5Lexists(where, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
    if (H5Oexists_by_name(where, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
  }
}

result<hdf5_object> open_object(const hdf5_file& file, const std::string& file_name,
                                const std::string& path) {
  for (auto end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto prefix = path.substr(0, end);
    if (H5Lexists(file.get(), prefix.c_str(), H5P_DEFAULT) <= 0) {
      return missing(file, file_name, path);
    }
    const auto target = link_target(file, prefix);
    if (!target.empty() && H5Oexists_by_name(file.get(), prefix.c_str(), H5P_DEFAULT) <= 0) {
      return fail(
          fmt::format("\"{}\": {} is a link to {}, which is not there; put it in place or "
                      "make the link again",
                      file_name, prefix, target));
    }
    if (end == std::string::npos) break;
  }
  hdf5_object object(H5Oopen(file.get(), path.c_str(), H5P_DEFAULT));
  if (object) return object;
  return fail(fmt::format("\"{}\": cannot open {}: {}", file_name, path, hdf5_reason()));
}

std::vector<std::string> list_candidates(const hdf5_file& file, std::size_t limit) {
  visit all{file.get(), limit, 0, {}};
  H5Ovisit2(file.get(), H5_INDEX_NAME, H5_ITER_INC, add_candidate, &all, H5O_INFO_BASIC);
  if (all.seen > limit) all.found.push_back(fmt::format("{} more", all.seen - limit));
  return std::move(all.found);
}

std::string text_or_nothing(hid_t where, const char* name) {
  if (!has_attribute(where, name)) return {};
  auto text = read_text(where, name);
  return text ? std::move(*text) : std::string();
}

result<std::vector<std::string>> read_all_texts(hid_t dataset, const std::string& path) {
  auto array = describe_storage(dataset, path);
  if (!array) return pass(std::move(array));
  if (array->element.kind == element_kind::text) {
    auto opened = library_array::open(*array);
    if (!opened) return pass(std::move(opened));
    return opened->read_texts({0, array->rows()});
  }
  auto reader = array_reader<double>::open(*array, 1, 0);
  if (!reader) return pass(std::move(reader));
  buffer<double> numbers(static_cast<std::size_t>(array->rows() * array->columns()));
  if (auto ok = reader->read({0, array->rows()}, numbers); !ok) return pass(std::move(ok));
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(fmt::format("{}", number));
  return texts;
}

}  // namespace berth::apps
