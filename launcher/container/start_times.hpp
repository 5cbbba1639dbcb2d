#pragma once
// What the nodes of a step tell of their starts (--container-timing), and what it comes to over all
// of them. A node's line travels as every line on the tasks' standard error does.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "container/timing.hpp"

namespace berth::container {

/// "berth: node n1: fuse: ready in 8.10 ms: resolve 0.30, mount 4.20, join 0.06, other 3.54".
std::string node_line(std::string_view node, std::string_view backend,
                      const std::vector<timing>& phases, std::chrono::microseconds total);

/// Such a line, read back. In milliseconds.
struct node_times {
  std::string node;
  std::string rest;  ///< of the line, from the backend on
  double total = 0;
  std::vector<std::pair<std::string, double>> phases;
};
std::optional<node_times> parse_node_line(std::string_view line);

/// Is this a node's line, with a label of srun's or without one?
bool is_node_line(std::string_view line);

/// Takes the nodes' lines out of what goes by. What it does not know it lets through, unchanged and
/// at once: only the beginning of a line that may become a node's is held back.
class start_times {
 public:
  /// `nodes`: how many will tell.
  explicit start_times(std::size_t nodes) : nodes_(nodes) {}

  /// What is to be shown of these bytes, and of those held back before.
  std::string take(std::string_view bytes);
  [[nodiscard]] bool holds_back() const noexcept { return !held_.empty(); }
  /// What was held back: the rest of the line did not come.
  std::string give_up();

  /// The first time that all nodes have told, and at the end: a line for each slow node, the
  /// slowest 16 at most, and one for all. Empty where no node has told, and a second time.
  /// A node is slow whose start took more than twice the median, and at least 10 ms more.
  std::string summary();
  [[nodiscard]] bool complete() const noexcept { return told_.size() >= nodes_; }

 private:
  std::string taken(std::string_view line);
  std::size_t nodes_;
  std::vector<node_times> told_;
  std::optional<double> copying_;  // srun's own staging
  std::string held_;
  bool in_line_ = false;  // the line's beginning was shown
  bool summed_ = false;
};

}  // namespace berth::container
