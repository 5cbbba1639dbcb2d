#include "cli/explain_pin.hpp"

#include <fmt/format.h>

#include <numeric>

#include "base/text.hpp"
#include "cli/pin_json.hpp"
#include "pinning/describe.hpp"
#include "pinning/executor.hpp"
#include "pinning/explain.hpp"
#include "pinning/memory.hpp"
#include "pinning/table.hpp"
#include "topology/load.hpp"

namespace berth::cli {

result<pin_plan> plan_pin(const std::string& words, int tasks) {
  pin_plan made;
  if (words.empty() || words == "none") return made;
  const auto asked = pinning::parse_request(words);
  if (!asked) return failure(asked.error());
  const auto node = topology::load_this_machine(topology::detail::devices_too);
  if (!node) return failure(node.error());
  auto mine = pinning::linux_affinity().get(0);
  if (!mine) return pass(std::move(mine));
  const pinning::workload work{.pus = std::move(*mine),
                               .numa_nodes = pinning::allowed_memory(),
                               .tasks = tasks,
                               .threads_per_task = std::nullopt};
  const auto placed = pinning::plan(*node, work, *asked);
  if (!placed) return failure(placed.error());
  const pinning::planned step{*node, work, *asked, *placed};
  std::vector<int> all(static_cast<std::size_t>(tasks));
  std::iota(all.begin(), all.end(), 0);
  made.lines = split(trim(pinning::table(step, all, false)), '\n');
  made.lines.insert(made.lines.begin(), "this machine: " + pinning::describe(*node));
  for (const auto& reason : pinning::explain(step)) made.lines.push_back(reason);
  made.json = plan_json(step, "this machine", all);
  return made;
}

}  // namespace berth::cli
