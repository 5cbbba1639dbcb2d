// What must hold on every machine, for 1 to twice as many tasks as PUs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>

#include "pinning/planner.hpp"
#include "topology/load.hpp"

namespace berth::pinning {
namespace {

using topology::machine;

struct PlannerProperties : testing::TestWithParam<std::string> {
  void SetUp() override {
    const auto& name = GetParam();
    node = name.ends_with(".xml")
               ? topology::load_xml(BERTH_TEST_DATA "/topologies/" + name).value()
               : topology::load_synthetic(name).value();
    for (const auto& unit : node.pus) {
      allowed.push_back(unit.os_index);
      core_of[unit.os_index] = unit.core;
    }
    std::sort(allowed.begin(), allowed.end());
    half = half_of(node.pus);
  }

  /// About half of the PUs, at random but always the same ones.
  static std::vector<int> half_of(const std::vector<topology::pu>& pus) {
    std::mt19937 random(7);
    std::vector<int> some = {pus.back().os_index};
    for (std::size_t i = 0; i + 1 < pus.size(); ++i) {
      if (random() % 2 == 0) some.push_back(pus[i].os_index);
    }
    std::sort(some.begin(), some.end());
    return some;
  }

  std::size_t count_cores(const std::vector<int>& pus) const {
    std::set<int> cores;
    for (const int unit : pus) cores.insert(core_of.at(unit));
    return cores.size();
  }

  /// Calls `examine(plan, allowed)` for the whole and the half machine and all numbers of tasks.
  template <class F>
  void for_all_plans(const request& asked, F examine) {
    for (const auto& usable : {allowed, half}) {
      for (std::size_t tasks = 1; tasks <= 2 * usable.size(); ++tasks) {
        SCOPED_TRACE(std::to_string(tasks) + " tasks on " + std::to_string(usable.size()) + " PUs");
        const auto made = plan(node, usable, static_cast<int>(tasks), std::nullopt, asked);
        ASSERT_TRUE(made) << made.error().text();
        ASSERT_EQ(made->size(), tasks);
        examine(*made, usable);
        if (HasFailure()) return;
      }
    }
  }

