#include "import/row_encoder.hpp"

#include <algorithm>
#include <cmath>

#include "import/number.hpp"

namespace berth::apps {

void encoded_rows::clear() {
  rows = 0;
  x.clear();
  starts.assign(1, 0);
  columns.clear();
  values.clear();
  y.clear();
  weights.clear();
}

row_encoder::row_encoder(const table_encoding& plan, const table_rules& rules,
                         const std::vector<table_column>& columns)
    : plan_(plan), rules_(rules), marks_(rules), width_(columns.size()) {
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const auto kind = columns[j].kind;
    if (kind == column_kind::text || kind == column_kind::skipped) continue;
    if (!drops_rows(columns[j], rules)) continue;
    const dropping_column dropping{j, kind == column_kind::number};
    dropping_.push_back(dropping);
    const bool planned =
        std::ranges::find(plan.columns, j, &column_plan::column) != plan.columns.end();
    if (!planned) unplanned_.push_back(dropping);
  }
}

bool row_encoder::any_missing(const dropping_columns& among,
                              const std::vector<std::string_view>& fields) const {
  return std::ranges::any_of(among, [&](const dropping_column& each) {
    const auto field = fields[each.at];
    if (is_missing(field, rules_)) return true;
    if (!each.number) return false;
    const auto number = parse_number(field);
    return number && (std::isnan(*number) || marks_.contain(*number));
  });
}

// Values that encode are there; the others are looked at when a row does not.
bool row_encoder::add(const std::vector<std::string_view>& fields, encoded_rows& out) {
  if (fields.size() != width_) return false;
  if (!unplanned_.empty() && any_missing(unplanned_, fields)) return true;
  const auto features = plan_.names.size();
  const auto before_y = out.y.size();
  const auto before_weights = out.weights.size();
  bool good = false;
  if (out.sparse) {
    const auto before = out.columns.size();
    good = encode(fields, out, [&out](std::int64_t feature, double value) {
      if (value == 0) return;
      out.columns.push_back(feature);
      out.values.push_back(value);
    });
    if (!good) out.columns.resize(before);
    if (!good) out.values.resize(before);
    if (good) out.starts.push_back(std::ssize(out.columns));
  } else {
    const auto before = out.x.size();
    out.x.resize(before + features);
    double* const row = out.x.data() + before;
    good = encode(fields, out, [row](std::int64_t feature, double value) { row[feature] = value; });
    if (!good) out.x.resize(before);
  }
  if (good) {
    ++out.rows;
    return true;
  }
  out.y.resize(before_y);
  out.weights.resize(before_weights);
  return any_missing(dropping_, fields);
}

template <class Put>
bool row_encoder::encode(const std::vector<std::string_view>& fields, encoded_rows& out,
                         Put&& put) {
  const auto y = out.y.size();
  out.y.resize(y + plan_.targets.size());
  for (const auto& column : plan_.columns) {
    const auto field = fields[column.column];
    bool good = true;
    if (column.role == column_role::feature) {
      good = encode_feature(column, field, put);
    } else {
      double value = 0;
      good = encode_feature(column, field, [&value](std::int64_t, double found) { value = found; });
      if (column.role == column_role::weights) {
        out.weights.push_back(value);
      } else {
        out.y[y + static_cast<std::size_t>(column.first)] = value;
      }
    }
    if (!good) return false;
  }
  return true;
}

template <class Put>
bool row_encoder::encode_feature(const column_plan& column, std::string_view field, Put&& put) {
  if (column.kind == column_kind::text) {
    encode_words(column, field, put);
    return true;
  }
  if (column.kind == column_kind::number) {
    const auto number = parse_number(field);
    if (number && std::isfinite(*number) && !marks_.contain(*number)) {
      put(column.first, *number);
      return true;
    }
  } else if (!is_missing(field, rules_)) {
    const auto code = column.codes.find(field);
    if (code == column.codes.end()) return false;
    if (column.role == column_role::target) {
      put(0, static_cast<double>(code->second));
    } else if (code->second > 0) {
      put(column.first + code->second - 1, 1.0);
    }
    return true;
  }
  const bool replaced = !column.means.empty() || column.mark >= 0;
  if (!replaced ||
      (column.kind == column_kind::number && !is_missing(field, rules_) && !parse_number(field))) {
    return false;
  }
  for (std::size_t k = 0; k < column.means.size(); ++k) {
    put(column.first + static_cast<std::int64_t>(k), column.means[k]);
  }
  if (column.mark >= 0) put(column.mark, 1.0);
  return true;
}

template <class Put>
void row_encoder::encode_words(const column_plan& column, std::string_view field, Put&& put) {
  words_.clear();
  for_each_word(field, scratch_, [&](std::string_view word) {
    if (column.words.mode == word_mode::hash) {
      words_.emplace_back(static_cast<std::int64_t>(word_bucket(word, column.words.bits)), 1.0);
      return;
    }
    const auto at = column.vocabulary.find(word);
    if (at != column.vocabulary.end()) words_.emplace_back(at->second, 1.0);
  });
  std::ranges::sort(words_);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (kept > 0 && words_[kept - 1].first == words_[i].first) {
      words_[kept - 1].second += 1;
    } else {
      words_[kept++] = words_[i];
    }
  }
  words_.resize(kept);
  double squares = 0;
  if (!column.idf.empty()) {
    for (auto& [feature, value] : words_) {
      value *= column.idf[static_cast<std::size_t>(feature)];
      squares += value * value;
    }
  }
  const double norm = squares > 0 ? std::sqrt(squares) : 1;
  for (const auto& [feature, value] : words_) put(column.first + feature, value / norm);
}

}  // namespace berth::apps
