#include "plugin/join_clock.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::plugin {
namespace {

using std::chrono::microseconds;

TEST(JoinClock, TheLastTaskLearnsTheLongest) {
  auto clock = join_clock::create(3);
  ASSERT_TRUE(clock);
  EXPECT_FALSE(clock->joined(microseconds(20)));
  EXPECT_FALSE(clock->joined(microseconds(90)));
  EXPECT_EQ(clock->joined(microseconds(40)), microseconds(90));
}

TEST(JoinClock, CountsOverProcesses) {
  constexpr int tasks = 64;
  auto clock = join_clock::create(tasks);
  ASSERT_TRUE(clock);
  std::vector<pid_t> children;
  for (int task = 0; task < tasks; ++task) {
    const auto pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      const auto longest = clock->joined(microseconds(task));
      ::_exit(!longest ? 0 : longest->count() == tasks - 1 ? 1 : 2);
    }
    children.push_back(pid);
  }
  int last = 0;
  for (const auto pid : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_LE(WEXITSTATUS(status), 1);
    last += WEXITSTATUS(status);
  }
  EXPECT_EQ(last, 1);
}

}  // namespace
}  // namespace berth::plugin
