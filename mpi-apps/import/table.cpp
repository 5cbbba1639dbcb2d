#include "import/table.hpp"

#include <array>

#include "import/number.hpp"

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

number_marks::number_marks(const table_rules& rules) {
  for (const auto& mark : rules.missing_marks) {
    if (const auto number = parse_number(mark)) marks_.push_back(*number);
  }
}

bool drops_rows(const table_column& column, const table_rules& rules) noexcept {
  return column.role != column_role::feature || rules.missing == missing_policy::error ||
         rules.missing == missing_policy::drop;
}

}  // namespace berth::apps
