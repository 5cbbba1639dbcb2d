#include <numeric>

#include "every_machine.hpp"

namespace berth::pinning {
namespace {

using PlannerProperties = every_machine;

TEST_P(PlannerProperties, SetsAreAscendingInsideTheAllowedSetAndMadeOfTheirPlaces) {
  for (const auto& asked : every_request()) {
    for_all_plans(asked, [&](const auto& plan, const auto& usable) {
      for (const auto& where : plan) {
        ASSERT_FALSE(where.cpuset.empty());
        ASSERT_TRUE(std::is_sorted(where.cpuset.begin(), where.cpuset.end()));
        ASSERT_TRUE(
            std::includes(usable.begin(), usable.end(), where.cpuset.begin(), where.cpuset.end()));
        cpus placed;
        for (const auto& place : where.places) {
          placed.insert(placed.end(), place.begin(), place.end());
        }
        std::sort(placed.begin(), placed.end());
        ASSERT_EQ(placed, where.cpuset);
        ASSERT_EQ(where.places.size(), where.cores.size());
        ASSERT_TRUE(std::is_sorted(where.cores.begin(), where.cores.end()));
      }
    });
  }
}

TEST_P(PlannerProperties, ThreadsHavePusOfTheirOwnInsideTheCpuset) {
  const auto examine = [&](const auto& plan, const auto&) {
    for (const auto& where : plan) {
      ASSERT_GE(where.threads, 1);
      ASSERT_EQ(where.thread_pus.size(), static_cast<std::size_t>(where.threads));
      const std::set<int> distinct(where.thread_pus.begin(), where.thread_pus.end());
      ASSERT_TRUE(std::includes(where.cpuset.begin(), where.cpuset.end(), distinct.begin(),
                                distinct.end()));
      ASSERT_EQ(distinct.size(), std::min(where.cpuset.size(), where.thread_pus.size()));
    }
  };
  for (const auto& asked : every_request()) {
    for (const auto threads : {0, 1, 3, 20}) {
      for_all_plans(asked, examine, threads == 0 ? std::nullopt : std::optional(threads));
      if (HasFailure()) return;
    }
  }
}

TEST_P(PlannerProperties, TasksAreDisjointWhileThereArePus) {
  for (const auto how : policies_by_core) {
    for (const auto threads : {0, 1, 3}) {
      for_all_plans(
          {.how = how, .smt = threads == 3},
          [&](const auto& plan, const auto& usable) {
            const bool enough = plan.size() <= usable.size();
            std::set<int> used;
            for (const auto& where : plan) {
              for (const int unit : where.cpuset) {
                ASSERT_TRUE(used.insert(unit).second || !enough) << unit;
              }
              if (enough) {
                ASSERT_FALSE(where.shared);
              }
            }
          },
          threads == 0 ? std::nullopt : std::optional(threads));
    }
  }
}

TEST_P(PlannerProperties, TasksThatShareAnObjectHaveThreadsOnPusOfTheirOwn) {
  for (const auto how : policies_by_object) {
    for_all_plans({.how = how}, [&](const auto& plan, const auto&) {
      std::map<cpus, std::size_t> tasks;
      std::map<cpus, std::set<int>> used;
      for (const auto& where : plan) ++tasks[where.cpuset];
      for (const auto& where : plan) {
        if (tasks[where.cpuset] > where.cpuset.size()) continue;
        for (const int unit : where.thread_pus) {
          ASSERT_TRUE(used[where.cpuset].insert(unit).second) << unit;
        }
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

TEST_P(PlannerProperties, CoreSpreadAndCompactGiveAsManyCoresAsThreads) {
  for (const auto how : {policy::core, policy::spread, policy::compact}) {
    for (const auto threads : {1, 2, 3}) {
      for_all_plans(
          {.how = how},
          [&](const auto& plan, const auto& usable) {
            const auto cores = count_cores(usable);
            if (plan.size() > cores) return;
            const auto each = std::min(static_cast<std::size_t>(threads), cores / plan.size());
            for (const auto& where : plan) ASSERT_EQ(where.cores.size(), each);
          },
          threads);
    }
  }
}

TEST_P(PlannerProperties, NoCoreHasTwoTasksMoreThanAnotherWithRoom) {
  for_all_plans({}, [&](const auto& plan, const auto& usable) {
    if (plan.size() > usable.size()) return;
    std::map<int, std::size_t> room;
    std::map<int, std::size_t> tasks;
    for (const int unit : usable) ++room[pu_of.at(unit).core];
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

/// Of each kind of cores a task has neighbours in the row of allowed cores, and the tasks stand
/// along the row in the order of their numbers.
TEST_P(PlannerProperties, SharesAreContiguousInLocalityOrder) {
  for (const auto how : policies_by_core) {
    for_all_plans({.how = how}, [&](const auto& plan, const auto& usable) {
      if (plan.size() > usable.size()) return;
      std::map<int, int> kinds;     // by core, in locality order
      std::map<int, int> place_of;  // core -> place among the allowed cores of its kind
      for (const int unit : usable) kinds[pu_of.at(unit).core] = pu_of.at(unit).kind;
      std::map<int, int> next;
      for (const auto& [core, kind] : kinds) place_of[core] = next[kind]++;
      std::map<int, int> last;
      for (const auto& where : plan) {
        std::map<int, int> before;
        for (const int core : where.cores) {
          const auto kind = kinds.at(core);
          if (before.contains(kind)) {
            ASSERT_EQ(place_of[core], before[kind] + 1);
          } else if (last.contains(kind)) {
            ASSERT_GE(place_of[core], last[kind]);
          }
          before[kind] = last[kind] = place_of[core];
        }
      }
    });
  }
}

TEST_P(PlannerProperties, FastCoresComeFirst) {
  for (const auto how : policies_by_core) {
    for_all_plans(
        {.how = how},
        [&](const auto& plan, const auto& usable) {
          if (plan.size() > count_cores(usable)) return;
          std::map<int, int> kinds;
          for (const int unit : usable) kinds[pu_of.at(unit).core] = pu_of.at(unit).kind;
          std::vector<int> fastest;
          for (const auto& [core, kind] : kinds) fastest.push_back(kind);
          std::sort(fastest.rbegin(), fastest.rend());
          fastest.resize(plan.size());
          std::vector<int> used;
          for (const auto& where : plan) {
            used.push_back(pu_of.at(where.thread_pus.front()).kind);
          }
          std::sort(used.rbegin(), used.rend());
          ASSERT_EQ(used, fastest);
        },
        1);
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, PlannerProperties, machines(), machine_name);

}  // namespace
}  // namespace berth::pinning
