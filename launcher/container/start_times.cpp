#include "container/start_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace berth::container {
namespace {

constexpr std::string_view node_mark = "berth: node ";
constexpr std::string_view ready_mark = ": ready in ";
constexpr std::string_view copy_mark = "berth: image staged on ";
constexpr std::size_t longest_line = 1024;  // as slurmstepd sends them
constexpr std::size_t most_slow = 16;
constexpr double slow_factor = 2;
constexpr double slow_least = 10;  // ms

std::size_t digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// srun's label of a line, as in "3: " and, of a heterogeneous step, "P0 3: ". Nothing where the
// text ends before it can be told.
std::optional<std::size_t> label_length(std::string_view line) {
  std::size_t at = 0;
  if (line.starts_with('P')) at = 1 + digits(line.substr(1));
  at = std::min(line.find_first_not_of(' ', at), line.size());
  const auto number = digits(line.substr(at));
  at += number;
  if (at == line.size()) return line.empty() ? std::optional<std::size_t>(0) : std::nullopt;
  if (number == 0 || line[at] != ':') return 0;
  if (at + 1 == line.size()) return std::nullopt;
  return line[at + 1] == ' ' ? at + 2 : 0;
}

bool may_become(std::string_view rest, std::string_view mark) {
  return rest.starts_with(mark) || mark.starts_with(rest);
}

bool may_become_ours(std::string_view begin) {
  if (begin.size() > longest_line) return false;
  const auto label = label_length(begin);
  if (!label) return true;
  const auto rest = begin.substr(*label);
  return may_become(rest, node_mark) || may_become(rest, copy_mark);
}

std::optional<double> parse_milliseconds(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const auto value = std::strtod(copy.c_str(), &end);
  const bool whole = !copy.empty() && *end == '\0';
  return whole && value >= 0 && value < 1e9 ? std::optional(value) : std::nullopt;
}

std::optional<double> parse_copy_line(std::string_view line) {
  constexpr std::string_view in = " in ";
  const auto at = line.find(in);
  if (!line.starts_with(copy_mark) || !line.ends_with(" ms") || at == std::string_view::npos) {
    return std::nullopt;
  }
  const auto begin = at + in.size();
  return parse_milliseconds(line.substr(begin, line.size() - 3 - begin));
}

struct spread {
  double middle = 0;
  double most = 0;
  std::string where;
};

// Of an even number the lower one: of two nodes, one can be slow.
spread spread_of(std::vector<std::pair<double, std::string>> values) {
  std::sort(values.begin(), values.end());
  const auto& [most, where] = values.back();
  return {values[(values.size() - 1) / 2].first, most, where};
}

// A mount that an earlier step has made is a mount, too.
std::string column_of(const std::string& phase) {
  return phase == "warm" ? "mount" : phase;
}

double phase_of(const node_times& node, const std::string& column) {
  double sum = 0;
  for (const auto& [phase, value] : node.phases) sum += column_of(phase) == column ? value : 0;
  return sum;
}

// Those that every start has, or could have, whatever the nodes say.
std::vector<std::string> columns_of(const std::vector<node_times>& nodes) {
  std::vector<std::string> columns{"resolve", "policy", "staging", "mount"};
  const std::vector<std::string> last{"join", "other"};
  for (const auto& node : nodes) {
    for (const auto& [phase, value] : node.phases) {
      const auto column = column_of(phase);
      const auto known = [&](const auto& list) {
        return std::find(list.begin(), list.end(), column) != list.end();
      };
      if (!known(columns) && !known(last)) columns.push_back(column);
    }
  }
  columns.insert(columns.end(), last.begin(), last.end());
  return columns;
}

std::string show(std::string_view what, const spread& of) {
  return fmt::format("{} {:.2f} ({:.2f} {})", what, of.middle, of.most, of.where);
}

std::string slow_lines(std::vector<node_times> nodes, double middle) {
  std::erase_if(nodes, [&](const auto& node) {
    return node.total <= slow_factor * middle || node.total < middle + slow_least;
  });
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& a, const auto& b) { return a.total > b.total; });
  std::string lines;
  for (std::size_t i = 0; i < std::min(nodes.size(), most_slow); ++i) {
    lines += fmt::format("berth: node {} is slow: {}\n", nodes[i].node, nodes[i].rest);
  }
  if (nodes.size() > most_slow) {
    lines += fmt::format("berth: {} more nodes are slow\n", nodes.size() - most_slow);
  }
  return lines;
}

}  // namespace

