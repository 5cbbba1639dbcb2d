#include "dataset/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.hpp"

namespace berth::apps {

namespace {

result<void> check_missing(const table_facts& table, const encoding_request& request) {
  std::string list;
  for (const auto& column : table.columns) {
    if (column.missing == 0) continue;
    list +=
        fmt::format("{}{} in column \"{}\"", list.empty() ? "" : ", ", column.missing, column.name);
  }
  if (!list.empty() && !request.drop_missing) {
    return fail(fmt::format("missing values: {}; leave those rows out with --missing drop", list));
  }
  if (table.complete_rows > 0) return {};
  return fail(table.rows == 0
                  ? std::string("has a header but no rows")
                  : fmt::format("every row has a missing value ({}); leave columns out with "
                                "--exclude",
                                list));
}

result<void> check_levels(const column_facts& column, std::size_t max_levels) {
  if (column.numeric || column.levels.size() <= max_levels) return {};
  return fail(
      fmt::format("column \"{}\" is text with more than {} different values (line {} has "
                  "\"{}\"); leave it out with --exclude {}, or allow more with --max-levels",
                  column.name, max_levels, column.first_text_line, column.first_text, column.name));
}

result<void> plan_target(const table_facts& table, const std::string& name, encoding& plan) {
  const auto* column = table.find(name);
  if (column == nullptr || !column->used) {
    std::vector<std::string> names;
    for (const auto& each : table.columns) {
      if (each.used) names.push_back(each.name);
    }
    return fail(fmt::format("has no column \"{}\" for the target; it has {}", name,
                            quoted_list(names, 30)));
  }
  plan.target = static_cast<std::size_t>(column - table.columns.data());
  plan.target_name = name;
  if (column->numeric) return {};
  if (column->levels.size() != 2) {
    return fail(fmt::format(
        "target \"{}\" is text with {}{}; it must be numeric or have two", name,
        counted(std::ssize(column->levels), "value", "values"),
        column->numeric
            ? ""
            : fmt::format(" (line {} has \"{}\")", column->first_text_line, column->first_text)));
  }
  for (const auto& [level, count] : column->levels) plan.target_levels.push_back(level);
  return {};
}

void plan_text_column(const column_facts& column, std::size_t index, encoding& plan) {
  if (column.levels.size() == 1) {
    plan.single.push_back(column.name);
    return;
  }
  bool reference = true;
  for (const auto& [level, count] : column.levels) {
    const auto name = fmt::format("{}={}", column.name, level);
    if (reference) {
      plan.references.push_back(name);
    } else {
      plan.names.push_back(name);
      plan.features.push_back({index, level});
    }
    reference = false;
  }
}

double encoded(const feature_plan& feature, const std::vector<std::string>& fields) {
  const auto& field = fields[feature.column];
  return feature.level ? (field == *feature.level ? 1.0 : 0.0) : parse_number(field).value_or(0);
}

}  // namespace

result<encoding> plan_encoding(const table_facts& table, const encoding_request& request) {
  encoding plan;
  if (auto ok = plan_target(table, request.target, plan); !ok && table.complete_rows > 0) {
    return pass(std::move(ok));
  }
  if (auto ok = check_missing(table, request); !ok) return pass(std::move(ok));
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    const auto& column = table.columns[j];
    if (!column.used) continue;
    plan.used.push_back(j);
    if (j == plan.target) continue;
    if (auto ok = check_levels(column, request.max_levels); !ok) return pass(std::move(ok));
    if (!column.numeric) {
      plan_text_column(column, j, plan);
    } else {
      plan.names.push_back(column.name);
      plan.features.push_back({j, std::nullopt});
    }
  }
  if (plan.features.empty()) {
    return fail(fmt::format("no feature is left beside the target \"{}\"", plan.target_name));
  }
  return plan;
}

result<encoded_table> encode_table(std::string_view text, csv_dialect dialect,
                                   const table_facts& table, const encoding& plan) {
  const feature_plan target{plan.target, plan.target_levels.empty()
                                             ? std::nullopt
                                             : std::optional(plan.target_levels.back())};
  encoded_table out;
  out.x.reserve(static_cast<std::size_t>(table.complete_rows) * plan.features.size());
  out.y.reserve(static_cast<std::size_t>(table.complete_rows));
  csv_reader reader(text, dialect);
  std::vector<std::string> fields;
  for (bool header = true;; header = false) {
    auto more = reader.next(fields);
    if (!more) return pass(std::move(more));
    if (!*more) break;
    const bool incomplete = std::ranges::any_of(
        plan.used, [&](std::size_t column) { return is_missing(fields[column]); });
    if (header || incomplete) continue;
    for (const auto& feature : plan.features) out.x.push_back(encoded(feature, fields));
    out.y.push_back(encoded(target, fields));
  }
  return out;
}

}  // namespace berth::apps
