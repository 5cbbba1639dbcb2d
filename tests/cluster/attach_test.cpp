// berth ps, exec, stop and logs against running jobs.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Attach : public ClusterTest {};
class AttachOnLab : public LabTest {};

// A batch job whose script runs until the object ends; ready when it has made the file "ready".
class running_job {
 public:
  explicit running_job(const std::string& script, const std::string& options = "-N1 -n2") {
    shell("rm -f ready*; cat >job.sh", "#!/bin/bash\n" + script);
    id_ = line(shell(fmt::format("sbatch --parsable -o job.out {} job.sh", options)).out);
  }
  ~running_job() { shell("scancel --signal=KILL --full " + id_ + "; scancel " + id_); }
  running_job(const running_job&) = delete;
  running_job& operator=(const running_job&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::string step(int number) const { return fmt::format("{}.{}", id_, number); }
  // Each task that is ready has made a file "ready*".
  void wait_for(std::size_t tasks) const {
    const auto all = fmt::format("test $(ls ready* 2>/dev/null | wc -l) -ge {}", tasks);
    ASSERT_TRUE(comes_true([&] { return shell(all).exit_code == 0; })) << shell("cat job.out").out;
  }

 private:
  std::string id_;
};

// Tells of itself in files, and stays.
constexpr const char* telling_task =
    "'export OWN=\"a value\"; readlink /proc/self/ns/mnt >mnt.$SLURM_PROCID; env "
    ">env.$SLURM_PROCID; "
    "grep Cpus_allowed_list /proc/self/status >cpus.$SLURM_PROCID; touch ready.$SLURM_PROCID; "
    "exec sleep 1000'";

std::string telling(const std::string& options) {
  return fmt::format("srun --container=own.sqsh {} sh -c {}\n", options, telling_task);
}

// What a program started by hand has in common with a task: all but what makes a rank, and the
// shell's own.
std::set<std::string> variables(const std::string& text) {
  std::set<std::string> found;
  for (const auto& entry : split(text, '\n')) {
    const bool differs = entry.starts_with("PMI") || entry.starts_with("SLURM_STEPID=") ||
                         entry.starts_with("SLURM_STEP_ID=") || entry.starts_with("_=") ||
                         entry.starts_with("TERM=") || entry.starts_with("OLDPWD=");
    if (!differs) found.insert(entry);
  }
  return found;
}

TEST_F(Attach, ExecSeesWhatTheTaskSees) {
  const running_job job(telling("-n2 --pin=core"));
  job.wait_for(2);
  const auto see = "sh -c 'readlink /proc/self/ns/mnt; grep Cpus_allowed_list /proc/self/status'";
  for (const auto* task : {"0", "1"}) {
    const auto end = shell(fmt::format("berth exec {} --task {} -- {}", job.id(), task, see));
    EXPECT_EQ(end.out, shell(fmt::format("cat mnt.{0} cpus.{0}", task)).out) << end.err;
    const auto theirs = shell(fmt::format("berth exec {} --task {} -- env", job.step(0), task));
    EXPECT_EQ(variables(theirs.out), variables(shell(fmt::format("cat env.{}", task)).out));
  }
  // The first task of the node, where none is named; and no new rights for it either.
  EXPECT_EQ(shell("berth exec " + job.id() + " sh -c 'echo $SLURM_PROCID; pwd'").out,
            "0\n" + folder() + "\n");
  EXPECT_THAT(shell("berth exec " + job.id() + " grep NoNewPrivs /proc/self/status").out,
              HasSubstr("1"));
}

TEST_F(Attach, ExecPassesInputOutputAndTheEndThrough) {
  const running_job job(telling("-n1"));
  job.wait_for(1);
  const auto exec = "berth exec " + job.id();
  EXPECT_EQ(shell(exec + " cat", "one\ntwo\n").out, "one\ntwo\n");
  EXPECT_EQ(shell(exec + " -- sh -c 'exit 7'").exit_code, 7);
  EXPECT_EQ(shell(exec + " -- sh -c 'kill -KILL $$'").exit_code, 137);
  EXPECT_EQ(shell(exec + " -- no-such-program").exit_code, 2);
}

TEST_F(Attach, AnMpiProgramRunsAlone) {
  const running_job job(telling("-n2"));
  job.wait_for(2);
  const auto end = shell("timeout 60 berth exec " + job.id() + " probe");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("\"rank\":0,\"size\":1,"));
}

