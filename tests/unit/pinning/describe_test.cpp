#include "pinning/describe.hpp"

#include <gtest/gtest.h>

namespace berth::pinning {
namespace {

TEST(Describe, IsOneLineOfKeysAndValues) {
  placement where;
  where.cpuset = {0, 1, 2, 9};
  where.cores = {0, 1};
  where.numa_nodes = {0, 8};
  where.threads = 2;
  where.memory = {memory_mode::bind, {0, 8}};
  where.device = device_placement{topology::device_kind::network, "mlx5_0", ""};
  EXPECT_EQ(describe(where, 3, "n2"),
            "rank 3 on n2: pinned cpuset=0-2,9 cores=0-1 numa=0,8 threads=2 memory=bind:0,8 "
            "device=mlx5_0");
}

TEST(Describe, SaysWhatIsUnknownAndUnpinned) {
  placement where;
  where.cpuset = {1};
  where.cores = {1};
  where.pinned = false;
  EXPECT_EQ(describe(where, 0, "login"),
            "rank 0 on login: unpinned cpuset=1 cores=1 numa=- threads=1 memory=- device=-");
}

TEST(Describe, NamesMemoryByKindAndSize) {
  using topology::memory_kind;
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  const auto text = [](int index, memory_kind kind, std::uint64_t bytes) {
    return describe(
        topology::numa_node{.os_index = index, .kind = kind, .bytes = bytes, .near = {}});
  };
  EXPECT_EQ(text(0, memory_kind::dram, 256 * gib), "NUMA 0, 256 GiB");
  EXPECT_EQ(text(4, memory_kind::hbm, 16 * gib), "NUMA 4, hbm, 16 GiB");
  EXPECT_EQ(text(1, memory_kind::dram, 0), "NUMA 1");
  EXPECT_EQ(text(1, memory_kind::dram, 1536 * gib), "NUMA 1, 1.5 TiB");
  EXPECT_EQ(text(1, memory_kind::other, gib / 2), "NUMA 1, other, 512 MiB");
}

TEST(Describe, WritesMemoryPoliciesShort) {
  EXPECT_EQ(describe(memory_placement{}), "-");
  EXPECT_EQ(describe(memory_placement{memory_mode::local, {}}), "local");
  EXPECT_EQ(describe(memory_placement{memory_mode::interleave, {0, 1, 2}}), "interleave:0-2");
  EXPECT_EQ(describe(memory_placement{memory_mode::prefer, {4}}), "prefer:4");
}

TEST(Describe, CountsWhatAMachineTells) {
  topology::machine node;
  node.pus = {{.os_index = 0}, {.os_index = 1}};
  EXPECT_EQ(describe(node), "1 core, 2 PUs");
  node.pus = {{.os_index = 0, .core = 0, .l3 = 0, .numa = 0, .package = 0},
              {.os_index = 1, .core = 1, .l3 = 1, .numa = 0, .package = 0}};
  node.numa_nodes.resize(1);
  EXPECT_EQ(describe(node), "1 package, 1 NUMA node, 2 L3 caches, 2 cores, 2 PUs");
}

}  // namespace
}  // namespace berth::pinning
