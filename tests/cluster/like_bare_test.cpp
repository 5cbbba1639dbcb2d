// A task in a container is the same person, with the same signals, exit codes and environment, as
// the task of a bare srun: each test runs the same command both ways.

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class LikeBareSrun : public ClusterTest {};
class LikeBareSrunOnLab : public LabTest {};

const std::string contained = "--container=own.sqsh ";

// Runs `srun OPTIONS COMMAND` bare and in the container, and returns the latter's outcome.
outcome expect_same(const std::string& options, const std::string& command,
                    const std::string& input = {}) {
  const auto bare = shell("srun " + options + ' ' + command, input);
  auto inside = shell("srun " + contained + options + ' ' + command, input);
  EXPECT_EQ(inside.exit_code, bare.exit_code) << inside.err;
  EXPECT_EQ(inside.out, bare.out) << inside.err;
  return inside;
}

TEST_F(LikeBareSrun, KeepsUserAndGroups) {
  const auto inside = expect_same("", "id");
  EXPECT_THAT(inside.out, ContainsRegex("uid=[1-9]"));
  EXPECT_EQ(inside.out, shell("id").out);
}

TEST_F(LikeBareSrun, KeepsNamesOfOtherUsers) {
  expect_same("", "stat -c '%U %G' ~ / /tmp");
}

TEST_F(LikeBareSrun, PassesStandardInput) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + '\n';
  EXPECT_EQ(expect_same("", "cat", text).out, text);
}

TEST_F(LikeBareSrun, PassesExitCodes) {
  EXPECT_EQ(expect_same("", "sh -c 'exit 7'").exit_code, 7);
}

TEST_F(LikeBareSrun, PassesDeathBySignal) {
  EXPECT_EQ(expect_same("", "sh -c 'kill -SEGV $$'").exit_code, 128 + 11);
}

TEST_F(LikeBareSrun, KeepsBothOutputsApart) {
  const auto inside = expect_same("", "sh -c 'echo out; echo err >&2'");
  EXPECT_EQ(inside.out, "out\n");
  EXPECT_EQ(inside.err, "err\n");
}

TEST_F(LikeBareSrun, NeverGainsPrivileges) {
  EXPECT_EQ(shell("srun " + contained + "grep NoNewPrivs /proc/self/status").out,
            "NoNewPrivs:\t1\n");
}

TEST_F(LikeBareSrun, DeliversSignalsToTheTask) {
  // The task tells that its trap is set, gets the signal, and ends by itself.
  const auto end = shell(R"(
    srun --container=own.sqsh bash -c '
      trap "echo caught; exit 3" USR1; echo $SLURM_JOB_ID >ready
      while true; do sleep 0.05; done' &
    until [ -s ready ]; do sleep 0.02; done
    scancel -s USR1 $(cat ready).0
    wait $!)");
  EXPECT_EQ(end.exit_code, 3) << end.err;
  EXPECT_EQ(end.out, "caught\n");
}

TEST_F(LikeBareSrun, EndsTheStepOnSigintToSrun) {
  const auto end = shell(R"(
    srun --container=own.sqsh bash -c 'echo $SLURM_JOB_ID >started; exec sleep 60' 2>interrupted &
    until [ -s started ]; do sleep 0.02; done
    kill -INT $!
    until grep -q 'one more' interrupted; do sleep 0.02; done
    kill -INT $!; wait $!)");
  EXPECT_EQ(end.exit_code, 130) << end.err;
}

TEST_F(LikeBareSrun, GivesATerminalWithPty) {
  const auto end = shell(
      "script -qec 'srun --pty --container=own.sqsh sh -c \"tty && test -t 0 && exit 5\"' "
      "/dev/null </dev/null");
  EXPECT_EQ(end.exit_code, 5) << end.out;
  EXPECT_THAT(end.out, HasSubstr("/dev/pts/"));
}