TEST_F(Attach, ExecGivesATerminal) {
  const running_job job(telling("-n1"));
  job.wait_for(1);
  const auto end =
      shell(fmt::format("TERM=xterm-256color script -qec 'berth exec -it {} -- sh -c \"tty; echo "
                        "\\$TERM\"' /dev/null </dev/null",
                        job.id()));
  EXPECT_THAT(end.out, HasSubstr("/dev/pts/"));
  EXPECT_THAT(end.out, HasSubstr("xterm-256color"));
  const auto none = shell("berth exec -t " + job.id() + " true");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("no terminal"));
}

TEST_F(Attach, PsShowsEveryNodeAndExecFindsTheTasks) {
  const running_job job(telling("-N2 -n4"), "-N2 -n4");
  job.wait_for(4);
  const auto end = shell("berth ps --json " + job.id());
  ASSERT_EQ(end.exit_code, 0) << end.err;
  const auto told = nlohmann::json::parse(end.out);
  ASSERT_EQ(told["containers"].size(), 2U) << end.out;
  std::set<int> ranks;
  std::set<std::string> nodes;
  for (const auto& one : told["containers"]) {
    EXPECT_EQ(one["id"], job.step(0));
    EXPECT_EQ(one["image"], own_image());
    EXPECT_EQ(one["backend"], "fuse");
    EXPECT_LT(one["age_seconds"], 240);
    nodes.insert(one["node"]);
    ranks.insert(one["ranks"].begin(), one["ranks"].end());
  }
  EXPECT_EQ(nodes.size(), 2U);
  EXPECT_EQ(ranks, (std::set<int>{0, 1, 2, 3}));
  EXPECT_EQ(shell("berth ps -q " + job.step(0)).out, job.step(0) + "\n");
  // In the node's own table the step has two lines.
  EXPECT_EQ(split(shell("berth ps | grep " + own_image()).out, '\n').size(), 3U);
  for (const auto* task : {"0", "3"}) {
    const auto there =
        shell(fmt::format("berth exec {} --task {} -- readlink /proc/self/ns/mnt", job.id(), task));
    EXPECT_EQ(there.out, shell(fmt::format("cat mnt.{}", task)).out) << there.err;
  }
  const auto second = *nodes.rbegin();
  const auto named =
      shell(fmt::format("berth exec {} --node {} sh -c 'echo $SLURMD_NODENAME'", job.id(), second));
  EXPECT_EQ(named.out, second + "\n") << named.err;
}

TEST_F(Attach, WhatCannotBeJoinedIsOneLine) {
  const running_job job("srun -n1 sh -c 'touch ready; exec sleep 1000'");
  job.wait_for(1);
  const std::pair<std::string, std::string> calls[] = {
      {job.id(), "step " + job.step(0) + " has no container on this node"},
      {job.step(5), "step " + job.step(5) + " does not run"},
      {"999999", "job 999999 neither runs nor waits"},
      {job.id() + " --node elsewhere", "does not run on node elsewhere"},
  };
  for (const auto& [which, reason] : calls) {
    const auto end = shell(fmt::format("berth exec {} touch joined", which));
    EXPECT_EQ(end.exit_code, 1) << which;
    EXPECT_THAT(end.err, HasSubstr(reason));
  }
  EXPECT_EQ(shell("berth exec seven true").exit_code, 2);
  EXPECT_NE(shell("ls joined").exit_code, 0);
  EXPECT_THAT(shell("berth ps -q " + job.id()).out, IsEmpty());
}

