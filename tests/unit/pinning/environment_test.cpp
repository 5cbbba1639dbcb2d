#include "pinning/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const placement two_cores{.cpuset = {0, 1, 4, 5},
                          .cores = {0, 2},
                          .numa_nodes = {0},
                          .threads = 2,
                          .pinned = true,
                          .places = {{0, 4}, {1, 5}}};

TEST(Environment, GivesEachCoreAPlace) {
  EXPECT_THAT(thread_environment(two_cores, {.how = policy::automatic}),
              ElementsAre(variable{"OMP_NUM_THREADS", "2"}, variable{"OPENBLAS_NUM_THREADS", "2"},
                          variable{"MKL_NUM_THREADS", "2"}, variable{"OMP_PLACES", "{0,4},{1,5}"},
                          variable{"OMP_PROC_BIND", "spread"}));
}

TEST(Environment, LetsThreadsMoveWithinASharedNode) {
  EXPECT_THAT(thread_environment(two_cores, {.how = policy::numa}),
              ElementsAre(variable{"OMP_NUM_THREADS", "2"}, variable{"OPENBLAS_NUM_THREADS", "2"},
                          variable{"MKL_NUM_THREADS", "2"}, variable{"OMP_PROC_BIND", "false"}));
}

TEST(Environment, LeavesAnUnpinnedTaskAlone) {
  EXPECT_THAT(thread_environment(two_cores, {.how = policy::none}), IsEmpty());
}

}  // namespace
}  // namespace berth::pinning
