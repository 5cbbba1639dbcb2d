#include "dataset/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "data/panels.hpp"
#include "dataset/csv_rows.hpp"

namespace berth::apps {

namespace {

constexpr int digits = 6;
constexpr std::size_t gap = 2;

// One column of the table, aligned to the right as numbers are.
struct text_column {
  std::vector<std::string> cells;  // the first is the name
  [[nodiscard]] std::size_t width() const {
    return std::ranges::max(cells, std::ranges::less(), &std::string::size).size();
  }
};

text_column feature_column(const dataset& data, const row_block& rows, std::int64_t j) {
  text_column column{{data.info.names[static_cast<std::size_t>(j)]}};
  for (std::int64_t i = 0; i < rows.range.count; ++i) {
    column.cells.push_back(significant(rows.row(i)[static_cast<std::size_t>(j)], digits));
  }
  return column;
}

std::string target_text(const dataset& data, double value) {
  if (data.info.levels.empty()) return significant(value, digits);
  std::string text;
  append_target(text, data, value);
  return text;
}

// The targets, then the weights.
std::vector<text_column> other_columns_of(const dataset& data, const row_block& rows) {
  std::vector<text_column> columns;
  for (auto& name : other_columns(data)) columns.push_back({{std::move(name)}});
  const auto targets = static_cast<std::size_t>(data.targets());
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.range.count); ++i) {
    for (std::size_t k = 0; k < targets; ++k) {
      columns[k].cells.push_back(target_text(data, rows.y[i * targets + k]));
    }
    if (!rows.weights.empty()) {
      columns[targets].cells.push_back(significant(rows.weights[i], digits));
    }
  }
  return columns;
}

}  // namespace

result<row_block> read_head(const dataset& data, std::int64_t rows) {
  const row_range range{0, std::min(rows, data.info.rows)};
  panel_options options;
  options.statistics = false;
  auto stream = panel_stream<double>::open(data, range, options);
  if (!stream) return pass(std::move(stream));
  row_block block{range, data.info.features, {}, {}, {}};
  for (;;) {
    auto part = stream->next();
    if (!part) return pass(std::move(part));
    if (*part == nullptr) return block;
    const auto& some = **part;
    block.x.insert(block.x.end(), some.x.begin(), some.x.end());
    block.y.insert(block.y.end(), some.y.begin(), some.y.end());
    block.weights.insert(block.weights.end(), some.weights.begin(), some.weights.end());
  }
}

std::string head_text(const dataset& data, const row_block& rows, std::size_t width) {
  auto columns = other_columns_of(data, rows);
  std::size_t used = 0;
  for (const auto& column : columns) used += column.width() + gap;
  std::int64_t shown = 0;
  for (; shown < data.info.features; ++shown) {
    auto column = feature_column(data, rows, shown);
    used += column.width() + gap;
    if (used > width && shown > 0) break;
    columns.push_back(std::move(column));
  }
  std::string text;
  for (std::size_t line = 0; line <= static_cast<std::size_t>(rows.range.count); ++line) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      text += fmt::format("{:{}}{:>{}}", "", k == 0 ? 0 : gap, columns[k].cells[line],
                          columns[k].width());
    }
    text += '\n';
  }
  if (shown < data.info.features) {
    text += fmt::format("and {}; --csv prints all\n",
                        counted(data.info.features - shown, "more feature", "more features"));
  }
  return text;
}

std::string head_json(const dataset& data, const row_block& rows) {
  using json = nlohmann::ordered_json;
  const auto number = [](double value) { return std::isfinite(value) ? json(value) : json(); };
  const auto targets = static_cast<std::size_t>(data.targets());
  const auto others = other_columns(data);
  json list = json::array();
  for (std::int64_t i = 0; i < rows.range.count; ++i) {
    json row = json::object();
    const auto at = static_cast<std::size_t>(i);
    const auto x = rows.row(i);
    for (std::size_t j = 0; j < x.size(); ++j) row[data.info.names[j]] = number(x[j]);
    for (std::size_t k = 0; k < targets; ++k) {
      const double value = rows.y[at * targets + k];
      row[others[k]] = data.info.levels.empty() ? number(value) : json(target_text(data, value));
    }
    if (!rows.weights.empty()) row[others.back()] = number(rows.weights[at]);
    list.push_back(std::move(row));
  }
  const json out{{"program", "dataset"},
                 {"version", version()},
                 {"path", data.info.path},
                 {"rows", data.info.rows},
                 {"head", std::move(list)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
