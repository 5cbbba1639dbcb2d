#include "import/table_scan.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/text.hpp"
#include "import/number.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t progress_step = std::int64_t{1} << 20;

class row_scanner {
 public:
  row_scanner(const std::vector<table_column>& columns, const table_rules& rules)
      : columns_(columns), rules_(rules), marks_(rules), values_(columns.size()) {
    facts_.columns.resize(columns.size());
    const bool means =
        rules.missing == missing_policy::mean || rules.missing == missing_policy::indicator;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const bool number = columns[j].kind == column_kind::number;
      const bool weights = columns[j].role == column_role::weights;
      if (number && (weights || !rules.trust_numbers)) numbers_.push_back(j);
      if (columns[j].kind == column_kind::category) categories_.push_back(j);
      if (columns[j].kind == column_kind::skipped) continue;
      if (!number || means || weights) noted_.push_back(j);
    }
  }

  bool add(const std::vector<std::string_view>& fields, std::int64_t line) {
    line_ = line;
    if (fields.size() != columns_.size()) return wrong_width(fields.size());
    ++facts_.rows;
    odd_.clear();
    bool kept = true;
    for (const std::size_t j : numbers_) {
      const auto number = parse_number(fields[j]);
      values_[j] = number && !marks_.contain(*number) ? *number : NAN;
      if (!std::isfinite(values_[j])) odd_.push_back(j);
    }
    for (const std::size_t j : categories_) {
      if (is_missing(fields[j], rules_)) odd_.push_back(j);
    }
    for (const std::size_t j : odd_) kept = note_odd(j, fields[j]) && kept;
    if (fault) return false;
    if (!kept) return true;
    ++facts_.kept;
    if (!odd_.empty() && !note_texts(fields)) return false;
    for (const std::size_t j : noted_) {
      if (!note_value(j, fields[j])) return false;
    }
    return true;
  }

  table_facts take() { return std::move(facts_); }
  std::optional<text_fault> fault;

 private:
  bool stop(std::string what) {
    fault = text_fault{line_, std::move(what)};
    return false;
  }

  bool wrong_width(std::size_t got) {
    return stop(fmt::format("has {}, but there are {} columns",
                            counted(static_cast<long long>(got), "field", "fields"),
                            columns_.size()));
  }

  // Whether the row is kept although this value is missing or no finite number.
  bool note_odd(std::size_t j, std::string_view field) {
    const auto& column = columns_[j];
    const bool is_nan = column.kind == column_kind::number && std::isnan(values_[j]) &&
                        parse_number(field).has_value();
    if (is_nan || is_missing(field, rules_)) {
      ++facts_.columns[j].missing;
      return !drops_rows(column, rules_);
    }
    if (std::isinf(values_[j])) {
      stop(fmt::format(
          "column \"{1}\" has the infinite value \"{0}\"; --na {0} makes it a missing one", field,
          column.name));
    }
    return true;
  }

  // Texts in columns of numbers, of a row that is kept.
  bool note_texts(const std::vector<std::string_view>& fields) {
    for (const std::size_t j : odd_) {
      const auto& column = columns_[j];
      const auto field = fields[j];
      if (column.kind != column_kind::number || is_missing(field, rules_) ||
          parse_number(field).has_value()) {
        continue;
      }
      if (column.fixed) {
        return stop(fmt::format(
            "column \"{}\" has \"{}\", which is no number; give the column another type, or name "
            "this mark of missing values with --na",
            column.name, field));
      }
      auto& first = facts_.columns[j].first_text;
      if (!first) first = found_text{line_, std::string(field)};
    }
    return true;
  }

  bool note_value(std::size_t j, std::string_view field) {
    auto& facts = facts_.columns[j];
    const auto& column = columns_[j];
    if (column.kind == column_kind::text) {
      facts.words.add(field, column.words);
      ++facts.values;
      return !facts.words.too_many() ||
             stop(fmt::format("column \"{}\" has more than {} different words; use --text {}=hash",
                              column.name, grouped(word_counts::most_words), column.name));
    }
    if (column.kind == column_kind::category) {
      if (!is_missing(field, rules_)) note_level(facts, field);
      return true;
    }
    if (std::isnan(values_[j])) return true;
    if (column.role == column_role::weights && values_[j] < 0) {
      return stop(fmt::format("weight \"{}\" is negative", field));
    }
    facts.sum.add(values_[j]);
    ++facts.values;
    return true;
  }

  void note_level(column_facts& facts, std::string_view field) {
    ++facts.values;
    if (!facts.first_text && !parse_number(field)) {
      facts.first_text = found_text{line_, std::string(field)};
    }
    const auto at = facts.levels.find(field);
    if (at != facts.levels.end()) {
      ++at->second;
    } else if (facts.levels.size() <= rules_.max_levels) {
      facts.levels.emplace(field, 1);
    }
  }

  const std::vector<table_column>& columns_;
  const table_rules& rules_;
  number_marks marks_;
  table_facts facts_;
  std::vector<double> values_;
  std::vector<std::size_t> odd_;         // columns of this row
  std::vector<std::size_t> numbers_;     // columns that are parsed,
  std::vector<std::size_t> categories_;  // looked at for missing values,
  std::vector<std::size_t> noted_;       // and of which more is wanted
  std::int64_t line_ = 0;
};

}  // namespace

part_facts scan_part(const source_file& source, csv_dialect dialect, table_part part,
                     const std::vector<table_column>& columns, const table_rules& rules,
                     const progress_callback& progress) {
  csv_stream stream(source, dialect, part.begin);
  row_scanner scanner(columns, rules);
  std::vector<std::string_view> fields;
  std::int64_t told = part.begin;
  while (stream.offset() < part.limit && stream.next(fields)) {
    if (!scanner.add(fields, stream.record_line())) break;
    if (stream.offset() - told >= progress_step) {
      progress(stream.offset() - told);
      told = stream.offset();
    }
  }
  progress(stream.offset() - told);
  part_facts done;
  done.table = scanner.take();
  done.end = std::max(part.begin, stream.offset());
  done.lines = stream.lines();
  done.fault = scanner.fault ? scanner.fault : stream.fault();
  return done;
}

}  // namespace berth::apps
