#include "data/read_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "data/filters.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t gibibyte = std::int64_t{1} << 30;

std::string chunk_text(const array_storage& array) {
  return array.shape.size() < 2
             ? fmt::format("chunks [{}]", array.chunk_rows)
             : fmt::format("chunks [{} x {}]", array.chunk_rows, array.chunk_columns);
}

std::string filters_text(const array_storage& array) {
  std::vector<std::string> names;
  for (const auto& step : array.filters) names.push_back(step.name);
  return fmt::format("{} with {}", chunk_text(array), fmt::join(names, ", "));
}

read_plan plan_chunks(const array_storage& array) {
  if (!array.filters.empty()) {
    if (support_of(array.filters) != filter_support::native) {
      return {read_mode::library, array.chunk_rows, filters_text(array)};
    }
    return {read_mode::decoded, array.chunk_rows, filters_text(array)};
  }
  if (array.chunk_columns >= array.columns()) {
    // A chunk wider than the array has padding after each row.
    const bool exact = array.chunk_columns == array.columns();
    return {exact ? read_mode::direct : read_mode::gathered, 1, chunk_text(array)};
  }
  return {read_mode::gathered, 1,
          fmt::format("{} narrower than the {} columns", chunk_text(array), array.columns())};
}

}  // namespace

read_plan plan_read(const array_storage& array) {
  if (array.layout == layout_kind::indirect) return {read_mode::library, 1, array.indirect_kind};
  if (!array.element.is_plain()) return {read_mode::library, 1, array.element.name};
  auto plan = array.layout == layout_kind::chunked ? plan_chunks(array)
                                                   : read_plan{read_mode::direct, 1, "contiguous"};
  plan.why += " " + array.element.name;
  return plan;
}

std::string plan_text(const read_plan& plan) {
  const char* const names[] = {"direct", "gathered", "decoded", "HDF5 library"};
  return fmt::format("{}, independent: {}", names[static_cast<int>(plan.mode)], plan.why);
}

std::int64_t panel_rows(std::int64_t bytes, std::int64_t row_bytes, std::int64_t row_multiple) {
  const auto fit = std::max<std::int64_t>(1, std::min(bytes, gibibyte) / row_bytes);
  return fit >= row_multiple ? fit / row_multiple * row_multiple : fit;
}

}  // namespace berth::apps
