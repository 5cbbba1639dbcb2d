#include "plugin/check.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::plugin {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

struct pipe_ends {
  unique_fd read, write;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// This process is slurmstepd here, and like init where orphans go: so the watcher's end can be
/// waited for. Its tasks run until they are told to end.
class Check : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    auto made = check_link::create(2);
    ASSERT_TRUE(made) << made.error().text();
    link_.emplace(std::move(*made));
    cpus_ = pinning::linux_affinity().get(0).value();
  }
  void TearDown() override {
    link_.reset();
    for (const auto task : tasks_) ::kill(task, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  /// Starts tasks 0 and 1, of ranks 10 and 11; waits until both are watched.
  void start_tasks() {
    auto ready = make_pipe();
    for (std::uint32_t local = 0; local < 2; ++local) {
      const auto pid = ::fork();
      if (pid == 0) be_task(local, ready.write.get());
      tasks_.push_back(pid);
    }
    link_->leave_other_end();
    ready.write.reset();
    EXPECT_EQ(read_all(ready.read.get(), 100).value_or(""), "rr");
    for (auto& out : errors_) out.write.reset();
  }
  [[noreturn]] void be_task(std::uint32_t local, int ready) {
    ::dup2(errors_[local].write.get(), STDERR_FILENO);
    const bool started = local != 0 || link_->start_watcher("n1", cpus_);
    link_->leave_other_end();
    const bool entered = started && link_->enter({local, 10 + local}, {cpus_.front()});
    const auto told = ::write(ready, entered ? "r" : "f", 1);
    ::close(ready);
    for (auto& out : errors_) out.write.reset();
    ::close(STDERR_FILENO);
    while (told == 1) ::pause();
    ::_exit(1);
  }
  void end_task(std::size_t local) {
    ::kill(tasks_[local], SIGKILL);
    ASSERT_EQ(::waitpid(tasks_[local], nullptr, 0), tasks_[local]);
  }
  /// The watcher is the child that is none of the tasks.
  [[nodiscard]] static pid_t watcher() {
    for (;;) {
      std::ifstream file("/proc/self/task/" + std::to_string(::gettid()) + "/children");
      for (pid_t child = 0; file >> child;) {
        const auto name = read_file("/proc/" + std::to_string(child) + "/comm", 100);
        if (name && *name == "berth-check\n") return child;
      }
      ::sched_yield();
    }
  }
  std::string written_by(std::size_t local) {
    return read_all(errors_[local].read.get(), 1 << 20).value_or("unreadable");
  }

  std::optional<check_link> link_;
  std::vector<int> cpus_;
  std::vector<pid_t> tasks_;
  std::array<pipe_ends, 2> errors_{make_pipe(), make_pipe()};
};

TEST_F(Check, EveryRankGetsItsLineWhenItEnds) {
  start_tasks();
  const auto form = [&](const char* rank) {
    return "berth: rank " + std::string(rank) +
           " on n1: checked cpuset=" + std::to_string(cpus_.front()) +
           " samples=[0-9]+ threads=[0-9]+ .*\n";
  };
  end_task(1);
  EXPECT_TRUE(link_->finish(1));
  EXPECT_THAT(written_by(1), MatchesRegex(form("11")));
  end_task(0);
  EXPECT_TRUE(link_->finish(0));
  EXPECT_THAT(written_by(0), MatchesRegex(form("10")));
}

TEST_F(Check, TheWatcherEndsWithTheLastTask) {
  start_tasks();
  const auto pid = watcher();
  for (std::uint32_t local = 0; local < 2; ++local) {
    end_task(local);
    EXPECT_TRUE(link_->finish(local));
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(Check, TheWatcherEndsWhenSlurmstepdIsKilled) {
  start_tasks();
  const auto pid = watcher();
  // Tasks that have become the user's program hold nothing of it.
  for (std::size_t local = 0; local < 2; ++local) end_task(local);
  link_.reset();
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(Check, ATaskThatWasNeverPinnedHoldsUpNothing) {
  start_tasks();
  EXPECT_TRUE(link_->finish(7));
}

TEST_F(Check, SignalsForTheJobDoNotEndTheWatcher) {
  start_tasks();
  const auto pid = watcher();
  for (const auto signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM}) {
    ASSERT_EQ(::kill(pid, signal), 0);
  }
  end_task(0);
  EXPECT_TRUE(link_->finish(0));
  EXPECT_THAT(written_by(0), HasSubstr("rank 10 on n1: checked"));
}

TEST_F(Check, AWatcherThatIsKilledIsNotWaitedFor) {
  start_tasks();
  const auto pid = watcher();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_FALSE(link_->finish(0));
  EXPECT_TRUE(link_->finish(1)) << "told once";
}

TEST_F(Check, AWatcherThatItsUserStopsDelaysTheEndByASecondAtMost) {
  start_tasks();
  ASSERT_EQ(::kill(watcher(), SIGSTOP), 0);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(link_->finish(0));
  EXPECT_TRUE(link_->finish(1));
  const auto spent = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(spent, std::chrono::milliseconds(1500));
  ::kill(watcher(), SIGKILL);
}

TEST_F(Check, AnErrorStreamThatNobodyReadsDelaysNothing) {
  errors_[0] = make_pipe();
  const std::string much(4096, 'x');
  ASSERT_EQ(::fcntl(errors_[0].write.get(), F_SETFL, O_NONBLOCK), 0);
  while (::write(errors_[0].write.get(), much.data(), much.size()) > 0) {
  }
  ASSERT_EQ(::fcntl(errors_[0].write.get(), F_SETFL, 0), 0);
  start_tasks();
  end_task(0);
  EXPECT_TRUE(link_->finish(0));
}

// It was forked from slurmstepd's child: it must keep nothing of what that had open.
TEST_F(Check, TheWatcherHoldsNothingButItsSocketAndTheRanks) {
  const unique_fd secret(::open("/etc/hostname", O_RDONLY));
  start_tasks();
  const auto pid = watcher();
  const auto folder = "/proc/" + std::to_string(pid) + "/fd";
  // A sample that is being taken has files of /proc open: looked at until there is none.
  const auto held = [&] {
    std::vector<std::string> targets;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      targets.push_back(std::filesystem::read_symlink(entry.path(), gone).string());
    }
    return targets;
  };
  // Its socket, and of each rank standard error and the process.
  constexpr std::size_t wanted = 5;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  auto targets = held();
  while (targets.size() != wanted && std::chrono::steady_clock::now() < deadline) targets = held();
  ASSERT_EQ(targets.size(), wanted);
  for (const auto& target : targets) {
    EXPECT_TRUE(target.starts_with("socket:") || target.starts_with("pipe:") ||
                target.starts_with("anon_inode:[pidfd]") || target.starts_with("pidfd:"))
        << target;
  }
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd"), "/");
}

// Its memory is a copy of slurmstepd's: to the user, who owns it, it must stay closed. A process
// that is not dumpable belongs to root in /proc.
TEST_F(Check, TheUserCannotTraceTheWatcher) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  auto ready = make_pipe();
  const auto task = ::fork();
  if (task == 0) {
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    // As after execve of the user's own program.
    ::prctl(PR_SET_DUMPABLE, 1);
    be_task(0, ready.write.get());
  }
  tasks_.push_back(task);
  ready.write.reset();
  ASSERT_EQ(read_all(ready.read.get(), 100).value_or(""), "r");
  const auto pid = watcher();
  struct stat info {};
  ASSERT_EQ(::stat(("/proc/" + std::to_string(pid) + "/mem").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  const auto status = *read_file("/proc/" + std::to_string(pid) + "/status", 1 << 16);
  EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534\n"));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000"));
}

}  // namespace
}  // namespace berth::plugin
