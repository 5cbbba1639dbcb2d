#include "pinning/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::pinning {
namespace {

using testing::IsEmpty;
using testing::Not;

struct policy_now {
  int mode = -1;
  unsigned long nodes = 0;
};

policy_now current_policy() {
  constexpr unsigned long bits = 1024;
  unsigned long mask[bits / (8 * sizeof(unsigned long))] = {};
  policy_now now;
  if (::syscall(SYS_get_mempolicy, &now.mode, mask, bits, nullptr, 0) != 0) now.mode = -1;
  now.nodes = mask[0];
  return now;
}

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    const auto allowed = allowed_memory();
    ASSERT_TRUE(allowed) << "this kernel has no NUMA";
    ASSERT_THAT(*allowed, Not(IsEmpty()));
    node_ = allowed->front();
  }
  void TearDown() override { ::syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0); }

  int node_ = 0;
};

TEST_F(Memory, EveryModeReachesTheKernel) {
  const std::pair<memory_placement, int> table[] = {
      {{memory_mode::local, {}}, MPOL_LOCAL},
      {{memory_mode::bind, {node_}}, MPOL_BIND},
      {{memory_mode::interleave, {node_}}, MPOL_INTERLEAVE},
      {{memory_mode::prefer, {node_}}, MPOL_PREFERRED_MANY},
  };
  for (const auto& [wanted, mode] : table) {
    ASSERT_TRUE(set_memory_policy(wanted));
    const auto now = current_policy();
    EXPECT_EQ(now.mode, mode);
    EXPECT_EQ(now.nodes, wanted.nodes.empty() ? 0 : 1UL << node_);
  }
}

TEST_F(Memory, UnchangedChangesNothing) {
  ASSERT_TRUE(set_memory_policy({memory_mode::interleave, {node_}}));
  ASSERT_TRUE(set_memory_policy({}));
  EXPECT_EQ(current_policy().mode, MPOL_INTERLEAVE);
}

TEST_F(Memory, NodesThatThereAreNotAreRefused) {
  for (const int node : {1000, 1023, 5000}) {
    for (const auto mode : {memory_mode::bind, memory_mode::interleave, memory_mode::prefer}) {
      const auto set = set_memory_policy({mode, {node}});
      ASSERT_FALSE(set) << node;
      EXPECT_EQ(set.error().code(), std::errc::invalid_argument);
    }
  }
  EXPECT_EQ(current_policy().mode, MPOL_DEFAULT);
}

}  // namespace
}  // namespace berth::pinning
