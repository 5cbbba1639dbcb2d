// Golden tables: what is asked, in one sentence why, and the cpusets that must come out.

#include "pinning/planner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "base/text.hpp"
#include "topology/load.hpp"

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

topology::machine load(const std::string& machine) {
  if (machine.ends_with(".xml")) {
    return topology::load_xml(BERTH_TEST_DATA "/topologies/" + machine).value();
  }
  return topology::load_synthetic(machine).value();
}

std::vector<int> all_pus(const topology::machine& node) {
  std::vector<int> indexes;
  for (const auto& unit : node.pus) indexes.push_back(unit.os_index);
  std::sort(indexes.begin(), indexes.end());
  return indexes;
}

struct golden {
  std::string machine;
  std::string allowed;  // Linux list; empty: the whole machine
  std::string asked;
  int tasks;
  std::optional<int> threads_per_task;
  std::string sentence;
  std::vector<std::string> cpusets;  // the first tasks', at least one
  std::vector<int> threads;          // likewise
};

void check(const golden& row) {
  SCOPED_TRACE(row.machine + " [" + row.allowed + "] " + row.asked + " x " +
               std::to_string(row.tasks) + ": " + row.sentence);
  const auto node = load(row.machine);
  const auto allowed = row.allowed.empty() ? all_pus(node) : parse_list(row.allowed).value();
  const auto made =
      plan(node, allowed, row.tasks, row.threads_per_task, parse_request(row.asked).value());
  ASSERT_TRUE(made) << made.error().text();
  ASSERT_EQ(made->size(), static_cast<std::size_t>(row.tasks));
  std::vector<std::string> cpusets;
  std::vector<int> threads;
  for (std::size_t t = 0; t < row.cpusets.size(); ++t) {
    cpusets.push_back(format_list(made->at(t).cpuset));
  }
  for (std::size_t t = 0; t < row.threads.size(); ++t) threads.push_back(made->at(t).threads);
  EXPECT_EQ(cpusets, row.cpusets);
  EXPECT_EQ(threads, row.threads);
}

/// 2 packages, one NUMA node each, 4 cores each; core c has the PUs 2c and 2c+1.
constexpr auto small = "package:2 numa:1 core:4 pu:2";
constexpr auto none_given = std::nullopt;

TEST(Planner, AutoGivesEqualSharesOfTheCores) {
  // clang-format off
  const std::vector<golden> table = {
      {small, "", "auto", 1, none_given, "one task has every core", {"0,2,4,6,8,10,12,14"}, {8}},
      {small, "", "auto", 2, none_given, "one package each", {"0,2,4,6", "8,10,12,14"}, {4, 4}},
      {small, "", "auto", 3, none_given, "shares differ by one core, the last is smaller",
       {"0,2,4", "6,8,10", "12,14"}, {3, 3, 2}},
      {small, "", "auto", 8, none_given, "one core each",
       {"0", "2", "4", "6", "8", "10", "12", "14"}, {1, 1, 1, 1, 1, 1, 1, 1}},
      {small, "", "auto", 2, 2, "fewer threads than cores leave the share whole",
       {"0,2,4,6", "8,10,12,14"}, {2, 2}},
      {small, "", "auto", 2, 6, "more threads than cores use the siblings", {"0-7", "8-15"},
       {6, 6}},
      {small, "", "auto,smt", 2, none_given, "smt: a thread for every PU", {"0-7", "8-15"}, {8, 8}},
      {small, "", "auto,smt", 8, none_given, "smt: a whole core each", {"0-1", "2-3"}, {2, 2}},
      {"pu:4", "", "auto", 2, none_given, "without cores every PU is one", {"0-1", "2-3"}, {2, 2}},
      {"package:1 numa:2 l3:2 core:3 pu:1", "", "auto", 4, none_given, "one L3 each",
       {"0-2", "3-5", "6-8", "9-11"}, {3, 3, 3, 3}},
      {"package:2 core:3 pu:1", "", "auto", 4, none_given, "shares keep within a package",
       {"0-1", "2", "3-4", "5"}, {2, 1}},
      {"package:1 numa:2 core:3 pu:1", "", "auto", 4, none_given, "shares keep within a NUMA node",
       {"0-1", "2", "3-4", "5"}, {2, 1}},
      {"package:1 l3:2 core:3 pu:1", "", "auto", 4, none_given, "shares keep within an L3",
       {"0-1", "2", "3-4", "5"}, {2, 1}},
  };
  // clang-format on
  for (const auto& row : table) check(row);
}