TEST_F(Attach, AUsersOwnNamespaceIsNotJoined) {
  ASSERT_EQ(shell("berth pack unshare sleep touch sh -o unshare.sqsh").exit_code, 0);
  // On the host, and in a container, whose marked root the user's namespace then shows.
  for (const auto* where : {"", "--container=unshare.sqsh"}) {
    const running_job job(
        fmt::format("srun -n1 {} unshare --user --map-root-user --mount sh -c "
                    "'touch ready; exec sleep 1000'",
                    where));
    job.wait_for(1);
    const auto end = shell("berth exec " + job.id() + " touch joined");
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_THAT(end.err, HasSubstr("has no container"));
    EXPECT_NE(shell("ls joined").exit_code, 0);
  }
}

TEST_F(Attach, NobodysWordLeadsIntoAnotherContainer) {
  // Step 1 is what is asked for. Step 0 says in its environment that it is step 1.
  const running_job job(
      "srun --overlap -n1 --container=own.sqsh sh -c 'export SLURM_STEP_ID=1 SLURM_STEPID=1 "
      "SLURM_PROCID=0; readlink /proc/self/ns/mnt >mnt.liar; touch ready.liar; exec sleep 1000' &\n"
      "until test -e ready.liar; do sleep 0.05; done\n" +
      telling("-n1 --overlap"));
  job.wait_for(2);
  const auto read = " -- readlink /proc/self/ns/mnt";
  EXPECT_EQ(shell("berth exec " + job.step(1) + read).out, shell("cat mnt.0").out);
  EXPECT_EQ(shell("berth exec " + job.step(0) + read).out, shell("cat mnt.liar").out);
  EXPECT_NE(shell("cat mnt.liar").out, shell("cat mnt.0").out);
  const auto which = shell("berth exec " + job.id() + " true");
  EXPECT_EQ(which.exit_code, 1);
  EXPECT_THAT(which.err, HasSubstr("name one: "));
}

TEST_F(Attach, StopEndsAStepAndAJob) {
  const running_job job(
      "srun -n1 --container=own.sqsh sh -c 'trap \"touch asked\" TERM; touch ready.a; while true; "
      "do "
      "sleep 0.1; done'\n"
      "srun -n1 --container=own.sqsh sh -c 'touch ready.b; exec sleep 1000'\nsleep 1000\n");
  job.wait_for(1);
  const auto end = shell("rm -f asked; berth stop -t 1 " + job.step(0));
  EXPECT_EQ(end.out, job.step(0) + "\n") << end.err;
  EXPECT_EQ(shell("ls asked").exit_code, 0);
  job.wait_for(2);
  EXPECT_EQ(shell("berth stop -f " + job.step(1)).out, job.step(1) + "\n");
  const auto again = shell("berth stop " + job.step(1));
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("does not run"));
  EXPECT_EQ(shell("berth stop " + job.id()).out, job.id() + "\n");
  EXPECT_THAT(shell("squeue -h -t R -j " + job.id()).out, IsEmpty());
}

TEST_F(Attach, LogsFollowUntilTheEnd) {
  const running_job job("echo one; touch ready; until test -e go; do sleep 0.05; done; echo two");
  job.wait_for(1);
  ASSERT_TRUE(comes_true([&] { return shell("berth logs " + job.id()).out == "one\n"; }));
  const auto end = shell(fmt::format(
      "timeout 60 berth logs -f {} >followed & until grep -q one followed; do sleep 0.05; done; "
      "touch go; wait $!; code=$?; cat followed; exit $code",
      job.id()));
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, "one\ntwo\n");
  EXPECT_EQ(shell("berth logs -n 1 " + job.id()).out, "two\n");
  const auto step = shell("berth logs " + job.step(0));
  EXPECT_EQ(step.exit_code, 1);
  EXPECT_THAT(step.err, HasSubstr("does not run"));
  EXPECT_THAT(step.err, HasSubstr("berth logs " + job.id()));
  shell("rm -f go followed");
}

