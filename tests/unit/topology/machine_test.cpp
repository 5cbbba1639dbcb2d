#include "topology/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace berth::topology {
namespace {

/// Two cores of two PUs, each core with its own NUMA node.
machine two_cores() {
  return {.pus = {{.os_index = 0, .core = 0, .l3 = 0, .numa = 0, .package = 0},
                  {.os_index = 2, .core = 0, .l3 = 0, .numa = 0, .package = 0},
                  {.os_index = 1, .core = 1, .l3 = 1, .numa = 1, .package = 0},
                  {.os_index = 3, .core = 1, .l3 = 1, .numa = 1, .package = 0}},
          .numa_os_indexes = {0, 8}};
}

TEST(Machine, AcceptsWhatTheLoadersMake) {
  EXPECT_TRUE(validate(two_cores()));
  EXPECT_TRUE(validate({.pus = {pu{}}, .numa_os_indexes = {}}));
}

TEST(Machine, RefusesEveryBrokenRule) {
  struct broken {
    std::string says;
    std::function<void(machine&)> change;
  };
  const std::vector<broken> cases = {
      {"has no PUs", [](machine& m) { m.pus.clear(); }},
      {"PU OS index 1 appears twice", [](machine& m) { m.pus[3].os_index = 1; }},
      {"PU OS index -1 is outside", [](machine& m) { m.pus[0].os_index = -1; }},
      {"PU OS index 1048576 is outside", [](machine& m) { m.pus[0].os_index = 1'048'576; }},
      {"NUMA node OS index 0 appears twice", [](machine& m) { m.numa_os_indexes[1] = 0; }},
      {"NUMA node OS index -8 is outside", [](machine& m) { m.numa_os_indexes[1] = -8; }},
      {"NUMA node 1 of 1 does not exist", [](machine& m) { m.numa_os_indexes.pop_back(); }},
      {"NUMA node -2 of 2 does not exist", [](machine& m) { m.pus[0].numa = -2; }},
      {"logical id -2 is outside", [](machine& m) { m.pus[0].l3 = -2; }},
      {"logical id 8192 is outside", [](machine& m) { m.pus[0].package = max_pus; }},
      {"core 1 is out of order", [](machine& m) { m.pus[0].core = 1; }},
      {"core -1 is out of order", [](machine& m) { m.pus[0].core = -1; }},
      {"core 0 is out of order", [](machine& m) { m.pus[3].core = 0; }},
      {"core 2 is out of order", [](machine& m) { m.pus[2].core = 2; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].l3 = 1; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].numa = 1; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].package = 1; }},
      {"has 8193 PUs", [](machine& m) { m.pus.resize(max_pus + 1); }},
      {"8193 NUMA nodes", [](machine& m) { m.numa_os_indexes.resize(max_pus + 1); }},
  };
  for (const auto& c : cases) {
    auto node = two_cores();
    c.change(node);
    const auto valid = validate(node);
    ASSERT_FALSE(valid) << c.says;
    EXPECT_THAT(valid.error().text(), testing::HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace berth::topology
