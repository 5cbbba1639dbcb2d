#include "pinning/pin_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "topology/load.hpp"

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Notes what is set, and grants it.
class willing final : public affinity {
 public:
  result<std::vector<int>> get(pid_t) override { return cpus; }
  result<void> set(pid_t, const std::vector<int>& wanted) override {
    cpus = wanted;
    ++calls;
    return {};
  }
  result<void> set_memory(const memory_placement&) override {
    ++calls;
    return {};
  }
  std::vector<int> cpus;
  int calls = 0;
};

const topology::machine& four_cores() {
  static const auto node = topology::load_synthetic("package:2 core:2 pu:1").value();
  return node;
}

workload four_tasks() {
  return {.pus = {0, 1, 2, 3}, .numa_nodes = std::nullopt, .tasks = 4, .threads_per_task = {}};
}

TEST(PinTask, AppliesThePlanOfThisTaskAlone) {
  for (std::uint32_t task = 0; task < 4; ++task) {
    willing system;
    const auto mine = pin_task(four_cores(), four_tasks(), {}, {task, 100 + task}, system);
    ASSERT_TRUE(mine) << mine.error().text();
    EXPECT_EQ(*mine, plan(four_cores(), four_tasks(), {})->at(task));
    EXPECT_EQ(system.cpus, mine->cpuset);
    EXPECT_THAT(system.cpus, ElementsAre(static_cast<int>(task)));
  }
}

TEST(PinTask, ADryRunAppliesNothing) {
  willing system;
  const auto mine = pin_task(four_cores(), four_tasks(), *parse_request("core,dry-run,mem=local"),
                             {2, 2}, system);
  ASSERT_TRUE(mine);
  EXPECT_THAT(mine->cpuset, ElementsAre(2));
  EXPECT_EQ(system.calls, 0);
}

TEST(PinTask, ATaskThatIsNotOfTheNodeIsRefused) {
  willing system;
  for (const std::uint32_t task : {4U, 0xffffffffU}) {
    const auto mine = pin_task(four_cores(), four_tasks(), {}, {task, 0}, system);
    ASSERT_FALSE(mine);
    EXPECT_THAT(mine.error().text(), HasSubstr("is not among the 4 tasks of this node"));
  }
  EXPECT_EQ(system.calls, 0);
}

TEST(AskedThreads, AreTheUsersNumber) {
  EXPECT_EQ(asked_threads({}), std::nullopt);
  EXPECT_EQ(asked_threads({"SLURM_CPUS_PER_TASK=3"}), 3);
  EXPECT_EQ(asked_threads({"SLURM_CPUS_PER_TASK=3", "OMP_NUM_THREADS=2"}), 2);
  EXPECT_EQ(asked_threads({"OMP_NUM_THREADS=4,2"}), 4);
  EXPECT_EQ(asked_threads({"OMP_NUM_THREADS= 8 "}), 8);
  for (const auto* nonsense : {"", "0", "-1", "x", "99999999999999999999", "65537", ",2"}) {
    EXPECT_EQ(asked_threads({std::string("OMP_NUM_THREADS=") + nonsense}), std::nullopt);
  }
}

TEST(TopologyEnvironment, PointsHwlocToTheFileOfThisMachine) {
  EXPECT_THAT(
      topology_environment({"PATH=/bin", "HWLOC_HIDE_ERRORS=1"}, "/run/t.xml"),
      ElementsAre(variable{"HWLOC_XMLFILE", "/run/t.xml"}, variable{"HWLOC_THISSYSTEM", "1"},
                  variable{"HWLOC_THISSYSTEM_ALLOWED_RESOURCES", "1"}));
  EXPECT_THAT(topology_environment({}, ""), IsEmpty()) << "there is no file";
}

TEST(TopologyEnvironment, IsTheUsersWhereHeHasChosenAnything) {
  for (const auto* chosen :
       {"HWLOC_XMLFILE=/home/me/t.xml", "HWLOC_XMLFILE=", "HWLOC_SYNTHETIC=pu:2", "HWLOC_FSROOT=/x",
        "HWLOC_CPUID_PATH=/x", "HWLOC_COMPONENTS=x86", "HWLOC_THISSYSTEM=0"}) {
    EXPECT_THAT(topology_environment({"PATH=/bin", chosen}, "/run/t.xml"), IsEmpty()) << chosen;
  }
}

}  // namespace
}  // namespace berth::pinning
