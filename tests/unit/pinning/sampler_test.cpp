#include "pinning/sampler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <functional>
#include <thread>

#include "pinning/executor.hpp"

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A process that does what the test says, step by step.
class puppet {
 public:
  explicit puppet(std::vector<std::function<void()>> steps) {
    std::array<int, 2> orders{};
    std::array<int, 2> reports{};
    EXPECT_EQ(::pipe(orders.data()), 0);
    EXPECT_EQ(::pipe(reports.data()), 0);
    pid = ::fork();
    if (pid == 0) {
      ::close(orders[1]);
      ::close(reports[0]);
      char byte = 0;
      for (const auto& step : steps) {
        if (::read(orders[0], &byte, 1) != 1) break;
        step();
        if (::write(reports[1], "d", 1) != 1) break;
      }
      while (::read(orders[0], &byte, 1) == 1) {
      }
      ::_exit(0);
    }
    ::close(orders[0]);
    ::close(reports[1]);
    orders_ = unique_fd(orders[1]);
    reports_ = unique_fd(reports[0]);
  }
  ~puppet() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  puppet(const puppet&) = delete;
  puppet& operator=(const puppet&) = delete;

  void next_step() {
    char byte = 0;
    ASSERT_EQ(::write(orders_.get(), "n", 1), 1);
    ASSERT_EQ(::read(reports_.get(), &byte, 1), 1);
  }
  [[nodiscard]] unique_fd handle() const {
    return unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }

  pid_t pid = -1;

 private:
  unique_fd orders_;
  unique_fd reports_;
};

std::vector<int> my_cpus() {
  return linux_affinity().get(0).value();
}

void go_to(int cpu) {
  if (!linux_affinity().set(0, {cpu})) ::_exit(1);
}

TEST(ThreadsOf, FindsThreadsAndDescendants) {
  puppet one({[] { std::thread([] { ::pause(); }).detach(); },
              [] {
                if (::fork() == 0) {
                  if (::fork() == 0) ::pause();
                  ::pause();
                }
              }});
  EXPECT_THAT(threads_of(one.pid), SizeIs(1));
  one.next_step();
  EXPECT_THAT(threads_of(one.pid), SizeIs(2));
  one.next_step();
  // The second fork is on its way when the step is done.
  while (threads_of(one.pid).size() < 4) ::sched_yield();
  const auto all = threads_of(one.pid);
  EXPECT_THAT(all, SizeIs(4));
  for (const auto& thread : all) {
    if (thread.thread != one.pid) ::kill(thread.thread, SIGKILL);
  }
}

TEST(ThreadsOf, SeesTheCpuAndWhetherTheThreadWantsToRun) {
  const auto cpus = my_cpus();
  for (const int cpu : {cpus.front(), cpus.back()}) {
    puppet one({[cpu] { go_to(cpu); }});
    one.next_step();
    auto seen = threads_of(one.pid);
    while (seen.front().runnable) seen = threads_of(one.pid);  // until it waits for the next order
    ASSERT_THAT(seen, SizeIs(1));
    EXPECT_EQ(seen.front().thread, one.pid);
    EXPECT_EQ(seen.front().cpu, cpu);
  }
  puppet busy({[] {
    if (::fork() == 0) {
      volatile int work = 0;
      for (;;) work = work + 1;
    }
  }});
  busy.next_step();
  const auto spins = [](const sighting& s) { return s.runnable; };
  auto family = threads_of(busy.pid);
  while (family.size() != 2 || std::none_of(family.begin(), family.end(), spins)) {
    ::sched_yield();
    family = threads_of(busy.pid);
  }
  for (const auto& thread : family) {
    if (thread.thread != busy.pid) ::kill(thread.thread, SIGKILL);
  }
}

TEST(ThreadsOf, AProcessThatHasEndedHasNone) {
  const auto pid = ::fork();
  if (pid == 0) ::_exit(0);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  EXPECT_THAT(threads_of(pid), IsEmpty()) << "a zombie";
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_THAT(threads_of(pid), IsEmpty());
}

TEST(Sampler, SeesAMoveToAnotherCpuAndOutOfTheSet) {
  const auto cpus = my_cpus();
  ASSERT_GE(cpus.size(), 2U) << "this machine has one CPU";
  const int home = cpus.front();
  const int away = cpus.back();
  puppet one({[home] { go_to(home); }, [away] { go_to(away); }, [home] { go_to(home); }});
  one.next_step();
  sampler look;
  look.watch(7, one.pid, one.handle(), {home});
  look.sample();
  one.next_step();
  look.sample();
  one.next_step();
  look.sample();
  const auto seen = look.take(7);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->so_far().samples, 3);
  EXPECT_EQ(seen->so_far().threads, 1);
  EXPECT_EQ(seen->so_far().migrations, 2);
  EXPECT_EQ(seen->so_far().outside, 1);
  EXPECT_THAT(seen->so_far().outside_cpus, ElementsAre(away));
}

TEST(Sampler, KeepsWhatItSawOfAProcessThatEnded) {
  sampler look;
  {
    puppet one({});
    look.watch(1, one.pid, one.handle(), my_cpus());
    look.sample();
  }
  look.sample();
  const auto seen = look.take(1);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->so_far().samples, 1);
  EXPECT_FALSE(look.take(1)) << "taken is gone";
  EXPECT_FALSE(look.take(2));
}

TEST(Sampler, LooksSoonAtFirstAndThenEveryTenthOfASecond) {
  using std::chrono::milliseconds;
  using clock = std::chrono::steady_clock;
  sampler look;
  EXPECT_LE(look.next(), clock::now()) << "at once";
  look.sample();
  EXPECT_LE(look.next(), clock::now() + milliseconds(11));
  for (int i = 0; i < 10; ++i) look.sample();
  EXPECT_GT(look.next(), clock::now() + milliseconds(50));
  EXPECT_LE(look.next(), clock::now() + milliseconds(101));
}

}  // namespace
}  // namespace berth::pinning
