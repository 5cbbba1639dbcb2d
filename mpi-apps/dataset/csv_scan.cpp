#include "dataset/csv_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/text.hpp"

namespace berth::apps {

namespace {

// A text column of more levels than this is refused later anyway; counting them all would hold the
// file in memory twice.
constexpr std::size_t levels_counted = 10'000;

std::vector<std::string> names_of(const table_facts& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) names.push_back(column.name);
  return names;
}

result<table_facts> read_header(csv_reader& reader, const std::vector<std::string>& excluded) {
  std::vector<std::string> header;
  auto found = reader.next(header);
  if (!found) return pass(std::move(found));
  if (!*found) return fail("is empty; the first line must name the columns");
  table_facts table;
  for (std::size_t j = 0; j < header.size(); ++j) {
    // write.csv of R leaves the column of row names without a name.
    const auto name = header[j].empty() ? fmt::format("column{}", j + 1) : header[j];
    if (table.find(name) != nullptr) return fail(fmt::format("two columns are named \"{}\"", name));
    column_facts column;
    column.name = name;
    column.used = std::ranges::find(excluded, name) == excluded.end();
    table.columns.push_back(std::move(column));
  }
  for (const auto& name : excluded) {
    if (table.find(name) == nullptr) {
      return fail(fmt::format("has no column \"{}\" to exclude; it has {}", name,
                              quoted_list(names_of(table), 30)));
    }
  }
  return table;
}

void note_value(column_facts& column, const std::string& field, std::size_t line) {
  if (column.levels.size() < levels_counted) ++column.levels[field];
  if (!column.numeric || parse_number(field)) return;
  column.numeric = false;
  column.first_text = field;
  column.first_text_line = line;
}

result<void> note_row(table_facts& table, const std::vector<std::string>& fields,
                      std::size_t line) {
  if (fields.size() != table.columns.size()) {
    return fail(fmt::format("line {} has {}, the header has {}", line,
                            counted(std::ssize(fields), "field", "fields"), table.columns.size()));
  }
  ++table.rows;
  bool complete = true;
  for (std::size_t j = 0; j < fields.size(); ++j) {
    auto& column = table.columns[j];
    if (!column.used || !is_missing(fields[j])) continue;
    ++column.missing;
    complete = false;
  }
  if (!complete) return {};
  ++table.complete_rows;
  for (std::size_t j = 0; j < fields.size(); ++j) {
    auto& column = table.columns[j];
    if (!column.used) continue;
    const auto number = parse_number(fields[j]);
    if (number && !std::isfinite(*number)) {
      return fail(fmt::format("line {}: column \"{}\" has the infinite value \"{}\"", line,
                              column.name, fields[j]));
    }
    note_value(column, fields[j], line);
  }
  return {};
}

}  // namespace

const column_facts* table_facts::find(std::string_view name) const {
  const auto at = std::ranges::find(columns, name, &column_facts::name);
  return at == columns.end() ? nullptr : &*at;
}

bool is_missing(std::string_view field) {
  constexpr std::string_view marks[] = {"", "NA", "NaN", "nan", "?"};
  return std::ranges::find(marks, field) != std::end(marks);
}

std::optional<double> parse_number(std::string_view field) {
  if (field.starts_with('+') && !field.starts_with("+-")) field.remove_prefix(1);
  double value = 0;
  const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
  const bool whole = end == field.data() + field.size() && !field.empty();
  if (!whole || (code != std::errc() && code != std::errc::result_out_of_range)) {
    return std::nullopt;
  }
  // 1e400 and 1e-400: as strtod reads them, infinite and (nearly) zero.
  return code == std::errc() ? value : std::strtod(std::string(field).c_str(), nullptr);
}

result<table_facts> scan_table(std::string_view text, csv_dialect dialect,
                               const std::vector<std::string>& excluded) {
  csv_reader reader(text, dialect);
  auto table = read_header(reader, excluded);
  if (!table) return table;
  std::vector<std::string> fields;
  while (true) {
    auto more = reader.next(fields);
    if (!more) return pass(std::move(more));
    if (!*more) break;
    if (auto ok = note_row(*table, fields, reader.line()); !ok) return pass(std::move(ok));
  }
  return table;
}

}  // namespace berth::apps
