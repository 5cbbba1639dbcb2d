#include "import/matrix_survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "import/table_merge.hpp"

namespace berth::apps {

namespace {

using texts = std::vector<std::string>;

texts target_names(const dataset& data) {
  if (data.targets() == 1) return {data.info.target};
  texts names;
  for (std::int64_t k = 1; k <= data.targets(); ++k) {
    names.push_back(fmt::format("{}{}", data.info.target, k));
  }
  return names;
}

// Takes the reference of the target, if there is one, out of what is wanted.
std::optional<std::string> take_reference(column_requests& wanted, const std::string& target) {
  const auto at =
      std::ranges::find(wanted.references, target, &std::pair<std::string, std::string>::first);
  if (at == wanted.references.end()) return std::nullopt;
  auto level = std::move(at->second);
  wanted.references.erase(at);
  return level;
}

result<void> order_classes(const table_rules& rules, matrix_table& table) {
  const auto& info = table.data->info;
  if (info.levels.empty() || table.targets.size() != 1) return {};
  for (const auto& level : info.levels) {
    if (!is_missing(level, rules)) table.classes.push_back(level);
  }
  if (const auto reference = take_reference(table.wanted, info.target)) {
    const auto at = std::ranges::find(table.classes, *reference);
    if (at == table.classes.end()) {
      return fail(fmt::format("target \"{}\" has no level \"{}\" for the reference; it has {}",
                              info.target, *reference, quoted_list(table.classes, 30)));
    }
    std::rotate(table.classes.begin(), at, at + 1);
  }
  if (table.classes.size() < 2) {
    return fail(fmt::format("target \"{}\" has the classes {}; it needs at least two", info.target,
                            quoted_list(info.levels)));
  }
  for (const auto& level : info.levels) {
    const auto at = std::ranges::find(table.classes, level);
    table.codes.push_back(at == table.classes.end()
                              ? std::numeric_limits<double>::quiet_NaN()
                              : static_cast<double>(at - table.classes.begin()));
  }
  return {};
}

class matrix_scanner {
 public:
  matrix_scanner(const matrix_table& table, const table_rules& rules)
      : table_(table),
        columns_(table.head.columns),
        judge_(columns_, rules),
        sums_(rules.missing == missing_policy::mean || rules.missing == missing_policy::indicator),
        values_(columns_.size()),
        levels_(columns_.size()),
        most_levels_(rules.max_levels) {
    facts_.columns.resize(columns_.size());
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      const bool category = columns_[j].kind == column_kind::category;
      const bool summed = sums_ && columns_[j].kind == column_kind::number &&
                          columns_[j].role == column_role::feature;
      noted_ = noted_ || category || summed;
    }
  }

  result<void> add(const matrix_row& row) {
    ++facts_.rows;
    const auto verdict = judge_.judge(row, [&](std::size_t j) { ++facts_.columns[j].missing; });
    if (verdict == matrix_judge::verdict::infinite) {
      return fault(row, fmt::format("column \"{}\" has an infinite value; --na inf --na=-inf makes "
                                    "those missing ones",
                                    judge_.column().name));
    }
    if (verdict == matrix_judge::verdict::left_out) return {};
    ++facts_.kept;
    if (row.weight && *row.weight < 0) {
      return fault(row, fmt::format("weight {} is negative", *row.weight));
    }
    if (noted_) note(row);
    return {};
  }

  table_facts take() {
    for (std::size_t j = 0; j < columns_.size(); ++j) finish(j);
    return std::move(facts_);
  }

 private:
  result<void> fault(const matrix_row& row, const std::string& what) const {
    return fail(fmt::format("\"{}\": row {}: {}", table_.data->info.path, row.number + 1, what));
  }

  void note(const matrix_row& row) {
    for (std::size_t k = 0; k < row.values.size(); ++k) {
      note_value(row.sparse ? static_cast<std::size_t>(row.columns[k]) : k, row.values[k]);
    }
    for (std::size_t k = 0; k < row.y.size(); ++k) {
      note_value(static_cast<std::size_t>(table_.data->info.features) + k, row.y[k]);
    }
  }