TEST_F(LikeBareSrun, ExportsWhatTheUserSays) {
  const std::string print = "/bin/sh -c 'echo \"${FOO-unset} ${BAR-unset}\"'";
  const auto with = [&](const std::string& option) {
    const auto bare = shell("export FOO=1 BAR=2; srun " + option + ' ' + print);
    const auto end = shell("export FOO=1 BAR=2; srun " + contained + option + ' ' + print);
    EXPECT_EQ(end.exit_code, 0) << end.err;
    EXPECT_EQ(end.out, bare.out);
    return line(end.out);
  };
  EXPECT_EQ(with(""), "1 2");
  EXPECT_EQ(with("--export=NONE"), "unset unset");
  EXPECT_EQ(with("--export=FOO=3"), "3 unset");
  EXPECT_EQ(with("--export=BAR,NEW=4"), "unset 2");
  EXPECT_EQ(with("--export=ALL,NEW=4"), "1 2");
}

TEST_F(LikeBareSrun, KeepsTheUsersWordOverTheImages) {
  EXPECT_EQ(shell("srun --container=own.sqsh --export=PATH=/bin sh -c 'echo $PATH'").out, "/bin\n");
}

TEST_F(LikeBareSrun, ShowsNoneOfThePluginsOwnVariables) {
  const auto end = shell("srun --pin=core " + contained + "env");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, Not(HasSubstr("BERTH")));
}

TEST_F(LikeBareSrun, StartsInTheSubmitDirectory) {
  EXPECT_EQ(expect_same("", "pwd").out, folder() + '\n');
  EXPECT_EQ(expect_same("", "sh -c 'echo $PWD'").out, folder() + '\n');
}

TEST_F(LikeBareSrun, StartsWhereChdirSays) {
  EXPECT_EQ(expect_same("--chdir=/var/tmp", "pwd").out, "/var/tmp\n");
  ASSERT_EQ(shell("mkdir -p below").exit_code, 0);
  EXPECT_EQ(expect_same("--chdir=below", "pwd").out, folder() + "/below\n");
}

// Puts a line into slurm.conf, and takes it away again.
class task_prolog {
 public:
  explicit task_prolog(const std::string& script) {
    root_on("login", "cat >/srv/images/prolog <<'END'\n#!/bin/sh\n" + script +
                         "\nEND\nchmod 755 /srv/images/prolog; cp /etc/slurm/slurm.conf "
                         "/etc/slurm/slurm.conf.before; echo TaskProlog=/srv/images/prolog "
                         ">>/etc/slurm/slurm.conf");
    reconfigure("/srv/images/prolog");
  }
  ~task_prolog() {
    root_on("login",
            "cat /etc/slurm/slurm.conf.before >/etc/slurm/slurm.conf; rm -f "
            "/etc/slurm/slurm.conf.before /srv/images/prolog");
    reconfigure("(null)");
  }
  task_prolog(const task_prolog&) = delete;
  task_prolog& operator=(const task_prolog&) = delete;

 private:
  // A slurmd answers with what it runs with.
  static void reconfigure(const std::string& expected) {
    root_on("ctl", "scontrol reconfigure");
    EXPECT_TRUE(comes_true([&] {
      return shell("scontrol show config | grep ^TaskProlog").out.find(expected) !=
             std::string::npos;
    }));
  }
};

TEST_F(LikeBareSrunOnLab, RunsTaskProlog) {
  const task_prolog active(
      "echo export FROM_PROLOG=$(hostname):$SLURM_LOCALID:$(id -u); echo unset GONE; "
      "echo print hello; echo ignored; test -e /srv/images/prolog && echo export NODE=yes");
  const std::string show = "-w n1 sh -c 'echo \"$FROM_PROLOG ${GONE-unset} $NODE\"'";
  const auto bare = shell("export GONE=1; srun " + show);
  EXPECT_THAT(bare.out, ContainsRegex("hello\nn1:0:[0-9]+ unset yes\n"));
  const auto inside = shell("export GONE=1; srun " + contained + show);
  EXPECT_EQ(inside.out, bare.out) << inside.err;
  EXPECT_EQ(inside.exit_code, 0);
}

TEST_F(LikeBareSrunOnLab, StopsWhenTaskPrologFails) {
  const task_prolog active("exit 9");
  const auto bare = shell("srun touch bare-ran");
  const auto inside = shell("srun " + contained + "touch contained-ran");
  EXPECT_EQ(inside.exit_code, bare.exit_code) << inside.err;
  EXPECT_THAT(inside.err, HasSubstr("TaskProlog failed status=9"));
  EXPECT_NE(shell("ls contained-ran").exit_code, 0);
}

}  // namespace
}  // namespace berth::test
