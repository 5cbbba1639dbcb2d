#include "topology/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace berth::topology {
namespace {

/// Two cores of two PUs, each core with its own NUMA node, and a GPU near the second.
machine two_cores() {
  const auto unit = [](int os_index, int id) {
    return pu{.os_index = os_index, .core = id, .l2 = id, .l3 = id, .numa = id, .package = 0};
  };
  return {.pus = {unit(0, 0), unit(2, 0), unit(1, 1), unit(3, 1)},
          .numa_nodes = {{.os_index = 0, .bytes = 1, .near = {0, 2}},
                         {.os_index = 8, .bytes = 1, .near = {2, 2}}},
          .devices = {{.kind = device_kind::gpu,
                       .address = "0000:84:00.0",
                       .names = {"card0", "cuda0"},
                       .near = {2, 2}}}};
}

TEST(Machine, AcceptsWhatTheLoadersMake) {
  EXPECT_TRUE(validate(two_cores()));
  EXPECT_TRUE(validate({.pus = {pu{}}}));
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
      {"NUMA node OS index 0 appears twice", [](machine& m) { m.numa_nodes[1].os_index = 0; }},
      {"NUMA node OS index -8 is outside", [](machine& m) { m.numa_nodes[1].os_index = -8; }},
      {"NUMA node 1 of 1 does not exist", [](machine& m) { m.numa_nodes.pop_back(); }},
      {"NUMA node -2 of 2 does not exist", [](machine& m) { m.pus[0].numa = -2; }},
      {"logical id -2 is outside", [](machine& m) { m.pus[0].l2 = -2; }},
      {"logical id -2 is outside", [](machine& m) { m.pus[0].l3 = -2; }},
      {"logical id 8192 is outside", [](machine& m) { m.pus[0].package = max_pus; }},
      {"kind -1 is outside", [](machine& m) { m.pus[0].kind = -1; }},
      {"kind 256 is outside", [](machine& m) { m.pus[0].kind = max_kinds; }},
      {"core 1 is out of order", [](machine& m) { m.pus[0].core = 1; }},
      {"core -1 is out of order", [](machine& m) { m.pus[0].core = -1; }},
      {"core 0 is out of order", [](machine& m) { m.pus[3].core = 0; }},
      {"core 2 is out of order", [](machine& m) { m.pus[2].core = 2; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].l2 = 1; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].l3 = 1; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].numa = 1; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].package = 1; }},
      {"core 0 has more than one", [](machine& m) { m.pus[1].kind = 1; }},
      {"NUMA node 8 is near 3 PUs from position 2",
       [](machine& m) { m.numa_nodes[1].near.count = 3; }},
      {"is near 2 PUs from position -1", [](machine& m) { m.numa_nodes[1].near.first = -1; }},
      {"is near 0 PUs from position 2", [](machine& m) { m.numa_nodes[1].near.count = 0; }},
      {"is near -1 PUs from position 2", [](machine& m) { m.numa_nodes[1].near.count = -1; }},
      {"is near 2147483647 PUs from position 2147483647",
       [](machine& m) {
         m.numa_nodes[1].near = {2147483647, 2147483647};
       }},
      {"device \"cuda0\" is near",
       [](machine& m) {
         m.devices[0].near = {4, 1};
       }},
      {"neither name nor address",
       [](machine& m) { m.devices[0].names.clear(), m.devices[0].address.clear(); }},
      {"too many names", [](machine& m) { m.devices[0].names.assign(9, "x"); }},
      {"name of a device is too long", [](machine& m) { m.devices[0].names[0].assign(65, 'x'); }},
      {"name of a device is too long", [](machine& m) { m.devices[0].names[0] = "a b"; }},
      {"name of a device is too long", [](machine& m) { m.devices[0].names[0] = ""; }},
      {"address of a device is too long", [](machine& m) { m.devices[0].address = "a\n"; }},
      {"less than no bandwidth", [](machine& m) { m.devices[0].link_mb_per_s = -1; }},
      {"has 8193 PUs", [](machine& m) { m.pus.resize(max_pus + 1); }},
      {"1025 NUMA nodes", [](machine& m) { m.numa_nodes.resize(max_numa_nodes + 1); }},
      {"1025 devices", [](machine& m) { m.devices.resize(max_devices + 1); }},
  };
  for (const auto& c : cases) {
    auto node = two_cores();
    c.change(node);
    const auto valid = validate(node);
    ASSERT_FALSE(valid) << c.says;
    EXPECT_THAT(valid.error().text(), testing::HasSubstr(c.says));
  }
}

TEST(Machine, CallsADeviceAsLibrariesDo) {
  EXPECT_EQ(name_of(two_cores().devices[0]), "cuda0");
  EXPECT_EQ(name_of(device{.address = "0000:01:00.0"}), "0000:01:00.0");
}

TEST(Restricted, KeepsLogicalIdsAndWhatIsLeftOfRanges) {
  const auto part = restricted(two_cores(), std::vector{1, 3}, std::vector{0}).value();
  EXPECT_EQ(os_indexes(part), (std::vector{1, 3}));
  EXPECT_EQ(part.pus[0].core, 1);
  EXPECT_EQ(part.pus[0].numa, 1);
  EXPECT_EQ(part.numa_nodes[0].near, (pu_range{0, 0}));
  EXPECT_EQ(part.numa_nodes[1].near, (pu_range{0, 2}));
  EXPECT_EQ(part.devices[0].near, (pu_range{0, 2}));
  EXPECT_TRUE(part.numa_nodes[0].usable);
  EXPECT_FALSE(part.numa_nodes[1].usable);
}

TEST(Restricted, WithEverythingIsTheSameMachine) {
  EXPECT_EQ(restricted(two_cores(), std::vector{0, 1, 2, 3}).value(), two_cores());
}

TEST(Restricted, RefusesCpusThatAreNotThere) {
  const std::vector<std::pair<std::vector<int>, std::string>> cases = {
      {{}, "no CPU is allowed"},
      {{2, 1}, "not in ascending order"},
      {{1, 1}, "not in ascending order"},
      {{-1, 0}, "CPU -1 is not in the topology"},
      {{0, 4, 5, 9}, "CPU 4-5,9 is not in the topology of 4 CPUs; it may be offline"},
  };
  for (const auto& [pus, says] : cases) {
    const auto part = restricted(two_cores(), pus);
    ASSERT_FALSE(part) << says;
    EXPECT_THAT(part.error().text(), testing::HasSubstr(says));
  }
}

}  // namespace
}  // namespace berth::topology
