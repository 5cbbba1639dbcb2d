// berth logs of running steps, wherever they write, and of parts of arrays and heterogeneous jobs.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Logs : public ClusterTest {};
class LogsOnLab : public LabTest {};

// A batch job in a folder of its own, ended with the object.
class batch {
 public:
  explicit batch(const std::string& script, const std::string& options = "-N1 -n2") {
    shell("rm -rf logs; mkdir logs; cat >logs/job.sh", "#!/bin/bash\n" + script);
    id_ = line(shell("cd logs; sbatch --parsable " + options + " job.sh").out);
  }
  ~batch() { shell("scancel " + id_ + "; rm -rf logs"); }
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  // In the folder.
  static outcome in(const std::string& script) { return shell("cd logs; " + script); }
  // True once all these files are there.
  static bool has(const std::string& files) {
    return comes_true([&] { return in("ls " + files).exit_code == 0; }, std::chrono::seconds(120));
  }
  // What berth logs prints, once it is that: srun writes files a moment later than tasks.
  static bool prints(const std::string& what, const std::string& out, const std::string& err) {
    outcome end;
    const bool right = comes_true([&] {
      end = in("berth logs " + what);
      return end.exit_code == 0 && end.out == out && end.err == err;
    });
    EXPECT_TRUE(right) << what << ": " << end.exit_code << '\n' << end.out << '\n' << end.err;
    return right;
  }

 private:
  std::string id_;
};

std::string step(const std::string& options, const std::string& script) {
  return fmt::format("srun --overlap {} sh -c '{}'\n", options, script);
}

constexpr const char* own = "--container=../own.sqsh";

TEST_F(Logs, AStepsOwnFileIsFollowedUntilItEnds) {
  const batch job(step(std::string("-n1 -o own.%j.%J ") + own,
                       "echo one; echo bad >&2; touch ready; until test -e go; do sleep 0.05; "
                       "done; echo two; touch said; until test -e end; do sleep 0.05; done") +
                  "sleep 1000\n");
  ASSERT_TRUE(batch::has("ready"));
  EXPECT_TRUE(batch::prints(job.id() + ".0", "one\nbad\n", ""));
  EXPECT_TRUE(batch::prints("-n 1 " + job.id() + ".0", "bad\n", ""));
  const auto end = batch::in(fmt::format(
      "timeout 60 berth logs -f {}.0 >followed & until grep -q one followed; do sleep 0.05; done; "
      "touch go; until grep -q two followed; do sleep 0.05; done; touch end; wait $!; code=$?; "
      "cat followed; exit $code",
      job.id()));
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, "one\nbad\ntwo\n");
}

TEST_F(Logs, StandardErrorKeepsItsFile) {
  const batch job(
      "exec 7>>leaked.err\n(" +
      line(step("-n1 -o o.%J --error e.%J", "echo one; echo bad >&2; touch ready; sleep 1000")) +
      ") &\nuntil test -e ready; do sleep 0.05; done\n" +
      line(step("-n1", "echo two; touch piped; sleep 1000")) + " 2> >(cat >/dev/null) >two\n");
  ASSERT_TRUE(batch::has("ready"));
  EXPECT_TRUE(batch::prints(job.id() + ".0", "one\n", "bad\n"));
  // Another step, whose standard error is a pipe.
  ASSERT_TRUE(batch::has("piped"));
  EXPECT_TRUE(batch::prints(
      job.id() + ".1", "two\n",
      "berth: standard error of step " + job.id() + ".1 goes to no file here, and is not shown\n"));
}

TEST_F(Logs, EachTasksFileIsFoundOnItsNode) {
  const batch job(step(std::string("-N2 -n2 -o task.%t.%N ") + own,
                       "echo $SLURM_PROCID; touch ready.$SLURM_PROCID; sleep 1000"),
                  "-N2 -n2");
  ASSERT_TRUE(batch::has("ready.0 ready.1"));
  const auto end = batch::in("berth logs " + job.id() + ".0 | sort");
  EXPECT_EQ(end.out, "0\n1\n") << end.err;
}