  void note_value(std::size_t j, double value) {
    const auto kind = columns_[j].kind;
    if (kind == column_kind::skipped) return;
    ++values_[j];  // in sparse rows the others are zeros
    if (judge_.is_missing(value)) return;
    auto& facts = facts_.columns[j];
    ++facts.values;
    if (kind == column_kind::number) {
      if (sums_) facts.sum.add(value);
      return;
    }
    add_level(j, value, 1);
  }

  void add_level(std::size_t j, double value, std::int64_t count) {
    auto& levels = levels_[j];
    const auto at = levels.find(value);
    if (at != levels.end()) {
      at->second += count;
    } else if (levels.size() <= most_levels_) {
      levels.emplace(value, count);
    }
  }

  void finish(std::size_t j) {
    const bool feature = columns_[j].role == column_role::feature;
    if (!noted_ || columns_[j].kind == column_kind::skipped) return;
    const auto zeros = feature ? facts_.kept - values_[j] : 0;
    facts_.columns[j].values += zeros;
    if (columns_[j].kind != column_kind::category) return;
    if (zeros > 0) add_level(j, 0, zeros);
    for (const auto& [value, count] : levels_[j]) {
      std::array<char, 32> text;
      const auto end = std::to_chars(text.data(), text.data() + text.size(), value + 0.0).ptr;
      facts_.columns[j].levels.emplace(std::string(text.data(), end), count);
    }
  }

  const matrix_table& table_;
  const std::vector<table_column>& columns_;
  matrix_judge judge_;
  bool sums_;
  bool noted_ = false;  // more is wanted of the values than whether they are missing
  table_facts facts_;
  std::vector<std::int64_t> values_;  // of each column in kept rows, stored ones of sparse rows
  std::vector<std::unordered_map<double, std::int64_t>> levels_;
  std::size_t most_levels_;
};

}  // namespace

result<matrix_table> table_of(const dataset& data, const table_options& options) {
  matrix_table table;
  table.data = &data;
  table.targets = target_names(data);
  table.wanted = options.columns;
  table.wanted.targets.clear();  // paths, which were found
  table.wanted.weights.clear();
  const auto context = fmt::format("\"{}\"", data.info.path);
  if (auto ok = order_classes(options.rules, table); !ok) return pass(std::move(ok), context);
  auto& columns = table.head.columns;
  const auto add = [&columns](const std::string& name, column_role role) {
    columns.emplace_back().name = name;
    columns.back().role = role;
  };
  for (const auto& name : data.info.names) add(name, column_role::feature);
  for (const auto& name : table.targets) add(name, column_role::target);
  if (auto ok = apply_requests(columns, table.wanted); !ok) return pass(std::move(ok), context);
  for (const auto& column : columns) {
    if (column.role == column_role::target && column.kind == column_kind::skipped) {
      return fail(fmt::format("{}: column \"{}\" cannot be both target and left out", context,
                              column.name));
    }
  }
  if (data.weights) {
    const auto& path = data.weights->path;
    add(path.substr(path.find_last_of('/') + 1), column_role::weights);
  }
  table.wanted.targets = table.targets;
  return table;
}

result<matrix_facts> survey_matrix(const communicator& comm, const matrix_table& table,
                                   const table_rules& rules, row_range range,
                                   const matrix_reading& how,
                                   const std::function<void(std::int64_t rows)>& progress) {
  matrix_scanner scanner(table, rules);
  auto ok = for_each_row(*table.data, range, table.codes, how, progress,
                         [&](const matrix_row& row) { return scanner.add(row); });
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  parts_scan scan;
  scan.places.resize(static_cast<std::size_t>(comm.size()));
  scan.mine.resize(1);
  scan.mine[0].table = scanner.take();
  matrix_facts found;
  found.kept_here = scan.mine[0].table.kept;
  found.facts = merge_parts(comm, parts_of(comm, 1), table.head.columns, rules, scan);
  return found;
}

}  // namespace berth::apps
