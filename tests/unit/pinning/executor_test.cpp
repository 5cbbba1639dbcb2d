#include "pinning/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <optional>

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A system that refuses or grants as the test says, and remembers what it was asked.
class scripted_affinity final : public affinity {
 public:
  result<std::vector<int>> get(pid_t) override {
    if (get_errno != 0) return fail_errno("cannot read", get_errno);
    return granted.value_or(asked);
  }
  result<void> set(pid_t pid, const std::vector<int>& cpus) override {
    asked = cpus;
    asked_pid = pid;
    ++sets;
    if (set_errno != 0) return fail_errno("cannot set", set_errno);
    return {};
  }
  result<void> set_memory(const memory_placement& wanted) override {
    memory = wanted;
    if (memory_errno != 0) return fail_errno("cannot set memory", memory_errno);
    return {};
  }

  int set_errno = 0;
  int get_errno = 0;
  int memory_errno = 0;
  std::optional<std::vector<int>> granted;
  std::optional<memory_placement> memory;
  std::vector<int> asked;
  pid_t asked_pid = -1;
  int sets = 0;
};

placement on(std::vector<int> cpus) {
  placement where;
  where.cpuset = std::move(cpus);
  return where;
}

TEST(Executor, SetsExactlyThePlannedCpus) {
  scripted_affinity system;
  EXPECT_TRUE(apply(on({1, 3}), system));
  EXPECT_THAT(system.asked, ElementsAre(1, 3));
  EXPECT_EQ(system.asked_pid, 0);
  EXPECT_FALSE(system.memory) << "memory is left alone unless asked";
}

TEST(Executor, TouchesNothingForAnUnpinnedTask) {
  scripted_affinity system;
  auto where = on({1, 3});
  where.pinned = false;
  EXPECT_TRUE(apply(where, system));
  EXPECT_EQ(system.sets, 0);
}

TEST(Executor, ExplainsEveryRefusal) {
  struct refusal {
    int set_errno;
    int get_errno;
    std::optional<std::vector<int>> granted;
    std::string says;
  };
  const std::vector<refusal> table = {
      {EINVAL, 0, {}, "Invalid argument; none of these CPUs is online and in the step's cpuset"},
      {EPERM, 0, {}, "Operation not permitted; a seccomp filter"},
      {ESRCH, 0, {}, "No such process"},
      {0, ESRCH, {}, "No such process"},
      {0, 0, std::vector{4, 5}, "granted CPU 4-5 instead"},
  };
  for (const auto& row : table) {
    scripted_affinity system;
    system.set_errno = row.set_errno;
    system.get_errno = row.get_errno;
    system.granted = row.granted;
    const auto done = apply(on({4, 5, 6}), system);
    ASSERT_FALSE(done) << row.says;
    EXPECT_THAT(done.error().text(), HasSubstr("cannot pin to CPU 4-6: "));
    EXPECT_THAT(done.error().text(), HasSubstr(row.says));
  }
}

TEST(Executor, SetsThePlannedMemoryAlsoForAnUnpinnedTask) {
  scripted_affinity system;
  auto where = on({1, 3});
  where.memory = {memory_mode::interleave, {0, 2}};
  for (const bool pinned : {true, false}) {
    system.memory.reset();
    where.pinned = pinned;
    EXPECT_TRUE(apply(where, system));
    EXPECT_EQ(system.memory, where.memory);
  }
}

TEST(Executor, ExplainsEveryRefusalOfMemory) {
  const std::pair<int, const char*> table[] = {
      {EINVAL, "Invalid argument; none of these nodes has memory that the step may use"},
      {EPERM, "Operation not permitted; a seccomp filter"},
      {ENOSYS, "Function not implemented; the kernel was built without NUMA"},
      {ENOMEM, "Cannot allocate memory"},
  };
  for (const auto& [number, says] : table) {
    scripted_affinity system;
    system.memory_errno = number;
    auto where = on({4});
    where.memory = {memory_mode::bind, {2, 3}};
    const auto done = apply(where, system);
    ASSERT_FALSE(done) << says;
    EXPECT_THAT(done.error().text(), HasSubstr("cannot place memory to NUMA node 2-3: "));
    EXPECT_THAT(done.error().text(), HasSubstr(says));
    EXPECT_THAT(system.asked, ElementsAre(4)) << "the CPUs are set all the same";
  }
}

TEST(Executor, AfterARefusalOfCpusMemoryIsLeftAlone) {
  scripted_affinity system;
  system.set_errno = EINVAL;
  auto where = on({4});
  where.memory = {memory_mode::local, {}};
  EXPECT_FALSE(apply(where, system));
  EXPECT_FALSE(system.memory);
}

TEST(LinuxAffinity, PinsThisThreadAndReadsItBack) {
  linux_affinity system;
  const auto before = system.get(0).value();
  ASSERT_FALSE(before.empty());
  EXPECT_TRUE(apply(on({before.back()}), system));
  EXPECT_THAT(system.get(0).value(), ElementsAre(before.back()));
  EXPECT_EQ(sched_getcpu(), before.back());
  ASSERT_TRUE(system.set(0, before));
  EXPECT_EQ(system.get(0).value(), before);
}

TEST(LinuxAffinity, ReportsCpusAndProcessesThatDoNotExist) {
  linux_affinity system;
  constexpr int far_away = 100'000;  // beyond the 1024 CPUs of a fixed cpu_set_t
  const auto nowhere = apply(on({far_away}), system);
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().text(), HasSubstr("cannot pin to CPU 100000: "));
  EXPECT_EQ(system.set(0, {}).error().code(), std::errc::invalid_argument);
  constexpr pid_t nobody = 0x7fffffff;  // above any pid_max
  EXPECT_EQ(system.get(nobody).error().code(), std::errc::no_such_process);
}

TEST(LinuxAffinity, SeesACpuThatWasDroppedSilently) {
  linux_affinity system;
  const auto before = system.get(0).value();
  const auto partly = apply(on({before.front(), 100'000}), system);
  ASSERT_TRUE(system.set(0, before));
  ASSERT_FALSE(partly);
  EXPECT_THAT(partly.error().text(), HasSubstr("granted CPU"));
}

}  // namespace
}  // namespace berth::pinning
