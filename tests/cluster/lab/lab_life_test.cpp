// How a lab starts, is repaired, and ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "base/text.hpp"
#include "lab.hpp"
#include "machine.hpp"

namespace berth::test {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

class LabLife : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "a lab needs root: namespaces, mounts, users";
  }
};

void expect_well(const lab& cluster, const std::string& nodes) {
  const auto got = cluster.call({"run", "srun", "-N" + nodes, "true"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  const auto status = cluster.call({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.out;
}

// Namespaces of the lab's nodes, all different from this process's own.
std::set<std::string> namespaces_of(const lab& cluster) {
  std::set<std::string> found;
  for (const auto& [node, holder] : cluster.holders()) found.merge(test::namespaces_of(holder));
  for (const auto& own : test::namespaces_of(::getpid())) found.erase(own);
  return found;
}

void kill_all(const std::vector<pid_t>& victims) {
  for (const pid_t victim : victims) ::kill(victim, SIGKILL);
}

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool job_runs(const lab& cluster) {
  return cluster.shell("squeue --noheader --format=%T").out == "RUNNING\n";
}

const std::vector<std::string> at_home = {"--chdir", "/home/alice"};

TEST_F(LabLife, DownLeavesNothing) {
  const auto links = network_links();
  const auto mounted = mounts();
  const auto images = loop_files();
  std::set<std::string> namespaces;
  {
    const lab cluster("test-down");
    ASSERT_EQ(cluster.call({"up", "--nodes", "2"}).exit_code, 0);
    namespaces = namespaces_of(cluster);
    EXPECT_EQ(namespaces.size(), 20U) << "5 kinds for each of ctl, login, n1 and n2";
    // Things that outlive their parents: a background process, a step, a loop device in use.
    ASSERT_EQ(cluster.shell("setsid -f sleep 1000 >/dev/null 2>&1 </dev/null").exit_code, 0);
    const auto image =
        cluster.shell("truncate -s 1M /srv/images/disk && losetup --find --show /srv/images/disk",
                      {"--user=root", "--node=n1"});
    ASSERT_EQ(image.exit_code, 0) << image.err;
    EXPECT_THAT(loop_files(), Not(images));
    ASSERT_EQ(cluster.shell("sbatch -N2 --wrap 'srun sleep 1000'", at_home).exit_code, 0);
    EXPECT_TRUE(comes_true(
        [&] { return cluster.shell("pgrep -x sleep -u alice", {"--node=n2"}).exit_code == 0; }));
    EXPECT_THAT(processes_in(namespaces), Not(IsEmpty()));
    const auto down = cluster.call({"down"});
    EXPECT_EQ(down.exit_code, 0) << down.err;
    EXPECT_THAT(processes_in(namespaces), IsEmpty());
    EXPECT_EQ(mounts(), mounted);
    EXPECT_EQ(network_links(), links);
    EXPECT_EQ(loop_files(), images);
    EXPECT_THAT(cluster.holders(), IsEmpty());
    EXPECT_EQ(cluster.call({"status"}).exit_code, 1);
  }
}

TEST_F(LabLife, TwoLabsRunSideBySide) {
  const lab one("test-one");
  const lab two("test-two");
  // Both start at the same time, as two people would.
  const pid_t first = one.start({"up", "--nodes", "2"});
  const pid_t second = two.start({"up", "--nodes", "1"});
  int status = -1;
  ASSERT_EQ(::waitpid(first, &status, 0), first);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(::waitpid(second, &status, 0), second);
  EXPECT_EQ(status, 0);
  expect_well(one, "2");
  EXPECT_EQ(two.shell("srun hostname; sinfo -h -o %D").out, "n1\n1\n");
  EXPECT_EQ(one.call({"down"}).exit_code, 0);
  expect_well(two, "1");
}

TEST_F(LabLife, UpTwiceKeepsRunningJobs) {
  const lab cluster("test-twice");
  ASSERT_EQ(cluster.call({"up", "--nodes", "1"}).exit_code, 0);
  ASSERT_EQ(cluster.shell("sbatch --wrap 'sleep 1000'", at_home).exit_code, 0);
  EXPECT_TRUE(comes_true([&] { return job_runs(cluster); }));
  EXPECT_EQ(cluster.call({"up"}).exit_code, 0);
  EXPECT_TRUE(job_runs(cluster));
}

TEST_F(LabLife, UpHealsAfterEverythingIsKilled) {
  const lab cluster("test-killed");
  ASSERT_EQ(cluster.call({"up", "--nodes", "2"}).exit_code, 0);
  ASSERT_EQ(cluster.shell("echo kept > ~/file").exit_code, 0);
  kill_all(processes_in(namespaces_of(cluster)));
  const auto up = cluster.call({"up"});
  EXPECT_EQ(up.exit_code, 0) << up.err;
  expect_well(cluster, "2");
  EXPECT_EQ(cluster.shell("cat ~/file").out, "kept\n");
}

// Processes of the lab's nodes that run the given program.
std::vector<pid_t> daemons_of(const lab& cluster, const std::string& program) {
  std::vector<pid_t> found;
  for (const pid_t process : processes_in(namespaces_of(cluster))) {
    const auto arguments = arguments_of(process);
    if (!arguments.empty() && arguments[0] == program) found.push_back(process);
  }
  return found;
}

TEST_F(LabLife, UpRestartsDaemonsThatWereKilled) {
  const lab cluster("test-daemons");
  ASSERT_EQ(cluster.call({"up", "--nodes", "2"}).exit_code, 0);
  for (const std::string daemon : {"slurmd", "slurmctld", "munged"}) {
    const auto victims = daemons_of(cluster, daemon);
    EXPECT_THAT(victims, Not(IsEmpty()));
    kill_all(victims);
    EXPECT_TRUE(comes_true([&] { return daemons_of(cluster, daemon).empty(); }));
    EXPECT_EQ(cluster.call({"status"}).exit_code, 1);
    const auto up = cluster.call({"up"});
    EXPECT_EQ(up.exit_code, 0) << daemon << ": " << up.err;
    expect_well(cluster, "2");
  }
}

TEST_F(LabLife, UpReplacesADeadNodeAndLeavesTheOthersAlone) {
  const lab cluster("test-dead");
  ASSERT_EQ(cluster.call({"up", "--nodes", "2"}).exit_code, 0);
  ASSERT_EQ(cluster.shell("sbatch -w n1 --wrap 'sleep 1000'", at_home).exit_code, 0);
  EXPECT_TRUE(comes_true([&] { return job_runs(cluster); }));
  const auto before = cluster.holders();
  kill_all({before.at("n2")});
  EXPECT_TRUE(comes_true([&] { return !cluster.holders().contains("n2"); }));
  const auto up = cluster.call({"up"});
  EXPECT_EQ(up.exit_code, 0) << up.err;
  EXPECT_EQ(cluster.holders().at("n1"), before.at("n1"));
  EXPECT_TRUE(job_runs(cluster));
  EXPECT_EQ(cluster.shell("srun -w n2 hostname").out, "n2\n");
}

TEST_F(LabLife, UpFinishesWhatAnInterruptedUpBegan) {
  // Moments spread over a start, which takes about a second.
  for (const auto moment : {30ms, 100ms, 200ms, 350ms}) {
    const lab cluster("test-half");
    const pid_t starter = cluster.start({"up", "--nodes", "2"});
    ASSERT_GT(starter, 0);
    std::this_thread::sleep_for(moment);
    ::kill(starter, SIGKILL);
    ::waitpid(starter, nullptr, 0);
    const auto up = cluster.call({"up", "--nodes", "2"});
    EXPECT_EQ(up.exit_code, 0) << moment.count() << " ms: " << up.err;
    expect_well(cluster, "2");
    const auto namespaces = namespaces_of(cluster);
    EXPECT_EQ(cluster.call({"down"}).exit_code, 0);
    EXPECT_THAT(processes_in(namespaces), IsEmpty());
  }
}

TEST_F(LabLife, UpWithOtherOptionsRestarts) {
  const lab cluster("test-size");
  ASSERT_EQ(cluster.call({"up", "--nodes", "1"}).exit_code, 0);
  ASSERT_EQ(cluster.call({"up", "--nodes", "3", "--cpus", "1"}).exit_code, 0);
  EXPECT_EQ(cluster.shell("sinfo -h -o '%D %c %T'", {}).out, "3 1 idle\n");
}

TEST_F(LabLife, DownOfNothingIsNoError) {
  const lab cluster("test-none");
  EXPECT_EQ(cluster.call({"down"}).exit_code, 0);
  EXPECT_EQ(cluster.call({"run", "true"}).exit_code, 1);
}

}  // namespace
}  // namespace berth::test
