#include "pinning/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A task with some threads on the cores {0,4} and {1,5}.
placement two_cores(std::vector<int> thread_pus) {
  placement where;
  where.cpuset = {0, 1, 4, 5};
  where.cores = {0, 2};
  where.threads = static_cast<int>(thread_pus.size());
  where.thread_pus = std::move(thread_pus);
  where.places = {{0, 4}, {1, 5}};
  return where;
}

TEST(Environment, FreesTheFirstThreadAndBindsTheOthers) {
  EXPECT_THAT(thread_environment(two_cores({0, 1}), {}),
              ElementsAre(variable{"OMP_NUM_THREADS", "2"}, variable{"OPENBLAS_NUM_THREADS", "2"},
                          variable{"MKL_NUM_THREADS", "2"}, variable{"OMP_PLACES", "{0,1,4,5},{1}"},
                          variable{"OMP_PROC_BIND", "spread"}));
}

TEST(Environment, KeepsSmallTeamsOffSiblings) {
  EXPECT_THAT(thread_environment(two_cores({0, 1, 4}), {.smt = true}),
              testing::IsSupersetOf({variable{"OMP_PLACES", "{0,1,4,5},{1},{4}"},
                                     variable{"OMP_PROC_BIND", "close"}}));
}

TEST(Environment, BindsNothingWhereThatServesNobody) {
  for (const auto& where : {two_cores({0}), two_cores({0, 1, 4, 5, 0})}) {
    const auto count = std::to_string(where.threads);
    EXPECT_THAT(
        thread_environment(where, {}),
        ElementsAre(variable{"OMP_NUM_THREADS", count}, variable{"OPENBLAS_NUM_THREADS", count},
                    variable{"MKL_NUM_THREADS", count}, variable{"OMP_PROC_BIND", "false"}));
  }
}

TEST(Environment, LeavesAnUnpinnedTaskAlone) {
  EXPECT_THAT(thread_environment(two_cores({0, 1}), {.how = policy::none}), IsEmpty());
}

TEST(Environment, LeavesAloneWhatTheUserSet) {
  EXPECT_THAT(
      thread_environment(two_cores({0, 1}), {},
                         {"OMP_NUM_THREADS=1", "OMP_PLACES_OF_MINE=x",
                          "MKL_NUM_THREADS=", "OMP_PROC_BIND=close", "PATH=/bin"}),
      ElementsAre(variable{"OPENBLAS_NUM_THREADS", "2"}, variable{"OMP_PLACES", "{0,1,4,5},{1}"}));
}

TEST(Environment, GivesWayToOtherWaysOfBinding) {
  for (const auto* other : {"GOMP_CPU_AFFINITY=0-3", "KMP_AFFINITY=scatter"}) {
    EXPECT_THAT(thread_environment(two_cores({0, 1}), {}, {other}),
                ElementsAre(variable{"OMP_NUM_THREADS", "2"}, variable{"OPENBLAS_NUM_THREADS", "2"},
                            variable{"MKL_NUM_THREADS", "2"}));
  }
}

}  // namespace
}  // namespace berth::pinning
