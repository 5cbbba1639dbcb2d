#include "prepared_data.hpp"

#include <stdexcept>

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
          {whole.y.begin() + first, whole.y.begin() + end}};
}

prepared_data spread(std::vector<std::string> names, std::string target, std::vector<double> x,
                     std::vector<double> y) {
  prepared_data data;
  data.info.path = std::string("test.h5");
  data.info.rows = std::ssize(y);
  data.info.features = std::ssize(names);
  data.info.names = std::move(names);
  data.info.has_target = true;
  data.info.target = std::move(target);
  data.whole = {{0, data.info.rows}, data.info.features, std::move(x), std::move(y)};
  data.mine = part_of(data.whole, rows_of(world().rank(), world().size(), data.info.rows));
  return data;
}

template <class T>
T demand(result<T> got) {
  if (!got) throw std::runtime_error(got.error().text());
  return std::move(*got);
}

}  // namespace

prepared_data make_data(std::vector<double> x, std::vector<double> y) {
  std::vector<std::string> names;
  for (std::size_t j = 0; j < x.size() / y.size(); ++j) {
    names.emplace_back(1, static_cast<char>('a' + j));
  }
  return spread(std::move(names), "y", std::move(x), std::move(y));
}

prepared_data import_data(const std::string& file, const std::string& target,
                          const std::vector<std::string>& excluded) {
  const auto text = demand(read_text_file(std::string(BERTH_TEST_DATA "/") + file));
  const auto dialect = guess_dialect(text);
  const auto facts = demand(scan_table(text, dialect, excluded));
  auto plan = demand(plan_encoding(facts, {target, true, 100}));
  auto table = demand(encode_table(text, dialect, facts, plan));
  return spread(std::move(plan.names), target, std::move(table.x), std::move(table.y));
}

}  // namespace berth::apps
