#include "pinning/describe.hpp"

#include <gtest/gtest.h>

namespace berth::pinning {
namespace {

TEST(Describe, IsOneLineOfKeysAndValues) {
  const placement where{.cpuset = {0, 1, 2, 9},
                        .cores = {0, 1},
                        .numa_nodes = {0, 8},
                        .threads = 2,
                        .pinned = true,
                        .places = {{0, 1}, {2, 9}}};
  EXPECT_EQ(describe(where, 3, "n2"),
            "rank 3 on n2: pinned cpuset=0-2,9 cores=0-1 numa=0,8 threads=2");
}

TEST(Describe, SaysWhatIsUnknownAndUnpinned) {
  const placement where{.cpuset = {1},
                        .cores = {1},
                        .numa_nodes = {},
                        .threads = 1,
                        .pinned = false,
                        .places = {{1}}};
  EXPECT_EQ(describe(where, 0, "login"),
            "rank 0 on login: unpinned cpuset=1 cores=1 numa=- threads=1");
}

}  // namespace
}  // namespace berth::pinning
