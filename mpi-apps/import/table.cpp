#include "import/table.hpp"

#include <algorithm>
#include <array>

namespace berth::apps {

const char* kind_name(column_kind kind) noexcept {
  constexpr std::array names{"number", "category", "text", "skip"};
  return names[static_cast<std::size_t>(kind)];
}

bool is_missing(std::string_view field) noexcept {
  switch (field.size()) {
    case 0:
      return true;
    case 1:
      return field[0] == '?';
    case 2:
      return field == "NA";
    case 3:
      return field == "NaN" || field == "nan";
    default:
      return false;
  }
}

bool is_missing(std::string_view field, const table_rules& rules) noexcept {
  return is_missing(field) ||
         std::ranges::find(rules.missing_marks, field) != rules.missing_marks.end();
}

bool drops_rows(const table_column& column, const table_rules& rules) noexcept {
  return column.role != column_role::feature || rules.missing == missing_policy::error ||
         rules.missing == missing_policy::drop;
}

}  // namespace berth::apps
