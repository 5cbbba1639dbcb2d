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
                         std::size_t table_columns)
    : plan_(plan), rules_(rules), width_(table_columns) {
  for (const auto& each : plan.columns) {
    table_column column;
    column.role = each.role;
    if (each.kind != column_kind::text && drops_rows(column, rules)) dropping_.push_back(&each);
  }
}

// Numbers are recognised as present when they parse; only what does not is looked at here.
bool row_encoder::left_out(const std::vector<std::string_view>& fields) const {
  return std::ranges::any_of(dropping_, [&](const column_plan* each) {
    const auto field = fields[each->column];
    if (is_missing(field, rules_)) return true;
    if (each->kind != column_kind::number) return false;
    const auto number = parse_number(field);
    return number && std::isnan(*number);
  });
}

bool row_encoder::add(const std::vector<std::string_view>& fields, encoded_rows& out) {
  if (fields.size() != width_) return false;
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
  return left_out(fields);
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
    if (number && std::isfinite(*number)) {
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
