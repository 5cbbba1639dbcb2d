#include <random>

#include "every_machine.hpp"

namespace berth::pinning {
namespace {

using PolicyProperties = every_machine;

int object_of(const pu& unit, policy how) {
  if (how == policy::package) return unit.package;
  return how == policy::numa || unit.l3 < 0 ? unit.numa : unit.l3;
}

TEST_P(PolicyProperties, ObjectPoliciesGiveEachTaskOneObjectRoundRobin) {
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

TEST_P(PolicyProperties, DeviceTasksAreNearTheirDevice) {
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

TEST_P(PolicyProperties, MemoryIsWhatTheStepMayUse) {
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

TEST_P(PolicyProperties, PlansDoNotDependOnHowCpusAreNumbered) {
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

TEST_P(PolicyProperties, TheSameQuestionHasTheSameAnswer) {
  for (const auto& asked : every_request()) {
    for_all_plans(asked, [&](const auto& expected, const auto& usable) {
      const auto tasks = static_cast<int>(expected.size());
      if (tasks % 5 != 0) return;
      ASSERT_EQ(plan(node, {.pus = usable, .tasks = tasks}, asked).value(), expected);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, PolicyProperties, machines(), machine_name);

}  // namespace
}  // namespace berth::pinning
