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
using topology::pu;
using cpus = std::vector<int>;

constexpr std::initializer_list<policy> policies_by_core = {policy::automatic, policy::core,
                                                            policy::spread, policy::compact};
constexpr std::initializer_list<policy> policies_by_object = {policy::l3, policy::numa,
                                                              policy::package};

struct PlannerProperties : testing::TestWithParam<std::string> {
  void SetUp() override {
    constexpr std::string_view reversed = "reversed ";
    auto name = GetParam();
    const bool backwards = name.starts_with(reversed);
    if (backwards) name.erase(0, reversed.size());
    node = topology::load_described(name.ends_with(".xml") ? BERTH_TEST_DATA "/topologies/" + name
                                                           : name)
               .value();
    if (backwards) reverse(node);
    allowed = topology::os_indexes(node);
    for (const auto& unit : node.pus) pu_of[unit.os_index] = unit;
    half = half_of(allowed);
  }

  /// The same machine with its locality order backwards. @pre without devices, one NUMA node
  static void reverse(machine& node) {
    std::reverse(node.pus.begin(), node.pus.end());
    const auto last = node.pus.front().core;
    for (auto& unit : node.pus) unit.core = last - unit.core;
  }

  /// About half of the PUs, at random but always the same ones, and at least one.
  static cpus half_of(const cpus& all) {
    std::mt19937 random(7);
    cpus some;
    for (const int unit : all) {
      if (random() % 2 == 0 || (some.empty() && unit == all.back())) some.push_back(unit);
    }
    return some;
  }

  std::vector<request> every_request() const {
    std::vector<request> requests;
    for (const bool smt : {false, true}) {
      for (const auto how : policies_by_core) requests.push_back({.how = how, .smt = smt});
      for (const auto how : policies_by_object) requests.push_back({.how = how, .smt = smt});
      if (!node.devices.empty()) requests.push_back({.how = policy::device, .smt = smt});
      // CPUs that are in `half` too: the planner refuses others.
      requests.push_back({.how = policy::map, .smt = smt, .sets = {{half.front()}, half}});
    }
    requests.push_back({.how = policy::none});
    return requests;
  }

  std::size_t count_cores(const cpus& pus) const {
    std::set<int> cores;
    for (const int unit : pus) cores.insert(pu_of.at(unit).core);
    return cores.size();
  }

  /// Calls `examine(plan, usable)` for the whole and the half machine and all numbers of tasks;
  /// with threads given, for every one of the first 20 numbers and every seventh after them.
  template <class F>
  void for_all_plans(const request& asked, F examine, std::optional<int> threads = std::nullopt) {
    for (const auto& usable : {allowed, half}) {
      for (std::size_t tasks = 1; tasks <= 2 * usable.size();
           tasks += std::size_t{threads && tasks >= 20 ? 7U : 1U}) {
        SCOPED_TRACE(to_string(asked) + ": " + std::to_string(tasks) + " tasks of " +
                     std::to_string(threads.value_or(0)) + " threads on " +
                     std::to_string(usable.size()) + " PUs");
        const auto made = plan(
            node, {.pus = usable, .tasks = static_cast<int>(tasks), .threads_per_task = threads},
            asked);
        ASSERT_TRUE(made) << made.error().text();
        ASSERT_EQ(made->size(), tasks);
        examine(*made, usable);
        if (HasFailure()) return;
      }
    }
  }

  machine node;
  cpus allowed;
  cpus half;
  std::map<int, pu> pu_of;
};

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

int object_of(const pu& unit, policy how) {
  if (how == policy::package) return unit.package;
  return how == policy::numa || unit.l3 < 0 ? unit.numa : unit.l3;
}

TEST_P(PlannerProperties, ObjectPoliciesGiveEachTaskOneObjectRoundRobin) {
  for (const auto how : policies_by_object) {
    for_all_plans({.how = how}, [&](const auto& plan, const auto& usable) {
      std::set<int> objects;
      for (const int unit : usable) objects.insert(object_of(pu_of.at(unit), how));
      std::set<int> used;
      for (std::size_t t = 0; t < plan.size(); ++t) {
        const auto object = object_of(pu_of.at(plan[t].cpuset.front()), how);
        used.insert(object);
        for (const int unit : plan[t].cpuset) ASSERT_EQ(object_of(pu_of.at(unit), how), object);
        if (t >= objects.size()) {
          ASSERT_EQ(plan[t].cpuset, plan[t - objects.size()].cpuset);
        }
      }
      ASSERT_EQ(used.size(), std::min(objects.size(), plan.size()));
    });
  }
}