TEST_F(AttachOnLab, OtherUsersAreRefused) {
  const running_job job(telling("-n1"), "-N1 -n1");
  job.wait_for(1);
  for (const auto* verb : {"exec", "stop", "ps", "logs"}) {
    const auto end = another_user(
        fmt::format("berth {} {} {}", verb, job.id(), verb == std::string("exec") ? "id" : ""));
    EXPECT_EQ(end.exit_code, 1) << verb << end.out;
    EXPECT_THAT(end.err, HasSubstr("belongs to ")) << verb;
    EXPECT_THAT(end.out, IsEmpty());
  }
  // What the program would not do, done by hand: from a job of his own, on the same node.
  const auto node = line(shell("squeue -h -o %N -j " + job.id()).out);
  const auto end = another_user(
      fmt::format("SLURM_BERTH_ATTACH={} srun --immediate=20 -n1 -w {} id", job.step(0), node));
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("is of another job"));
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_EQ(shell("squeue -h -t R -o %A -j " + job.id()).out, job.id() + "\n");
}

TEST_F(AttachOnLab, ANodeWithoutThePluginRunsNothing) {
  const running_job job(telling("-n1 -w n1"), "-w n1 -n1");
  job.wait_for(1);
  const auto bare = covered("n1", "/etc/slurm/plugstack.conf", "");
  const auto end = shell("berth exec " + job.id() + " touch joined");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("no berth plugin"));
  EXPECT_NE(shell("ls joined").exit_code, 0);
}

TEST_F(AttachOnLab, AStoppedImageServerHangsNobody) {
  const running_job job(telling("-n1 -w n1"), "-w n1 -n1");
  job.wait_for(1);
  ASSERT_EQ(root_on("n1", "kill -STOP $(pidof berth-squashfuse)").exit_code, 0);
  const auto end = shell("timeout 60 berth exec " + job.id() + " ls /usr");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_NE(end.exit_code, 124);
  // The stopped server ends the step: the command comes before that, or after.
  EXPECT_THAT(end.err, AnyOf(HasSubstr("n1"), HasSubstr("neither runs nor waits"),
                             HasSubstr("runs no step")));
}

TEST_F(AttachOnLab, PsOfAJobShowsNoOtherJobOfTheNode) {
  const running_job first(telling("-n1 -w n1"), "-w n1 -n1");
  first.wait_for(1);
  const running_job second(telling("-n1 -w n1"), "-w n1 -n1");
  second.wait_for(1);
  for (const auto* job : {&first, &second}) {
    const auto end = shell("berth ps -q " + job->id());
    EXPECT_EQ(end.out, job->step(0) + "\n") << end.err;
  }
  const auto all = shell("berth ps -q");
  EXPECT_THAT(split(line(all.out), '\n'), UnorderedElementsAre(first.step(0), second.step(0)))
      << all.err;
}

// It runs nothing that could be sent a signal.
TEST_F(Attach, StopGivesAnAllocationBack) {
  const auto end = shell("salloc -Q --no-shell -N1 -n1; squeue -h -o %i --me | sort -n | tail -1");
  const auto job = line(end.out);
  const auto stopped = shell("berth stop -t 1 " + job);
  EXPECT_EQ(stopped.out, job + "\n") << stopped.err;
  EXPECT_THAT(shell("squeue -h -t R -j " + job).out, IsEmpty());
  login({"scancel", job});
}

TEST_F(AttachOnLab, PsNamesANodeThatDoesNotAnswer) {
  const running_job job(telling("-N2 -n2 -w n1,n2"), "-N2 -n2 -w n1,n2");
  job.wait_for(2);
  const changed_node silent("n2", "kill -STOP $(pidof slurmd)", "kill -CONT $(pidof slurmd)");
  const auto end = shell("timeout 30 berth ps --timeout 3 " + job.id());
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.err, HasSubstr("node n2 of job " + job.id() + " did not answer"));
}

}  // namespace
}  // namespace berth::test
