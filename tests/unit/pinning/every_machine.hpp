#pragma once
// What must hold on every machine, for 1 to twice as many tasks as PUs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <random>
#include <set>
#include <string>

#include "pinning/planner.hpp"
#include "topology/load.hpp"

namespace berth::pinning {

using topology::machine;
using topology::pu;
using cpus = std::vector<int>;

inline constexpr std::initializer_list<policy> policies_by_core = {policy::automatic, policy::core,
                                                                   policy::spread, policy::compact};
inline constexpr std::initializer_list<policy> policies_by_object = {policy::l3, policy::numa,
                                                                     policy::package};

class every_machine : public testing::TestWithParam<std::string> {
 protected:
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

inline auto machines() {
  return testing::Values("coral-lassen.xml", "epyc-corona.xml", "eas-tioga.xml",
                         "AMD-17h-Zen-2xEpyc-7451.xml", "Intel-CascadeLake-2xXeon6230.xml",
                         "64intel64-fakeKNL-SNC4-hybrid.xml", "32em64t-2n8c2t-pci-wholeio.xml",
                         "16em64t-4s2c2t-offlines.xml", "hybrid-4p8e.xml",
                         "reversed hybrid-4p8e.xml", "pu:1", "numa:3 core:5 pu:1",
                         "package:2 numa:2 l3:3 core:3 pu:2", "package:3 l3:1 numa:2 core:2 pu:4");
}

inline std::string machine_name(const testing::TestParamInfo<std::string>& instance) {
  auto name = instance.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace berth::pinning
