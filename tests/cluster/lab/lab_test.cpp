// What a user finds in a lab that is up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/text.hpp"
#include "lab.hpp"
#include "machine.hpp"

namespace berth::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> sorted_lines(const std::string& text) {
  auto lines = split(trim(text), '\n');
  std::sort(lines.begin(), lines.end());
  return lines;
}

class Lab : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::geteuid() != 0) return;
    cluster = std::make_unique<lab>("test-use");
    const auto up = cluster->call({"up", "--nodes", "4", "--cpus", "2"});
    ASSERT_EQ(up.exit_code, 0) << up.err;
  }
  static void TearDownTestSuite() { cluster.reset(); }
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "a lab needs root: namespaces, mounts, users";
  }

  static std::unique_ptr<lab> cluster;
};

std::unique_ptr<lab> Lab::cluster;

TEST_F(Lab, RunsACommandOnEveryNode) {
  const auto got = cluster->call({"run", "srun", "-N4", "hostname"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_THAT(sorted_lines(got.out), ElementsAre("n1", "n2", "n3", "n4"));
}

TEST_F(Lab, RunsMpiRanksThatFindEachOtherAcrossNodes) {
  std::filesystem::copy_file(BERTH_MPI_HELLO, cluster->folder() + "/images/mpi_hello");
  // 0 + 1 + ... + 7, twice: with the default of the lab and with the plugin named.
  for (const std::string mpi : {"", "--mpi=pmix "}) {
    const auto got = cluster->shell("srun -N4 -n8 " + mpi + "/srv/images/mpi_hello");
    EXPECT_EQ(got.exit_code, 0) << got.err;
    const auto lines = sorted_lines(got.out);
    ASSERT_EQ(lines.size(), 8U) << got.out;
    EXPECT_EQ(lines.front(), "rank 0 of 8 on n1, sum of ranks 28");
    EXPECT_EQ(lines.back(), "rank 7 of 8 on n4, sum of ranks 28");
  }
}

TEST_F(Lab, BindsTasksToCoresOfTheirOwn) {
  const auto got = cluster->shell("srun -N1 -n2 grep Cpus_allowed_list /proc/self/status");
  EXPECT_THAT(sorted_lines(got.out), ElementsAre("Cpus_allowed_list:\t0", "Cpus_allowed_list:\t1"));
}

TEST_F(Lab, HasUsersThatTheHostDoesNotKnow) {
  EXPECT_EQ(cluster->shell("srun id").out,
            "uid=20001(alice) gid=20001(alice) groups=20001(alice),20100(physics)\n");
  EXPECT_EQ(cluster->shell("srun id", {"--user", "bob"}).out,
            "uid=20002(bob) gid=20002(bob) groups=20002(bob),20100(physics)\n");
  const auto host = run({.argv = {"getent", "passwd", "alice", "20001"}, .env = {}, .input = {}});
  ASSERT_TRUE(host.has_value());
  EXPECT_EQ(host->exit_code, 2) << host->out;
}

TEST_F(Lab, KeepsUsersOutOfEachOthersHomes) {
  EXPECT_NE(cluster->shell("ls /home/alice", {"--user", "bob"}).exit_code, 0);
}

TEST_F(Lab, GivesALoginEnvironment) {
  const auto got = cluster->shell(R"(echo "$USER $LOGNAME $HOME $PATH ${BERTH_TEST:-clean}")");
  EXPECT_EQ(got.out, "alice alice /home/alice /opt/berth/bin:/usr/local/bin:/usr/bin:/bin clean\n");
}

TEST_F(Lab, KeepsTheCurrentFolderWhereTheUserCanEnterIt) {
  const auto origin = std::filesystem::current_path();
  std::filesystem::current_path("/usr/share");
  EXPECT_EQ(cluster->shell("pwd").out, "/usr/share\n");
  std::filesystem::current_path(cluster->folder());
  EXPECT_EQ(cluster->shell("pwd").out, "/home/alice\n");
  std::filesystem::current_path(origin);
  EXPECT_EQ(cluster->shell("pwd", {"--chdir", "/var"}).out, "/var\n");
}

TEST_F(Lab, PassesExitCodesAndArguments) {
  EXPECT_EQ(cluster->shell("exit 7").exit_code, 7);
  EXPECT_EQ(cluster->shell("srun sh -c 'exit 5'").exit_code, 5);
  EXPECT_EQ(cluster->shell("kill -9 $$").exit_code, 137);
  EXPECT_EQ(cluster->call({"run", "printf", "%s|", "a b", "", "$HOME"}).out, "a b||$HOME|");
}

TEST_F(Lab, ShowsEachNodeItsOwnNameAddressesAndHosts) {
  const auto got = cluster->shell(
      "hostname; cat /etc/hostname; hostname -I | tr -d ' '; getent hosts n2 | cut -d' ' -f1",
      {"--node", "n2"});
  EXPECT_THAT(got.out, "n2\nn2\n10.77.1.2\n10.77.1.2\n") << got.err;
}

TEST_F(Lab, GivesNodesTheirOwnTmpAndSharedMemory) {
  for (const std::string folder : {"/tmp", "/dev/shm", "/run"}) {
    EXPECT_EQ(cluster->shell("touch " + folder + "/here", {"--user=root", "--node=n1"}).exit_code,
              0);
    EXPECT_EQ(cluster->shell("ls " + folder + "/here", {"--node=n1"}).exit_code, 0);
    EXPECT_NE(cluster->shell("ls " + folder + "/here", {"--node=n2"}).exit_code, 0);
    EXPECT_FALSE(std::filesystem::exists(folder + "/here"));
  }
}

TEST_F(Lab, SharesHomesAndImagesBetweenNodes) {
  ASSERT_EQ(cluster->shell("echo kept > ~/file").exit_code, 0);
  EXPECT_EQ(cluster->shell("cat ~/file", {"--node=n3"}).out, "kept\n");
  EXPECT_NE(cluster->shell("touch /srv/images/x", {"--node=n3"}).exit_code, 0);
  EXPECT_EQ(cluster->shell("touch /srv/images/x", {"--user=root", "--node=n3"}).exit_code, 0);
  EXPECT_EQ(cluster->shell("ls /srv/images/x", {"--node=n4"}).exit_code, 0);
}

TEST_F(Lab, LetsAnAdministratorChangeOneNodesEtc) {
  ASSERT_EQ(cluster->shell("echo here > /etc/motd", {"--user=root", "--node=n1"}).exit_code, 0);
  EXPECT_EQ(cluster->shell("cat /etc/motd", {"--node=n1"}).out, "here\n");
  EXPECT_NE(cluster->shell("cat /etc/motd", {"--node=n2"}).out, "here\n");
}

TEST_F(Lab, HasSlurmsFoldersOfItsOwn) {
  EXPECT_EQ(cluster->shell("ls /etc/slurm", {"--node=n1"}).out,
            "mpi.conf\nplugstack.conf\nslurm.conf\n");
  EXPECT_EQ(cluster->shell("ls /etc/munge", {"--node=n1"}).out, "") << "readable by munge only";
}

TEST_F(Lab, EndsACommandTogetherWithItsCaller) {
  const pid_t caller = cluster->start({"run", "sh", "-c", "echo $$ > ~/pid; exec sleep 1000"});
  ASSERT_GT(caller, 0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto wait_for = [&](const std::string& script) {
    while (cluster->shell(script).exit_code != 0) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  };
  EXPECT_TRUE(wait_for("test -s ~/pid && pgrep -x sleep"));
  ::kill(caller, SIGKILL);
  ::waitpid(caller, nullptr, 0);
  EXPECT_TRUE(wait_for("! kill -0 $(cat ~/pid)"));
}

TEST_F(Lab, ReportsItsStateForPeopleAndPrograms) {
  const auto table = cluster->call({"status"});
  EXPECT_EQ(table.exit_code, 0) << table.out;
  EXPECT_THAT(table.out, HasSubstr("n4      up    idle"));
  const auto json = cluster->call({"status", "--json"});
  EXPECT_THAT(json.out, HasSubstr(R"("well": true)"));
}

TEST_F(Lab, ShowsLogsOfADaemonAndOfANode) {
  EXPECT_THAT(cluster->call({"logs", "slurmctld"}).out, HasSubstr("slurmctld version"));
  const auto node = cluster->call({"logs", "n2"});
  EXPECT_THAT(node.out, HasSubstr("slurmd version"));
  EXPECT_THAT(node.out, HasSubstr("munge-"));
}

TEST_F(Lab, NamesWhatIsWrongWithACall) {
  struct bad {
    std::vector<std::string> arguments;
    int exit_code;
    std::string text;
  };
  const std::vector<bad> calls = {
      {{"frobnicate"}, 2, "lab: error: unknown verb 'frobnicate'"},
      {{"up", "--nodes", "0"}, 2, "lab: error: --nodes takes a number from 1 to 99, not '0'"},
      {{"up", "--nodes"}, 2, "lab: error: option '--nodes' needs a value"},
      {{"up", "--berth", "/no/such"}, 1, "lab: error: no folder '/no/such'"},
      {{"up", "--berth", "/etc"}, 1, "lab: error: '/etc' holds no spank_berth.so"},
      {{"run", "--node", "n9", "true"}, 1, "lab: error: lab 'test-use' has no running node 'n9'"},
      {{"run", "--user", "eve", "true"}, 1, "lab: error: no user 'eve' in the lab"},
      {{"logs", "sendmail"}, 1, "lab: error: lab 'test-use' has no log of 'sendmail'"},
  };
  for (const auto& one : calls) {
    const auto got = cluster->call(one.arguments);
    EXPECT_EQ(got.exit_code, one.exit_code) << one.text;
    EXPECT_THAT(got.err, StartsWith(one.text));
    EXPECT_THAT(got.out, IsEmpty());
  }
  EXPECT_EQ(cluster->call({"status"}).exit_code, 0) << "a wrong call changes nothing";
}

}  // namespace
}  // namespace berth::test