TEST_P(PlannerProperties, DeviceTasksAreNearTheirDevice) {
  if (node.devices.empty()) return;
  for_all_plans({.how = policy::device}, [&](const auto& plan, const auto& usable) {
    for (const auto& where : plan) {
      ASSERT_TRUE(where.device);
      const auto device =
          std::find_if(node.devices.begin(), node.devices.end(),
                       [&](const auto& it) { return name_of(it) == where.device->name; });
      ASSERT_NE(device, node.devices.end());
      std::set<int> near;
      for (int i = 0; i < device->near.count; ++i) {
        near.insert(node.pus[static_cast<std::size_t>(device->near.first + i)].os_index);
      }
      const auto is_near = [&](int unit) { return near.contains(unit); };
      if (std::none_of(usable.begin(), usable.end(), is_near)) continue;
      ASSERT_TRUE(std::all_of(where.cpuset.begin(), where.cpuset.end(), is_near));
    }
  });
}

TEST_P(PlannerProperties, MemoryIsWhatTheStepMayUse) {
  std::vector<int> nodes;
  for (const auto& memory : node.numa_nodes) nodes.push_back(memory.os_index);
  std::sort(nodes.begin(), nodes.end());
  const auto usable = half_of(nodes);
  for (const auto memory : {memory_policy::local, memory_policy::interleave}) {
    for (int tasks = 1; tasks <= static_cast<int>(allowed.size()); ++tasks) {
      const auto made =
          plan(node, {.pus = allowed, .numa_nodes = usable, .tasks = tasks}, {.memory = memory});
      ASSERT_TRUE(made) << made.error().text();
      for (const auto& where : *made) {
        const auto& chosen = where.memory.nodes;
        ASSERT_FALSE(chosen.empty());
        ASSERT_TRUE(std::includes(usable.begin(), usable.end(), chosen.begin(), chosen.end()));
        for (const int own : where.numa_nodes) {
          if (!std::binary_search(usable.begin(), usable.end(), own)) continue;
          ASSERT_TRUE(std::binary_search(chosen.begin(), chosen.end(), own));
        }
      }
    }
  }
}

TEST_P(PlannerProperties, PlansDoNotDependOnHowCpusAreNumbered) {
  cpus renamed(allowed.size());
  std::iota(renamed.begin(), renamed.end(), 1000);
  std::shuffle(renamed.begin(), renamed.end(), std::mt19937(3));
  std::map<int, int> name;
  for (std::size_t i = 0; i < allowed.size(); ++i) name[allowed[i]] = renamed[i];
  const auto rename = [&](cpus pus) {
    for (int& unit : pus) unit = name.at(unit);
    return pus;
  };
  const auto rename_set = [&](const cpus& pus) {
    auto set = rename(pus);
    std::sort(set.begin(), set.end());
    return set;
  };
  auto other = node;
  for (auto& unit : other.pus) unit.os_index = name.at(unit.os_index);
  for (const auto& asked : every_request()) {
    auto renamed_request = asked;
    for (auto& set : renamed_request.sets) set = rename_set(set);
    for_all_plans(asked, [&](const auto& expected, const auto& usable) {
      const auto tasks = static_cast<int>(expected.size());
      const auto made = plan(other, {.pus = rename_set(usable), .tasks = tasks}, renamed_request);
      ASSERT_TRUE(made);
      for (std::size_t t = 0; t < expected.size(); ++t) {
        auto same = expected[t];
        same.cpuset = rename_set(same.cpuset);
        same.thread_pus = rename(same.thread_pus);
        for (auto& place : same.places) place = rename(place);
        ASSERT_EQ(made->at(t), same) << "task " << t;
      }
    });
  }
}

TEST_P(PlannerProperties, TheSameQuestionHasTheSameAnswer) {
  for (const auto& asked : every_request()) {
    for_all_plans(asked, [&](const auto& expected, const auto& usable) {
      const auto tasks = static_cast<int>(expected.size());
      if (tasks % 5 != 0) return;
      ASSERT_EQ(plan(node, {.pus = usable, .tasks = tasks}, asked).value(), expected);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(
    Machines, PlannerProperties,
    testing::Values("coral-lassen.xml", "epyc-corona.xml", "eas-tioga.xml",
                    "AMD-17h-Zen-2xEpyc-7451.xml", "Intel-CascadeLake-2xXeon6230.xml",
                    "64intel64-fakeKNL-SNC4-hybrid.xml", "32em64t-2n8c2t-pci-wholeio.xml",
                    "16em64t-4s2c2t-offlines.xml", "hybrid-4p8e.xml", "reversed hybrid-4p8e.xml",
                    "pu:1", "numa:3 core:5 pu:1", "package:2 numa:2 l3:3 core:3 pu:2",
                    "package:3 l3:1 numa:2 core:2 pu:4"),
    [](const auto& instance) {
      auto name = instance.param;
      std::replace_if(
          name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
      return name;
    });

}  // namespace
}  // namespace berth::pinning