  machine node;
  std::vector<int> allowed;
  std::vector<int> half;
  std::map<int, int> core_of;
};

const std::vector<request> every_request = {
    {.how = policy::automatic}, {.how = policy::automatic, .smt = true},
    {.how = policy::core},      {.how = policy::core, .smt = true},
    {.how = policy::numa},      {.how = policy::numa, .smt = true},
    {.how = policy::none},
};

TEST_P(PlannerProperties, SetsAreAscendingInsideTheAllowedSetAndMadeOfTheirPlaces) {
  for (const auto& asked : every_request) {
    for_all_plans(asked, [&](const auto& plan, const auto& usable) {
      for (const auto& where : plan) {
        ASSERT_FALSE(where.cpuset.empty());
        ASSERT_GE(where.threads, 1);
        ASSERT_TRUE(std::is_sorted(where.cpuset.begin(), where.cpuset.end()));
        ASSERT_TRUE(
            std::includes(usable.begin(), usable.end(), where.cpuset.begin(), where.cpuset.end()));
        std::vector<int> placed;
        for (const auto& place : where.places) {
          placed.insert(placed.end(), place.begin(), place.end());
        }
        std::sort(placed.begin(), placed.end());
        ASSERT_EQ(placed, where.cpuset);
        ASSERT_EQ(where.places.size(), where.cores.size());
      }
    });
  }
}

TEST_P(PlannerProperties, TasksAreDisjointWhileThereArePus) {
  for (const auto& asked : every_request) {
    if (asked.how == policy::numa || asked.how == policy::none) continue;
    for_all_plans(asked, [&](const auto& plan, const auto& usable) {
      if (plan.size() > usable.size()) return;
      std::set<int> used;
      for (const auto& where : plan) {
        for (const int unit : where.cpuset) ASSERT_TRUE(used.insert(unit).second) << unit;
      }
    });
  }
}

TEST_P(PlannerProperties, AutoIsBalancedWithinOneCoreAndUsesAllOfThem) {
  for_all_plans({}, [&](const auto& plan, const auto& usable) {
    const auto cores = count_cores(usable);
    if (plan.size() > cores) return;
    std::size_t sum = 0;
    std::size_t least = cores;
    std::size_t most = 0;
    for (const auto& where : plan) {
      const auto has = count_cores(where.cpuset);
      ASSERT_EQ(static_cast<std::size_t>(where.threads), has);
      ASSERT_EQ(where.cpuset.size(), has) << "no siblings unless asked";
      sum += has;
      least = std::min(least, has);
      most = std::max(most, has);
    }
    ASSERT_EQ(sum, cores);
    ASSERT_LE(most - least, 1U);
  });
}

TEST_P(PlannerProperties, NoCoreHasTwoTasksMoreThanAnotherWithRoom) {
  for_all_plans({}, [&](const auto& plan, const auto& usable) {
    if (plan.size() > usable.size()) return;
    std::map<int, std::size_t> room;
    std::map<int, std::size_t> tasks;
    for (const int unit : usable) ++room[core_of.at(unit)];
    for (const auto& where : plan) {
      for (const int core : where.cores) ++tasks[core];
    }
    std::size_t most = 0;
    for (const auto& [core, count] : tasks) most = std::max(most, count);
    for (const auto& [core, pus] : room) {
      if (tasks[core] < pus) {
        ASSERT_GE(tasks[core] + 1, most) << "core " << core;
      }
    }
  });
}

TEST_P(PlannerProperties, SharesAreContiguousInLocalityOrder) {
  for_all_plans({}, [&](const auto& plan, const auto& usable) {
    if (plan.size() > usable.size()) return;
    int last = -1;
    for (const auto& where : plan) {
      ASSERT_TRUE(std::is_sorted(where.cores.begin(), where.cores.end()));
      ASSERT_GE(where.cores.front(), last);
      last = where.cores.back();
    }
  });
}

TEST_P(PlannerProperties, PlansDoNotDependOnHowCpusAreNumbered) {
  std::vector<int> renamed(allowed.size());
  std::iota(renamed.begin(), renamed.end(), 1000);
  std::shuffle(renamed.begin(), renamed.end(), std::mt19937(3));
  std::map<int, int> name;
  for (std::size_t i = 0; i < allowed.size(); ++i) name[allowed[i]] = renamed[i];
  const auto rename = [&](std::vector<int> pus) {
    for (int& unit : pus) unit = name.at(unit);
    std::sort(pus.begin(), pus.end());
    return pus;
  };
  auto other = node;
  for (auto& unit : other.pus) unit.os_index = name.at(unit.os_index);
  for (const auto& asked : every_request) {
    for_all_plans(asked, [&](const auto& expected, const auto& usable) {
      const auto tasks = static_cast<int>(expected.size());
      const auto made = plan(other, rename(usable), tasks, std::nullopt, asked);
      ASSERT_TRUE(made);
      for (std::size_t t = 0; t < expected.size(); ++t) {
        ASSERT_EQ(made->at(t).cpuset, rename(expected[t].cpuset)) << "task " << t;
        ASSERT_EQ(made->at(t).cores, expected[t].cores);
        ASSERT_EQ(made->at(t).threads, expected[t].threads);
      }
    });
  }
}

TEST_P(PlannerProperties, TheSameQuestionHasTheSameAnswer) {
  for_all_plans({}, [&](const auto& expected, const auto& usable) {
    const auto tasks = static_cast<int>(expected.size());
    ASSERT_EQ(plan(node, usable, tasks, std::nullopt, {}).value(), expected);
  });
}

INSTANTIATE_TEST_SUITE_P(
    Machines, PlannerProperties,
    testing::Values("coral-lassen.xml", "epyc-corona.xml", "eas-tioga.xml",
                    "AMD-17h-Zen-2xEpyc-7451.xml", "Intel-CascadeLake-2xXeon6230.xml",
                    "64intel64-fakeKNL-SNC4-hybrid.xml", "32em64t-2n8c2t-pci-wholeio.xml",
                    "16em64t-4s2c2t-offlines.xml", "pu:1", "numa:3 core:5 pu:1",
                    "package:2 numa:2 l3:3 core:3 pu:2", "package:3 l3:1 numa:2 core:2 pu:4"),
    [](const auto& instance) {
      auto name = instance.param;
      std::replace_if(
          name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
      return name;
    });

}  // namespace
}  // namespace berth::pinning
