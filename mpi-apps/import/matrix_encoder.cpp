#include "import/matrix_encoder.hpp"

#include <algorithm>

#include "import/number.hpp"

namespace berth::apps {

matrix_encoder::matrix_encoder(const matrix_table& table, const table_encoding& plan,
                               const table_rules& rules)
    : plan_(plan),
      rules_(rules),
      judge_(table.head.columns, rules),
      columns_(table.head.columns.size()) {
  codes_.reserve(plan.columns.size());
  for (const auto& each : plan.columns) {
    columns_[each.column].plan = &each;
    if (each.kind != column_kind::category) continue;
    auto& codes = codes_.emplace_back();
    for (const auto& [text, code] : each.codes) {
      codes.emplace(parse_number(text).value_or(0), static_cast<double>(code));
    }
    columns_[each.column].codes = &codes;
    if (each.role == column_role::feature) categories_.push_back(each.column);
  }
}

bool matrix_encoder::add(const matrix_row& row, encoded_rows& out) {
  const auto verdict = judge_.judge(row, [](std::size_t) {});
  if (verdict == matrix_judge::verdict::infinite || (row.weight && *row.weight < 0)) return false;
  if (verdict == matrix_judge::verdict::left_out) return rules_.missing != missing_policy::error;
  if (out.sparse) {
    sorted_.clear();
    const bool good = encode_features(row, [this](std::int64_t feature, double value) {
      if (value != 0) sorted_.emplace_back(feature, value);
    });
    if (!good) return false;
    if (!categories_.empty()) std::ranges::sort(sorted_);
    for (const auto& [feature, value] : sorted_) {
      out.columns.push_back(feature);
      out.values.push_back(value);
    }
    out.starts.push_back(std::ssize(out.columns));
  } else {
    const auto before = out.x.size();
    out.x.resize(before + plan_.names.size());
    double* const to = out.x.data() + before;
    const bool good =
        encode_features(row, [to](std::int64_t feature, double value) { to[feature] = value; });
    if (!good) return false;
  }
  const auto y = out.y.size();
  out.y.resize(y + row.y.size());
  const auto first_target = columns_.size() - row.y.size() - (row.weight ? 1 : 0);
  for (std::size_t k = 0; k < row.y.size(); ++k) {
    const auto& target = *columns_[first_target + k].plan;
    const bool good = encode(target, row.y[k], [&](std::int64_t, double value) {
      out.y[y + static_cast<std::size_t>(target.first)] = value;
    });
    if (!good) return false;
  }
  if (row.weight) out.weights.push_back(*row.weight);
  ++out.rows;
  return true;
}

template <class Put>
bool matrix_encoder::encode_features(const matrix_row& row, Put&& put) {
  for (std::size_t k = 0; k < row.values.size(); ++k) {
    const auto j = row.sparse ? static_cast<std::size_t>(row.columns[k]) : k;
    const auto* const column = columns_[j].plan;
    if (column == nullptr || (row.sparse && column->kind == column_kind::category)) continue;
    if (!encode(*column, row.values[k], put)) return false;
  }
  if (!row.sparse) return true;
  // Of categories a zero, too, may be a level that has a feature.
  for (const auto j : categories_) {
    const auto at = std::ranges::lower_bound(row.columns, static_cast<std::int64_t>(j));
    const bool stored = at != row.columns.end() && *at == static_cast<std::int64_t>(j);
    const auto k = static_cast<std::size_t>(at - row.columns.begin());
    if (!encode(*columns_[j].plan, stored ? row.values[k] : 0.0, put)) return false;
  }
  return true;
}

template <class Put>
bool matrix_encoder::encode(const column_plan& column, double value, Put&& put) {
  if (!judge_.is_missing(value)) {
    if (column.kind == column_kind::number) {
      put(column.first, value);
      return true;
    }
    const auto& codes = *columns_[column.column].codes;
    const auto code = codes.find(value);
    if (code == codes.end()) return false;
    if (column.role == column_role::target) {
      put(0, code->second);
    } else if (code->second > 0) {
      put(column.first + static_cast<std::int64_t>(code->second) - 1, 1.0);
    }
    return true;
  }
  if (column.means.empty() && column.mark < 0) return false;
  for (std::size_t k = 0; k < column.means.size(); ++k) {
    put(column.first + static_cast<std::int64_t>(k), column.means[k]);
  }
  if (column.mark >= 0) put(column.mark, 1.0);
  return true;
}

}  // namespace berth::apps
