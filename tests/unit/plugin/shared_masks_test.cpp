#include "plugin/shared_masks.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SharedMasks, StartEmpty) {
  const auto masks = shared_masks::create(3);
  ASSERT_TRUE(masks) << masks.error().text();
  EXPECT_THAT(masks->all(), IsEmpty());
}

TEST(SharedMasks, AreTheUnionOfAllTasks) {
  auto masks = shared_masks::create(3);
  ASSERT_TRUE(masks);
  masks->store(2, {8191, 64});
  masks->store(0, {63, 0});
  masks->store(1, {64});
  EXPECT_THAT(masks->all(), ElementsAre(0, 63, 64, 8191));
}

TEST(SharedMasks, ACpuBeyondTheLimitTouchesNoOtherTask) {
  auto masks = shared_masks::create(2);
  ASSERT_TRUE(masks);
  masks->store(0, {8192, 100000, -1});
  EXPECT_THAT(masks->all(), IsEmpty());
}

TEST(SharedMasks, WhatOneProcessStoresAnotherSees) {
  auto masks = shared_masks::create(4);
  ASSERT_TRUE(masks);
  const auto pid = ::fork();
  if (pid == 0) {
    masks->store(3, {5, 7});
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_THAT(masks->all(), ElementsAre(5, 7));
}

TEST(SharedMasks, MoveToANewOwner) {
  auto first = shared_masks::create(1);
  ASSERT_TRUE(first);
  first->store(0, {3});
  const shared_masks second(std::move(*first));
  EXPECT_THAT(second.all(), ElementsAre(3));
}

}  // namespace
}  // namespace berth::plugin
