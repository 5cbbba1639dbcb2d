#include "inference/clusters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "common/collective.hpp"
#include "data/array_reader.hpp"
#include "data/discovery.hpp"
#include "data/library_array.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t rows_at_once = std::int64_t{1} << 20;

result<array_storage> find_ids(const std::string& file, const std::string& path,
                               std::int64_t rows) {
  auto opened = open_hdf5(file);
  if (!opened) return pass(std::move(opened), "dataset");
  auto name = absolute(path);
  auto object = open_object(*opened, file, name);
  if (object && H5Iget_type(object->get()) == H5I_GROUP) {
    name += "/codes";
    object = open_object(*opened, file, name);
  }
  if (!object) return pass(std::move(object), "dataset");
  const auto about = fmt::format("dataset \"{}\"", file);
  auto array = describe_storage(object->get(), name);
  if (!array) return pass(std::move(array), about);
  if (array->rows() != rows || array->columns() != 1) {
    return fail(
        fmt::format("{}: --cluster {} has {} rows and {} columns; it takes one id for each "
                    "of {} rows",
                    about, name, array->rows(), array->columns(), rows));
  }
  const auto kind = array->element.kind;
  if (kind != element_kind::text && kind != element_kind::signed_integer &&
      kind != element_kind::unsigned_integer) {
    return fail(fmt::format("{}: --cluster {} is of type {}; ids are integers or texts", about,
                            name, array->element.name));
  }
  if (!unwritten_rows(*array).empty()) {
    return fail(fmt::format("{}: --cluster {} has rows that were never written", about, name));
  }
  return array;
}

result<array_storage> share_ids(const communicator& comm, const std::string& file,
                                const std::string& path, std::int64_t rows) {
  std::string bytes;
  auto ok = on_root(comm, [&]() -> result<void> {
    const auto found = find_ids(file, path, rows);
    if (!found) return failure(found.error());
    packer to;
    pack(to, *found);
    bytes = std::move(to).take();
    return {};
  });
  if (!ok) return pass(std::move(ok));
  comm.broadcast(bytes);
  array_storage array;
  unpacker from(std::move(bytes));
  unpack(from, array);
  return array;
}

// Numbers distinct ids as they come.
template <class Id>
class numbering {
 public:
  std::int32_t number(Id id) {
    const auto next = static_cast<std::int32_t>(known_.size());
    return known_.try_emplace(std::move(id), next).first->second;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all(known_.size());
    for (const auto& [id, number] : known_) {
      all[static_cast<std::size_t>(number)] = fmt::format("{}", id);
    }
    return all;
  }

 private:
  std::unordered_map<Id, std::int32_t> known_;
};

struct local_ids {
  std::vector<std::int32_t> of_row;
  std::vector<std::string> texts;  // of each number
};

result<local_ids> read_integers(const array_storage& array, row_range range) {
  auto reader = array_reader<std::int64_t>::open(array, 1, 0);
  if (!reader) return pass(std::move(reader));
  numbering<std::int64_t> seen;
  local_ids out;
  std::vector<std::int64_t> values;
  for (auto first = range.first; first < range.end(); first += rows_at_once) {
    values.resize(static_cast<std::size_t>(std::min(rows_at_once, range.end() - first)));
    if (auto ok = reader->read({first, std::ssize(values)}, values); !ok) {
      return pass(std::move(ok));
    }
    for (const auto value : values) out.of_row.push_back(seen.number(value));
  }
  out.texts = seen.texts();
  const bool is_code = array.path.ends_with("/codes");
  if (is_code && std::ranges::count(out.texts, "-1") > 0) {
    return fail(fmt::format("--cluster {}: some rows have no category", array.path));
  }
  return out;
}

result<local_ids> read_texts(const array_storage& array, row_range range) {
  auto reader = library_array::open(array);
  if (!reader) return pass(std::move(reader));
  numbering<std::string> seen;
  local_ids out;
  for (auto first = range.first; first < range.end(); first += rows_at_once) {
    auto texts = reader->read_texts({first, std::min(rows_at_once, range.end() - first)});
    if (!texts) return pass(std::move(texts));
    for (auto& text : *texts) out.of_row.push_back(seen.number(std::move(text)));
  }
  out.texts = seen.texts();
  return out;
}

// The distinct ids of all ranks, sorted, on every rank. Collective.
std::vector<std::string> all_ids(const communicator& comm, const std::vector<std::string>& mine) {
  packer to;
  to.put(mine);
  std::vector<std::string> all;
  for (auto& bytes : comm.gather(std::move(to).take())) {
    unpacker from(std::move(bytes));
    std::vector<std::string> part;
    from.get(part);
    all.insert(all.end(), std::make_move_iterator(part.begin()),
               std::make_move_iterator(part.end()));
  }
  std::ranges::sort(all);
  const auto rest = std::ranges::unique(all);
  all.erase(rest.begin(), rest.end());
  comm.broadcast(all);
  return all;
}

}  // namespace

result<cluster_ids> read_clusters(const communicator& comm, const std::string& file,
                                  const std::string& path, std::int64_t rows, row_range range) {
  const auto array = share_ids(comm, file, path, rows);
  if (!array) return failure(array.error());
  auto read = agree(comm, array->element.kind == element_kind::text ? read_texts(*array, range)
                                                                    : read_integers(*array, range));
  if (!read) return pass(std::move(read), fmt::format("dataset \"{}\"", file));
  const auto all = all_ids(comm, read->texts);
  std::vector<std::int32_t> number;
  for (const auto& text : read->texts) {
    number.push_back(static_cast<std::int32_t>(std::ranges::lower_bound(all, text) - all.begin()));
  }
  for (auto& each : read->of_row) each = number[static_cast<std::size_t>(each)];
  return cluster_ids{range, std::move(read->of_row), std::ssize(all)};
}

}  // namespace berth::apps