TEST_F(Logs, AStepWithoutAFileWritesToItsJobs) {
  const batch job("echo batch\n" + step("-N1 -n1", "echo one; touch ready; sleep 1000"),
                  "-N2 -n2 -o out.%N");
  ASSERT_TRUE(batch::has("ready"));
  EXPECT_TRUE(batch::prints(job.id() + ".0", "batch\none\n", ""));
  // The same from one of its nodes that is not the script's.
  const auto end = batch::in(fmt::format(
      "srun --jobid={0} --overlap -n1 -N1 -r1 env -u SLURM_STEP_ID berth logs {0}.0", job.id()));
  EXPECT_EQ(end.out, "batch\none\n") << end.err;
}

TEST_F(Logs, WhatOnlySrunHasIsAttachedTo) {
  const batch job(
      fmt::format("srun -n1 {} sh -c 'echo one; touch ready; until test -e go; do "
                  "sleep 0.05; done; echo two; exit 3' | cat >piped\n",
                  own));
  ASSERT_TRUE(batch::has("ready"));
  const auto refused = batch::in("berth logs " + job.id() + ".0");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr("berth logs -f " + job.id() + ".0"));
  EXPECT_EQ(batch::in("berth logs -f -n 3 " + job.id() + ".0").exit_code, 1);
  const auto end = batch::in(fmt::format(
      "timeout 60 berth logs -f {}.0 >followed & until grep -q one followed; do sleep 0.05; done; "
      "touch go; wait $!; code=$?; cat followed; exit $code",
      job.id()));
  EXPECT_EQ(end.out, "one\ntwo\n");
  EXPECT_EQ(end.exit_code, 3) << end.err;
  EXPECT_THAT(end.err, HasSubstr("earlier output"));
}

TEST_F(Logs, PartsOfArraysAndHeterogeneousJobs) {
  {
    const batch array("echo $SLURM_ARRAY_TASK_ID\n" +
                          step("-n1 -o s.%A.%a.%J",
                               "echo step $SLURM_ARRAY_TASK_ID; touch ready.$SLURM_ARRAY_TASK_ID; "
                               "sleep 1000"),
                      "-N1 -n1 --array=3,5 -o arr.%A_%a.%x");
    ASSERT_TRUE(batch::has("ready.3 ready.5"));
    for (const auto* task : {"3", "5"}) {
      const auto name = fmt::format("{}_{}", array.id(), task);
      EXPECT_TRUE(batch::prints(name, fmt::format("{}\n", task), ""));
      EXPECT_TRUE(batch::prints(name + ".0", fmt::format("step {}\n", task), ""));
    }
    const auto all = batch::in("berth logs " + array.id());
    EXPECT_EQ(all.exit_code, 1);
    EXPECT_THAT(all.err, HasSubstr("is an array"));
  }
  const batch parts("echo script\n" + step("--het-group=1 -n1 -o part.%J",
                                           "echo second; touch ready; sleep 1000"),
                    "-o het.%j -N1 -n1 : -N1 -n1");
  ASSERT_TRUE(batch::has("ready"));
  for (const auto* part : {"", "+0", "+1"}) {
    EXPECT_TRUE(batch::prints(parts.id() + part, "script\n", ""));
  }
  EXPECT_TRUE(batch::prints(parts.id() + "+1.0", "second\n", ""));
}

TEST_F(Logs, AFileThatIsNotHereIsSaidToBeElsewhere) {
  // Each node of the lab has a /tmp of its own.
  const batch job(step("-n1 -o /tmp/berth-logs.%J.%t", "echo one; touch ready; sleep 1000"),
                  "-N1 -n1");
  ASSERT_TRUE(batch::has("ready"));
  const auto end = batch::in("berth logs " + job.id() + ".0");
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.err, HasSubstr("/tmp/berth-logs." + job.id() + ".0.0"));
  const auto cure = end.err.find("see it there: ");
  ASSERT_NE(cure, std::string::npos) << end.err;
  EXPECT_EQ(batch::in(end.err.substr(cure + 14)).out, "one\n");
}

TEST_F(LogsOnLab, StepsOfOtherUsersAreRefused) {
  const batch job(step("-n1 -o own", "echo one; touch ready; sleep 1000"), "-N1 -n1");
  ASSERT_TRUE(batch::has("ready"));
  for (const auto* options : {"", "-f "}) {
    const auto end = another_user(fmt::format("berth logs {}{}.0", options, job.id()));
    EXPECT_EQ(end.exit_code, 1);
    EXPECT_THAT(end.out, IsEmpty());
    EXPECT_THAT(end.err, HasSubstr("belongs to "));
  }
}

}  // namespace
}  // namespace berth::test
