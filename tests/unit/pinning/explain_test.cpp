#include "pinning/explain.hpp"

#include <gmock/gmock.h>

#include "planned_step.hpp"

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

struct explained {
  step_text step;
  std::vector<std::string> clauses;
};

TEST(Explain, SaysWhyAPlanIsAsItIs) {
  const auto small = "package:2 numa:2 core:4 pu:2";
  const explained table[] = {
      {{.machine = "core:4 pu:1", .tasks = 4}, {}},
      {{.machine = small, .tasks = 4},
       {"sets are cut between NUMA nodes: no task spans two",
        "16 hardware threads of used cores are free"}},
      {{.machine = small, .asked = "auto,smt", .tasks = 2},
       {"tasks 0-1 span NUMA nodes", "sets are cut between packages: no task spans two"}},
      {{.machine = small, .asked = "auto,smt", .tasks = 3},
       {"task 1 spans packages", "tasks 0-2 span NUMA nodes",
        "shares differ: task 0 has 6 cores, tasks 1-2 have 5 cores"}},
      {{.machine = small, .asked = "core", .tasks = 1},
       {"15 cores idle: 1-15 (CPUs 2-31)", "1 hardware thread of used cores is free"}},
      {{.machine = small, .tasks = 16, .cpus = "0-15"},
       {"the step may use 16 of 32 CPUs", "sets are cut between NUMA nodes: no task spans two",
        "tasks 0-15 have hardware threads of cores that they share"}},
      {{.machine = "core:2 pu:1", .tasks = 3}, {"tasks 0,2 share CPUs with each other"}},
      {{.machine = "core:4 pu:1", .tasks = 2, .threads = 5}, {"more threads than CPUs: tasks 0-1"}},
      {{.machine = "core:4 pu:1", .tasks = 2, .threads = 1},
       {"fewer threads than cores: tasks 0-1"}},
      {{.machine = small, .asked = "none", .tasks = 2},
       {"nothing is pinned: every task may run on all CPUs of the step"}},
  };
  for (const auto& [text, clauses] : table) {
    const planned_step step(text);
    EXPECT_THAT(explain(step.get()), ElementsAreArray(clauses))
        << text.machine << " " << text.asked << " " << text.tasks;
  }
}

TEST(Explain, CountsTasksWhereTheirListWouldBeLong) {
  const planned_step step({.machine = "core:60 pu:2", .asked = "auto", .tasks = 90});
  EXPECT_THAT(explain(step.get()),
              testing::Contains("60 tasks have hardware threads of cores that they share"));
}

TEST(Explain, TellsWhoHasTheSlowerCores) {
  auto node = topology::load_synthetic("core:4 pu:1").value();
  for (auto& unit : node.pus) unit.kind = unit.core < 2 ? 1 : 0;
  EXPECT_THAT(explain(planned_step(node, {.asked = "core", .tasks = 2}).get()),
              testing::Contains("cores are of unequal kind: every task is on the fastest ones"));
  EXPECT_THAT(explain(planned_step(node, {.asked = "core", .tasks = 3}).get()),
              testing::Contains("cores are of unequal kind: task 2 has slower ones"));
}

TEST(Idle, CountsCoresAndSiblingsApart) {
  const planned_step step({.machine = "core:4 pu:2", .asked = "core", .tasks = 2, .cpus = "0-5"});
  const auto unused = idle(step.get());
  EXPECT_THAT(unused.cores, ElementsAre(2));
  EXPECT_THAT(unused.pus, ElementsAre(4, 5));
  EXPECT_THAT(unused.siblings, ElementsAre(1, 3));
}

}  // namespace
}  // namespace berth::pinning