TEST(Planner, AutoSharesCoresWhenTasksOutnumberThem) {
  // clang-format off
  const std::vector<golden> table = {
      {small, "", "auto", 10, none_given, "the two extra tasks go to different packages",
       {"0", "2", "4", "6", "7", "8", "10", "12", "14", "15"}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
      {small, "", "auto", 16, none_given, "a PU each", {"0", "1", "2", "3"}, {1, 1}},
      {small, "", "auto,smt", 10, none_given, "smt: a task alone on its core has both PUs",
       {"0-1", "2-3", "4-5", "6", "7", "8-9"}, {2, 2, 2, 1, 1, 2}},
      {small, "", "auto", 17, none_given, "beyond the PUs it starts again",
       {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "0"},
       {1}},
      {"core:2 pu:4", "", "auto", 4, none_given, "two tasks of a core take half of its PUs",
       {"0", "2", "4", "6"}, {1}},
      {"core:2 pu:4", "", "auto", 4, 2, "two threads need both PUs of the half",
       {"0-1", "2-3", "4-5", "6-7"}, {2}},
  };
  // clang-format on
  for (const auto& row : table) check(row);
}

TEST(Planner, CountsOnlyWhatIsAllowed) {
  // clang-format off
  const std::vector<golden> table = {
      {small, "0,2,4,8-15", "auto", 2, none_given, "the larger package has the larger share",
       {"0,2,4", "8,10,12,14"}, {3, 4}},
      {small, "1,3,5", "auto", 3, none_given, "a core with one sibling is a core", {"1", "3", "5"},
       {1, 1, 1}},
      {small, "1,3,5", "auto", 4, none_given, "three PUs, four tasks: round robin",
       {"1", "3", "5", "1"}, {1, 1, 1, 1}},
      {small, "0-1,2", "auto", 3, none_given, "cores that differ in PUs", {"0", "1", "2"}, {1}},
      {small, "4", "core", 2, none_given, "one PU for all", {"4", "4"}, {1, 1}},
      {small, "2-3,10-11", "numa", 2, none_given, "one core of each node", {"2", "10"}, {1, 1}},
      {small, "6-15", "auto", 5, 2, "each core lends its sibling to the second thread",
       {"6-7", "8-9", "10-11", "12-13", "14-15"}, {2, 2}},
  };
  // clang-format on
  for (const auto& row : table) check(row);
}

TEST(Planner, CoreFillsCoresInOrder) {
  // clang-format off
  const std::vector<golden> table = {
      {small, "", "core", 3, none_given, "one core each from the first", {"0", "2", "4"}, {1, 1}},
      {small, "", "core", 2, 3, "as many cores as threads", {"0,2,4", "6,8,10"}, {3, 3}},
      {small, "", "core", 4, 4, "too few cores for all: two each, and their siblings",
       {"0-3", "4-7", "8-11", "12-15"}, {4, 4, 4, 4}},
      {small, "", "core,smt", 2, none_given, "smt: the whole core", {"0-1", "2-3"}, {2, 2}},
      {small, "", "core", 16, none_given, "more tasks than cores: a PU each", {"0", "1"}, {1, 1}},
  };
  // clang-format on
  for (const auto& row : table) check(row);
}

TEST(Planner, NumaGoesRoundTheNodes) {
  // clang-format off
  const std::vector<golden> table = {
      {small, "", "numa", 1, none_given, "one node, not both", {"0,2,4,6"}, {4}},
      {small, "", "numa", 3, none_given, "the tasks of a node share its cores",
       {"0,2,4,6", "8,10,12,14", "0,2,4,6"}, {2, 4, 2}},
      {small, "", "numa", 10, none_given, "five tasks on four cores use the siblings",
       {"0-7", "8-15"}, {1, 1}},
      {small, "", "numa,smt", 2, none_given, "smt: all PUs of the node", {"0-7", "8-15"}, {8, 8}},
      {small, "", "numa", 2, 5, "five threads on four cores use the siblings", {"0-7", "8-15"},
       {5, 5}},
  };
  // clang-format on
  for (const auto& row : table) check(row);
}

TEST(Planner, NoneTellsWhatIsAllowed) {
  check({small, "", "none", 2, none_given, "everything, SMT too", {"0-15", "0-15"}, {4, 4}});
  const auto node = load(small);
  const auto made = plan(node, std::vector{0, 1, 9}, 1, std::nullopt, {.how = policy::none});
  EXPECT_FALSE(made->at(0).pinned);
  EXPECT_THAT(made->at(0).cpuset, ElementsAre(0, 1, 9));
}

// Expected sets from hwloc-calc, e.g. `hwloc-calc -i eas-tioga.xml --po -I pu l3:1.core:all.pu:0`.
TEST(Planner, FollowsTheMemoryOfRealMachines) {
  // clang-format off
  const std::vector<golden> table = {
      {"coral-lassen.xml", "", "auto", 4, none_given, "half a POWER9 socket each, SMT4 left free",
       {"8,12,16,20,24,28,32,36,40,44", "48,52,56,60,64,68,72,76,80,84",
        "96,100,104,108,112,116,120,124,128,132", "136,140,144,148,152,156,160,164,168,172"},
       {10, 10, 10, 10}},
      {"eas-tioga.xml", "", "auto", 4, none_given, "one NUMA node of two L3 each",
       {"0-15", "16-31", "32-47", "48-63"}, {16, 16, 16, 16}},
      {"eas-tioga.xml", "", "auto", 8, none_given, "one L3 each",
       {"0-7", "8-15", "16-23", "24-31", "32-39", "40-47", "48-55", "56-63"}, {8}},
      {"eas-tioga.xml", "1-7,9-15,17-23,25-31,33-39,41-47,49-55,57-63", "auto", 8, none_given,
       "one L3 each, with the first core of each kept by the system",
       {"1-7", "9-15", "17-23", "25-31", "33-39", "41-47", "49-55", "57-63"}, {7}},
      {"epyc-corona.xml", "", "auto", 2, none_given, "one package each", {"0-23", "24-47"}, {24}},
      {"epyc-corona.xml", "", "auto", 16, none_given, "one L3 of three cores each",
       {"0-2", "3-5", "6-8"}, {3, 3, 3}},
      {"epyc-corona.xml", "", "auto", 32, none_given, "two tasks in each L3 of three cores",
       {"0-1", "2", "3-4", "5"}, {2, 1, 2, 1}},
      {"epyc-corona.xml", "", "numa", 8, none_given, "NUMA node n has the cores 6n to 6n+5",
       {"0-5", "6-11", "12-17", "18-23", "24-29", "30-35", "36-41", "42-47"}, {6}},
      {"AMD-17h-Zen-2xEpyc-7451.xml", "", "auto", 2, none_given,
       "without NUMA information the package is what is left", {"0-23", "24-47"}, {24, 24}},
      {"AMD-17h-Zen-2xEpyc-7451.xml", "", "numa", 2, none_given,
       "one node known: both tasks share it", {"0-47", "0-47"}, {24, 24}},
      {"Intel-CascadeLake-2xXeon6230.xml", "", "auto", 2, none_given,
       "even CPUs are package 0, odd ones package 1",
       {"0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38",
        "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39"}, {20, 20}},
      {"64intel64-fakeKNL-SNC4-hybrid.xml", "", "auto", 4, none_given, "one quarter each",
       {"0-3", "4-7", "8-11", "12-15"}, {4, 4, 4, 4}},
      {"32em64t-2n8c2t-pci-wholeio.xml", "", "auto,smt", 2, none_given, "one package each, SMT too",
       {"0-7,16-23", "8-15,24-31"}, {16, 16}},
      {"16em64t-4s2c2t-offlines.xml", "", "auto", 4, none_given,
       "six cores left of eight: one package each", {"0,4", "1", "6", "3,15"}, {2, 1, 1, 2}},
      {"16em64t-4s2c2t-offlines.xml", "", "auto", 7, none_given,
       "the one core with two PUs has two", {"0", "4", "12", "1", "6", "3", "15"}, {1}},
  };
  // clang-format on
  for (const auto& row : table) check(row);
}

TEST(Planner, NamesNumaNodesByOsIndexAndCoresByLogicalId) {
  const auto lassen = load("coral-lassen.xml");
  const auto made = plan(lassen, all_pus(lassen), 4, std::nullopt, {}).value();
  EXPECT_THAT(made[0].numa_nodes, ElementsAre(0));
  EXPECT_THAT(made[3].numa_nodes, ElementsAre(8));
  EXPECT_EQ(format_list(made[3].cores), "30-39");
}

TEST(Planner, HasOnePlacePerCore) {
  const auto node = load(small);
  const auto made = plan(node, std::vector{0, 1, 2, 8}, 1, std::nullopt, {.smt = true}).value();
  EXPECT_THAT(made[0].places, ElementsAre(ElementsAre(0, 1), ElementsAre(2), ElementsAre(8)));
}

TEST(Planner, RefusesWhatCannotBePlanned) {
  const auto node = load(small);
  const auto whole = all_pus(node);
  struct refused {
    std::vector<int> allowed;
    int tasks;
    std::optional<int> threads;
    std::string says;
  };
  const std::vector<refused> table = {
      {whole, 0, none_given, "cannot plan 0 tasks"},
      {whole, -1, none_given, "cannot plan -1 tasks"},
      {whole, max_tasks + 1, none_given, "cannot plan 65537 tasks"},
      {whole, 1, 0, "cannot plan 0 threads per task"},
      {{}, 1, none_given, "allowed no CPU"},
      {{2, 1}, 1, none_given, "not in ascending order"},
      {{1, 1}, 1, none_given, "not in ascending order"},
      {{0, 16, 17, 99}, 1, none_given, "CPU 16-17,99, which the topology of 16 CPUs"},
      {{-1, 0}, 1, none_given, "which the topology of 16 CPUs"},
  };
  for (const auto how : {policy::automatic, policy::core, policy::numa, policy::none}) {
    for (const auto& row : table) {
      const auto made = plan(node, row.allowed, row.tasks, row.threads, {.how = how});
      ASSERT_FALSE(made) << row.says;
      EXPECT_THAT(made.error().text(), HasSubstr(row.says));
    }
  }
}

}  // namespace
}  // namespace berth::pinning
