#include "prepared_data.hpp"

#include <stdexcept>

#include "data/read_rows.hpp"
#include "import/import.hpp"
#include "temporary_folder.hpp"
#include "world.hpp"

namespace berth::apps {

namespace {

row_block part_of(const row_block& whole, row_range range) {
  const auto first = static_cast<std::ptrdiff_t>(range.first);
  const auto width = static_cast<std::ptrdiff_t>(whole.features);
  const auto end = first + static_cast<std::ptrdiff_t>(range.count);
  return {range,
          whole.features,
          {whole.x.begin() + first * width, whole.x.begin() + end * width},
          {whole.y.begin() + first, whole.y.begin() + end},
          {}};
}

prepared_data spread(std::vector<std::string> names, std::string target,
                     const std::vector<double>& x, const std::vector<double>& y) {
  prepared_data data;
  data.info.path = std::string("test.h5");
  data.info.rows = std::ssize(y);
  data.info.features = std::ssize(names);
  data.info.names = std::move(names);
  data.info.has_target = true;
  data.info.targets = {target};
  data.info.target = std::move(target);
  data.whole = {
      {0, data.info.rows}, data.info.features, {x.begin(), x.end()}, {y.begin(), y.end()}, {}};
  data.mine =
      part_of(data.whole, partition_rows(data.info.rows, world().size()).of(world().rank()));
  return data;
}

template <class T>
T demand(result<T> got) {
  if (!got) throw std::runtime_error(got.error().text());
  return std::move(*got);
}

}  // namespace

prepared_data make_data(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<std::string> names;
  for (std::size_t j = 0; j < x.size() / y.size(); ++j) {
    names.emplace_back(1, static_cast<char>('a' + j));
  }
  return spread(std::move(names), "y", x, y);
}

prepared_data import_data(const std::string& file, const std::string& target,
                          const std::vector<std::string>& excluded) {
  const temporary_folder folder;
  const auto alone = communicator::alone();
  import_request request;
  request.source = std::string(BERTH_TEST_DATA "/") + file;
  request.output = folder.file("data.h5");
  request.table.columns.targets = {target};
  request.table.columns.excluded = excluded;
  request.table.rules.missing = missing_policy::drop;
  demand(import_dataset(alone, request));
  const auto data = demand(open_dataset(alone, request.output));
  const auto rows = demand(read_rows(alone, data));
  return spread(data.info.names, target, {rows.block.x.begin(), rows.block.x.end()},
                {rows.block.y.begin(), rows.block.y.end()});
}

}  // namespace berth::apps
