#include "data/dataset.hpp"

#include <fmt/format.h>

#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "data/csr_layout.hpp"
#include "data/digest.hpp"
#include "data/discovery.hpp"
#include "data/filters.hpp"
#include "data/names.hpp"

namespace berth::apps {

namespace {

// One file being opened: what has been found so far is in `found`.
struct opening {
  const hdf5_file& file;
  const dataset_request& request;
  dataset found;

  [[nodiscard]] const std::string& path() const { return found.info.path; }
  // Errors of a part name the file as the user gave it.
  template <class T>
  failure about_file(result<T>&& failed) const {
    return pass(std::move(failed), fmt::format("\"{}\"", path()));
  }
};

result<void> check_written(const opening& all, const array_storage& array) {
  if (all.request.accept_unwritten) return {};
  const auto ranges = unwritten_rows(array);
  if (ranges.empty()) return {};
  if (!array.written) {
    return fail(fmt::format("\"{}\": {} was never written and would read as zeros; write it again",
                            all.path(), array.path));
  }
  const auto more = ranges.size() > 1 ? fmt::format(" and {} more ranges", ranges.size() - 1) : "";
  return fail(
      fmt::format("\"{}\": rows {} to {}{} of {} were never written and would read as "
                  "zeros; write them again",
                  all.path(), ranges[0].first + 1, ranges[0].end(), more, array.path));
}

result<void> check_array(const opening& all, const array_storage& array) {
  if (array.layout == layout_kind::chunked &&
      support_of(array.filters) == filter_support::missing) {
    for (const auto& step : array.filters) {
      if (support_of(step) != filter_support::missing) continue;
      return fail(fmt::format("\"{}\": {} {}", all.path(), array.path, missing_filter_text(step)));
    }
  }
  if (!array.external_file.empty() && find_external_file(array).empty()) {
    return fail(
        fmt::format("\"{}\": {} is kept in file \"{}\", which is not there; put it beside "
                    "the dataset",
                    all.path(), array.path, array.external_file));
  }
  if (auto ok = check_within_file(array); !ok) return ok;
  return check_written(all, array);
}

failure wrong_shape(const opening& all, const std::string& name,
                    const std::vector<std::int64_t>& shape) {
  return fail(fmt::format("\"{}\": {} has shape {}; it must be [rows x features]", all.path(), name,
                          shape_text(shape)));
}

result<void> take_dense(opening& all, hid_t object, const std::string& name) {
  const auto shape = shape_of(object);
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) return wrong_shape(all, name, shape);
  auto array = describe_storage(object, name);
  if (!array) return all.about_file(std::move(array));
  if (array->element.kind == element_kind::text) {
    return fail(fmt::format("\"{}\": {} has type string; it must be numeric", all.path(), name));
  }
  if (auto ok = check_array(all, *array); !ok) return ok;
  all.found.info.rows = shape[0];
  all.found.info.features = shape[1];
  if (array->element.kind == element_kind::foreign) {
    all.found.warnings.push_back(
        fmt::format("{} has type {}, which is rounded to float64", name, array->element.name));
  }
  all.found.x = std::move(*array);
  return {};
}

result<void> take_sparse(opening& all, hid_t group, const std::string& name) {
  auto csr = describe_csr(group, name);
  if (!csr) return all.about_file(std::move(csr));
  const auto shape = csr_shape(group);
  if (shape[0] < 1) return wrong_shape(all, name, shape);
  for (const auto* array : {&csr->data, &csr->indices, &csr->indptr}) {
    if (auto ok = check_array(all, *array); !ok) return ok;
  }
  all.found.info.rows = shape[0];
  all.found.info.features = shape[1];
  all.found.x.path = name;
  all.found.csr = std::move(*csr);
  return {};
}

result<void> take_features(opening& all) {
  const auto name = all.request.features.empty() ? "/X" : absolute(all.request.features);
  auto object = open_object(all.file, all.path(), name);
  if (!object) return pass(std::move(object));
  auto ok = H5Iget_type(object->get()) == H5I_GROUP ? take_sparse(all, object->get(), name)
                                                    : take_dense(all, object->get(), name);
  if (!ok) return ok;
  auto names = find_feature_names(all.file, object->get(), name, all.found.info.features);
  if (!names) return all.about_file(std::move(names));
  all.found.info.names = std::move(*names);
  if (has_attribute(object->get(), reference_levels_attribute)) {
    auto references = read_texts(object->get(), reference_levels_attribute);
    if (!references) return all.about_file(std::move(references));
    all.found.info.references = std::move(*references);
  }
  return {};
}

// A column beside the features: y or the weights.
result<array_storage> take_column(const opening& all, hid_t object, const std::string& name) {
  const auto shape = shape_of(object);
  const auto rows = all.found.info.rows;
  if (shape.empty() || shape.size() > 2 || shape[0] != rows ||
      (shape.size() == 2 && shape[1] < 1)) {
    return fail(
        fmt::format("\"{}\": {} has shape {} but {} has shape {}; they must have the same "
                    "number of rows",
                    all.path(), all.found.x.path, shape_text({rows, all.found.info.features}), name,
                    shape_text(shape)));
  }
  auto array = describe_storage(object, name);
  if (!array) return all.about_file(std::move(array));
  if (auto ok = check_array(all, *array); !ok) return pass(std::move(ok));
  return array;
}

// AnnData's categorical: codes, and the categories they stand for.
result<void> take_categorical(opening& all, hid_t group, const std::string& name) {
  const hdf5_dataset codes(H5Dopen2(group, "codes", H5P_DEFAULT));
  const hdf5_dataset categories(H5Dopen2(group, "categories", H5P_DEFAULT));
  if (!codes || !categories) {
    return fail(
        fmt::format("\"{}\": {} is a group without codes and categories; name a dataset or "
                    "a categorical",
                    all.path(), name));
  }
  auto array = take_column(all, codes.get(), name + "/codes");
  if (!array) return pass(std::move(array));
  auto levels = read_all_texts(categories.get(), name + "/categories");
  if (!levels) return all.about_file(std::move(levels));
  all.found.y = std::move(*array);
  all.found.info.levels = std::move(*levels);
  all.found.negative_is_missing = true;
  return {};
}

result<void> take_labels(opening& all, hid_t object, const std::string& name) {
  auto array = take_column(all, object, name);
  if (!array) return pass(std::move(array));
  auto levels = find_levels(object);
  if (levels && levels->empty() && array->element.kind == element_kind::text) {
    levels = distinct_texts(*array);
  }
  if (!levels) return all.about_file(std::move(levels));
  all.found.y = std::move(*array);
  all.found.info.levels = std::move(*levels);
  return {};
}

std::vector<std::string> names_of_targets(hid_t y, const std::string& name, std::int64_t count) {
  if (count == 1) return {name};
  if (has_attribute(y, target_name_attribute)) {
    auto names = read_texts(y, target_name_attribute);
    if (names && std::ssize(*names) == count) return std::move(*names);
  }
  std::vector<std::string> names;
  for (std::int64_t k = 1; k <= count; ++k) names.push_back(fmt::format("{}{}", name, k));
  return names;
}

result<void> take_target(opening& all) {
  const auto& request = all.request;
  const auto name = request.target.empty() ? "/y" : absolute(request.target);
  if (request.use == target_use::ignored) return {};
  if (request.use == target_use::if_present && request.target.empty() &&
      !has_object(all.file.get(), name)) {
    return {};
  }
  auto object = open_object(all.file, all.path(), name);
  if (!object) return pass(std::move(object));
  auto ok = H5Iget_type(object->get()) == H5I_GROUP ? take_categorical(all, object->get(), name)
                                                    : take_labels(all, object->get(), name);
  if (!ok) return ok;
  all.found.info.has_target = true;
  if (all.found.y->columns() == 1) {
    all.found.info.target = text_or_nothing(object->get(), target_name_attribute);
  }
  if (all.found.info.target.empty()) {
    all.found.info.target = name.substr(name.find_last_of('/') + 1);
  }
  all.found.info.targets =
      names_of_targets(object->get(), all.found.info.target, all.found.y->columns());
  return {};
}

result<void> take_weights(opening& all) {
  const auto name = all.request.weights.empty() ? "/weights" : absolute(all.request.weights);
  if (all.request.weights.empty() && !has_object(all.file.get(), name)) return {};
  auto object = open_object(all.file, all.path(), name);
  if (!object) return pass(std::move(object));
  if (H5Iget_type(object->get()) != H5I_DATASET) {
    if (all.request.weights.empty()) return {};  // a group of that name is something else
    return fail(fmt::format("\"{}\": {} is not a dataset", all.path(), name));
  }
  auto array = take_column(all, object->get(), name);
  if (!array) return pass(std::move(array));
  if (array->columns() != 1 || array->element.kind == element_kind::text) {
    return fail(fmt::format("\"{}\": {} has shape {} and type {}; weights are one number a row",
                            all.path(), name, shape_text(array->shape), array->element.name));
  }
  all.found.weights = std::move(*array);
  return {};
}

void pack(packer& to, const std::optional<array_storage>& array) {
  to.put(array.has_value());
  if (array) pack(to, *array);
}

void unpack(unpacker& from, std::optional<array_storage>& array) {
  bool there = false;
  from.get(there);
  if (there) unpack(from, array.emplace());
}

std::string packed(const dataset& data) {
  packer to;
  to.put(data.info.rows);
  to.put(data.info.features);
  to.put(data.info.names);
  to.put(data.info.references);
  to.put(data.info.has_target);
  to.put(data.info.target);
  to.put(data.info.targets);
  to.put(data.info.levels);
  pack(to, data.x);
  to.put(data.csr.has_value());
  if (data.csr) {
    for (const auto* array : {&data.csr->data, &data.csr->indices, &data.csr->indptr}) {
      pack(to, *array);
    }
  }
  pack(to, data.y);
  pack(to, data.weights);
  to.put(data.negative_is_missing);
  to.put(data.warnings);
  return std::move(to).take();
}

dataset unpacked(std::string bytes, const std::string& path) {
  dataset data;
  unpacker from(std::move(bytes));
  data.info.path = path;
  from.get(data.info.rows);
  from.get(data.info.features);
  from.get(data.info.names);
  from.get(data.info.references);
  from.get(data.info.has_target);
  from.get(data.info.target);
  from.get(data.info.targets);
  from.get(data.info.levels);
  unpack(from, data.x);
  bool sparse = false;
  from.get(sparse);
  if (sparse) {
    auto& csr = data.csr.emplace();
    for (auto* array : {&csr.data, &csr.indices, &csr.indptr}) unpack(from, *array);
  }
  unpack(from, data.y);
  unpack(from, data.weights);
  from.get(data.negative_is_missing);
  from.get(data.warnings);
  return data;
}

}  // namespace

result<dataset> open_dataset(const std::string& path, const dataset_request& request) {
  auto file = open_hdf5(path);
  if (!file) return pass(std::move(file), "dataset");
  opening all{*file, request, {}};
  all.found.info.path = path;
  auto ok = take_features(all);
  if (ok) ok = take_target(all);
  if (ok) ok = take_weights(all);
  if (!ok) return pass(std::move(ok), "dataset");
  return std::move(all.found);
}

result<dataset> open_dataset(const communicator& comm, const std::string& path,
                             const dataset_request& request) {
  std::string bytes;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto seen = open_dataset(path, request);
    if (!seen) return pass(std::move(seen));
    bytes = packed(*seen);
    return {};
  });
  if (!ok) return pass(std::move(ok));
  if (ok = check_same_file(comm, path); !ok) return pass(std::move(ok));
  comm.broadcast(bytes);
  return unpacked(std::move(bytes), path);
}

}  // namespace berth::apps
