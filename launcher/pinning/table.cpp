#include "pinning/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "pinning/describe.hpp"

namespace berth::pinning {
namespace {

constexpr std::size_t columns = 7;
using row = std::array<std::string, columns>;

const row headings = {"task", "threads", "cores", "NUMA", "memory", "device", "cpuset"};
constexpr std::size_t numbers = 2;  // the first columns, set to the right

row row_of(const placement& where, int task) {
  return {fmt::format("{}", task),  fmt::format("{}", where.threads),
          format_list(where.cores), where.numa_nodes.empty() ? "-" : format_list(where.numa_nodes),
          describe(where.memory),   where.device ? where.device->name : "-",
          format_list(where.cpuset)};
}

std::string line_of(const row& cells, const std::array<std::size_t, columns>& widths) {
  std::string line;
  for (std::size_t c = 0; c < columns; ++c) {
    if (c > 0) line += "  ";
    line += c < numbers       ? fmt::format("{:>{}}", cells.at(c), widths.at(c))
            : c + 1 < columns ? fmt::format("{:<{}}", cells.at(c), widths.at(c))
                              : cells.at(c);
  }
  return line;
}

}  // namespace

std::string table(const planned& step, std::span<const int> tasks, bool bold) {
  std::vector<row> rows;
  for (const int task : tasks) {
    rows.push_back(row_of(step.tasks.at(static_cast<std::size_t>(task)), task));
  }
  std::array<std::size_t, columns> widths{};
  for (std::size_t c = 0; c < columns; ++c) widths.at(c) = headings.at(c).size();
  for (const auto& cells : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      widths.at(c) = std::max(widths.at(c), cells.at(c).size());
    }
  }
  auto text = line_of(headings, widths) + "\n";
  if (bold) text = "\033[1m" + line_of(headings, widths) + "\033[0m\n";
  for (const auto& cells : rows) text += line_of(cells, widths) + "\n";
  return text;
}

}  // namespace berth::pinning
