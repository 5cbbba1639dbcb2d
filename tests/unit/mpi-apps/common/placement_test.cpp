#include "common/placement.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(Placement, ListsCpusAsLinuxDoes) {
  EXPECT_EQ(cpu_list({}), "");
  EXPECT_EQ(cpu_list({3}), "3");
  EXPECT_EQ(cpu_list({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
}

TEST(Placement, ReadsItsOwnLists) {
  for (const std::vector<int>& cpus : {std::vector<int>{}, {3}, {0, 1, 2, 5, 7, 8}, {10, 127}}) {
    EXPECT_EQ(cpu_numbers(cpu_list(cpus)), cpus);
  }
}

TEST(Placement, FollowsTheAffinityOfTheProcess) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  std::size_t first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(my_placement().cpus, std::to_string(first));
  sched_setaffinity(0, sizeof before, &before);
}

}  // namespace
}  // namespace berth::apps
