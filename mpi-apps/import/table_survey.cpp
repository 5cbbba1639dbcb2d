#include "import/table_survey.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.hpp"
#include "import/number.hpp"
#include "import/table_merge.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t head_bytes = std::size_t{1} << 16;
constexpr int sampled_rows = 1000;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

using columns_type = std::vector<table_column>;

std::vector<std::string> names_of(const columns_type& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

table_column* find(columns_type& columns, std::string_view name) {
  const auto at = std::ranges::find(columns, name, &table_column::name);
  return at == columns.end() ? nullptr : &*at;
}

result<table_column*> demand(columns_type& columns, const std::string& name, const char* purpose) {
  if (auto* column = find(columns, name)) return column;
  return fail(fmt::format("has no column \"{}\" {}; it has {}", name, purpose,
                          quoted_list(names_of(columns), 30)));
}

failure contradiction(const std::string& name, const char* one, const char* other) {
  return fail(fmt::format("column \"{}\" cannot be both {} and {}", name, one, other));
}

result<columns_type> name_columns(const std::vector<std::string_view>& first, bool header) {
  columns_type columns;
  for (std::size_t j = 0; j < first.size(); ++j) {
    table_column column;
    // write.csv of R leaves the column of row names without a name.
    const bool named = header && !first[j].empty();
    column.name = named ? std::string(first[j]) : fmt::format("column{}", j + 1);
    if (find(columns, column.name) != nullptr) {
      return fail(fmt::format("two columns are named \"{}\"{}", column.name,
                              header ? "; if the first line is data, add --no-header" : ""));
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

result<void> apply_kinds(columns_type& columns, const column_requests& wanted) {
  for (const auto& [name, kind] : wanted.kinds) {
    auto column = demand(columns, name, "to give a type");
    if (!column) return pass(std::move(column));
    (*column)->kind = kind;
    (*column)->fixed = true;
  }
  for (const auto& [name, words] : wanted.texts) {
    auto column = demand(columns, name, "to make words of");
    if (!column) return pass(std::move(column));
    if ((*column)->fixed && (*column)->kind != column_kind::text) {
      return contradiction(name, "text", kind_name((*column)->kind));
    }
    (*column)->kind = column_kind::text;
    (*column)->fixed = true;
    (*column)->words = words;
  }
  for (const auto& name : wanted.excluded) {
    auto column = demand(columns, name, "to exclude");
    if (!column) return pass(std::move(column));
    (*column)->kind = column_kind::skipped;
    (*column)->fixed = true;
  }
  for (auto& column : columns) column.words.tf_idf = wanted.tf_idf;
  return {};
}

result<void> apply_role(columns_type& columns, const std::vector<std::string>& names,
                        column_role role) {
  const char* const what = role == column_role::target ? "target" : "weights";
  const auto purpose = fmt::format("for the {}", what);
  for (const auto& name : names) {
    auto column = demand(columns, name, purpose.c_str());
    if (!column) {
      return failure(
          std::move(column).error().with_hint("if the first line is data, add --no-header: the "
                                              "columns are then column1, column2, ..."));
    }
    auto& found = **column;
    if (found.role != column_role::feature) return contradiction(name, "target", "weights");
    if (found.kind == column_kind::skipped) return contradiction(name, what, "left out");
    if (found.kind == column_kind::text) return contradiction(name, what, "words");
    found.role = role;
    if (role == column_role::weights) found.fixed = true;
  }
  return {};
}

result<void> apply_references(columns_type& columns, const column_requests& wanted) {
  for (const auto& [name, level] : wanted.references) {
    auto column = demand(columns, name, "to choose the reference level of");
    if (!column) return pass(std::move(column));
    auto& found = **column;
    if (found.fixed && found.kind != column_kind::category) {
      return contradiction(name, "of levels", kind_name(found.kind));
    }
    found.kind = column_kind::category;
    found.fixed = true;
  }
  return {};
}

// One text among the first rows shows a column of categories; others show it in the first pass.
void guess_kinds(columns_type& columns, csv_stream& stream, const table_rules& rules) {
  std::vector<std::string_view> fields;
  for (int row = 0; row < sampled_rows && stream.next(fields); ++row) {
    if (fields.size() != columns.size()) return;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      auto& column = columns[j];
      if (column.fixed || is_missing(fields[j], rules) || parse_number(fields[j])) continue;
      column.kind = column_kind::category;
    }
  }
}

// Whether a column of numbers turned out to be one of categories.
bool learn_kinds(columns_type& columns, const table_facts& facts) {
  bool learned = false;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (columns[j].kind != column_kind::number || !facts.columns[j].first_text) continue;
    columns[j].kind = column_kind::category;
    learned = true;
  }
  return learned;
}

}  // namespace

result<void> apply_requests(columns_type& columns, const column_requests& wanted) {
  auto ok = apply_kinds(columns, wanted);
  if (ok) ok = apply_role(columns, wanted.targets, column_role::target);
  if (ok) ok = apply_role(columns, wanted.weights, column_role::weights);
  if (ok) ok = apply_references(columns, wanted);
  return ok;
}

result<table_head> read_head(const source_file& source, const table_options& options) {
  auto text = source.head(head_bytes);
  if (!text) return pass(std::move(text));
  const std::int64_t begin =
      text->starts_with(byte_order_mark) ? std::ssize(byte_order_mark) : std::int64_t{0};
  table_head head;
  head.dialect = guess_dialect(std::string_view(*text).substr(static_cast<std::size_t>(begin)));
  head.dialect.delimiter = options.delimiter.value_or(head.dialect.delimiter);
  head.dialect.quote = options.quote.value_or(head.dialect.quote);
  csv_stream stream(source, head.dialect, begin);
  std::vector<std::string_view> fields;
  const auto context = fmt::format("\"{}\"", source.path());
  if (!stream.next(fields)) {
    if (stream.fault()) return failure(fault_error(source, *stream.fault(), 1));
    return fail(fmt::format("{}: is empty{}", context,
                            options.header ? "; the first line must name the columns" : ""));
  }
  head.data_begin = options.header ? stream.offset() : begin;
  head.data_line = options.header ? 1 + stream.lines() : 1;
  auto columns = name_columns(fields, options.header);
  if (!columns) return pass(std::move(columns), context);
  head.columns = std::move(*columns);
  if (auto ok = apply_requests(head.columns, options.columns); !ok) {
    return pass(std::move(ok), context);
  }
  guess_kinds(head.columns, stream, options.rules);
  return head;
}

result<table_survey> survey_table(const communicator& comm, part_range range,
                                  const source_file& source, table_head head,
                                  const table_rules& rules, const progress_callback& progress) {
  for (;;) {
    auto scan = scan_parts(comm, range, source, head, rules, progress);
    if (!scan) return pass(std::move(scan));
    auto facts = merge_parts(comm, range, head.columns, rules, *scan);
    if (learn_kinds(head.columns, facts)) continue;
    return table_survey{std::move(head), std::move(facts), std::move(scan->places)};
  }
}

}  // namespace berth::apps