std::string node_line(std::string_view node, std::string_view backend,
                      const std::vector<timing>& phases, std::chrono::microseconds total) {
  return fmt::format("{}{}: {}: {}", node_mark, node, backend, describe(phases, total));
}

std::optional<node_times> parse_node_line(std::string_view line) {
  const auto ready = line.find(ready_mark);
  if (!line.starts_with(node_mark) || ready == std::string_view::npos) return std::nullopt;
  const auto names = line.substr(node_mark.size(), ready - node_mark.size());
  const auto between = names.find(": ");
  const auto times = line.substr(ready + ready_mark.size());
  const auto unit = times.find(" ms: ");
  if (between == std::string_view::npos || unit == std::string_view::npos) return std::nullopt;
  node_times told{std::string(names.substr(0, between)),
                  std::string(line.substr(node_mark.size() + between + 2)),
                  0,
                  {}};
  const auto total = parse_milliseconds(times.substr(0, unit));
  if (!total || told.node.empty()) return std::nullopt;
  told.total = *total;
  for (const auto& item : split(times.substr(unit + 5), ',')) {
    const auto words = split(trim(item), ' ');
    const auto value = words.size() == 2 ? parse_milliseconds(words[1]) : std::nullopt;
    if (!value) return std::nullopt;
    told.phases.emplace_back(words[0], *value);
  }
  return told;
}

bool is_node_line(std::string_view line) {
  return parse_node_line(line.substr(label_length(line).value_or(line.size()))).has_value();
}

// A whole line, without its end. Returns what of it is to be shown.
std::string start_times::taken(std::string_view line) {
  const auto text = line.substr(label_length(line).value_or(line.size()));
  if (const auto copying = parse_copy_line(text)) copying_ = copying;
  auto times = parse_node_line(text);
  if (!times || complete()) return fmt::format("{}\n", line);
  told_.push_back(std::move(*times));
  return {};
}

std::string start_times::take(std::string_view bytes) {
  std::string shown;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    const auto piece = bytes.substr(0, whole ? end : bytes.size());
    bytes.remove_prefix(whole ? end + 1 : bytes.size());
    if (in_line_) {
      shown.append(piece);
      if (whole) shown += '\n';
      in_line_ = !whole;
      continue;
    }
    held_.append(piece);
    if (whole) {
      shown += taken(std::exchange(held_, {}));
    } else if (!may_become_ours(held_)) {
      shown += give_up();
    }
  }
  return shown;
}

std::string start_times::give_up() {
  in_line_ = in_line_ || !held_.empty();
  return std::exchange(held_, {});
}

std::string start_times::summary() {
  if (told_.empty() || std::exchange(summed_, true)) return {};
  const auto over = [&](const auto& value_of) {
    std::vector<std::pair<double, std::string>> values;
    for (const auto& node : told_) values.emplace_back(value_of(node), node.node);
    return spread_of(std::move(values));
  };
  const auto total = over([](const auto& node) { return node.total; });
  std::string text(in_line_ ? "\n" : "");
  text += slow_lines(told_, total.middle);
  const auto told = told_.size() == nodes_ ? fmt::format("{}", nodes_)
                                           : fmt::format("{} of {}", told_.size(), nodes_);
  text += fmt::format("berth: start on {} node{} in ms, median (most, where): {}", told,
                      nodes_ == 1 ? "" : "s", show("total", total));
  for (const auto& column : columns_of(told_)) {
    text += ", " + show(column, over([&](const auto& node) { return phase_of(node, column); }));
  }
  if (copying_) text += fmt::format("; copying before it {:.2f}", *copying_);
  return text + '\n';
}

}  // namespace berth::container
