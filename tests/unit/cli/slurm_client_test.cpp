// Texts as Slurm 22.05.8 printed them.
#include "cli/slurm_client.hpp"

#include <gtest/gtest.h>

#include "cli/containers.hpp"
#include "cli/output_files.hpp"

namespace berth::cli {
namespace {

TEST(SlurmClient, ReadsNamesOfJobsAndSteps) {
  const auto step = parse_step_name("7_3.12");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->job, "7_3");
  EXPECT_EQ(step->step, 12U);
  const auto job = parse_step_name("7");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->step, std::nullopt);
  const auto part = parse_step_name("7+1.0");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->job, "7+1");
}

TEST(SlurmClient, RefusesWhatNamesNoStep) {
  for (const auto* text :
       {"", ".", "7.", ".0", "x", "7.batch", "7.0.1", "7_", "_3", "7+", "+1", "7_1+1", "-7", "7 ",
        "7.4294967295", "--signal=KILL", "7,8", "7_[1-2]"}) {
    EXPECT_FALSE(parse_step_name(text)) << text;
  }
}

TEST(SlurmClient, ReadsJobs) {
  const auto jobs = parse_jobs(
      "5|alice|RUNNING|n[1-2]|N/A|N/A|\n6|alice|PENDING||N/A|N/A|\n10|alice|RUNNING|n4|9|1|\n");
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].id, "5");
  EXPECT_EQ(jobs[0].user, "alice");
  EXPECT_EQ(jobs[0].state, "RUNNING");
  EXPECT_EQ(jobs[0].nodes, "n[1-2]");
  EXPECT_EQ(jobs[1].nodes, "");
  EXPECT_EQ(jobs[0].srun_words(), std::vector<std::string>{"--jobid=5"});
  EXPECT_EQ(jobs[2].srun_words(), (std::vector<std::string>{"--jobid=9", "--het-group=1"}));
}

TEST(SlurmClient, ReadsStepsWithANumber) {
  const auto steps = parse_steps(
      "4_4.0|4|alice|n1|step|name which is also much longer than that of others|\n"
      "4_4.batch|4|alice|n1|batch|\n"
      "4_3.0|5|alice|n[1-2]|sleep|\n"
      "5.extern|5|alice|n1|extern|\n"
      "garbage\n");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].id(), "4.0");
  EXPECT_EQ(steps[0].name, "step|name which is also much longer than that of others");
  EXPECT_EQ(steps[1].id(), "5.0");
  EXPECT_EQ(steps[1].nodes, "n[1-2]");
}

constexpr const char* batch_job =
    "JobId=5 ArrayJobId=4 ArrayTaskId=3 JobName=a|very long name StdOut=/not/this\n"
    "   UserId=alice(20001) GroupId=alice(20001) MCS_label=N/A\n"
    "   JobState=RUNNING Reason=None Dependency=(null)\n"
    "   NodeList=n1\n"
    "   BatchHost=n1\n"
    "   Command=(null)\n"
    "   WorkDir=/home/alice\n"
    "   StdErr=/home/alice/e 100%%-%n%t%s%q.txt\n"
    "   StdIn=/dev/null\n"
    "   StdOut=/home/alice/o ut-4_3-5-%N.txt\n"
    "   Power=\n"
    "   \n\n";

TEST(SlurmClient, FindsWhereABatchJobWrites) {
  const auto files = parse_output_files(batch_job, "4_3");
  ASSERT_TRUE(files) << files.error().text();
  EXPECT_EQ(*files, (output_files{20001, "/home/alice/o ut-4_3-5-n1.txt",
                                  "/home/alice/e 100%-00batch%q.txt"}));
}

TEST(SlurmClient, FindsTheScriptOfAHeterogeneousJob) {
  const std::string first =
      "JobId=9 HetJobId=9 HetJobOffset=0 JobName=wrap\n"
      "   UserId=alice(20001) GroupId=alice(20001) MCS_label=N/A\n"
      "   BatchHost=n3\n   StdErr=/home/alice/het.9\n   StdOut=/home/alice/het.9\n";
  const std::string second =
      "JobId=10 HetJobId=9 HetJobOffset=1 JobName=wrap\n"
      "   UserId=alice(20001) GroupId=alice(20001) MCS_label=N/A\n"
      "   BatchHost=n4\n   StdErr=/home/alice/het.10\n   StdOut=/home/alice/het.10\n";
  EXPECT_EQ(other_leader(second), "9");
  EXPECT_EQ(other_leader(first), std::nullopt);
  EXPECT_EQ(other_leader(batch_job), std::nullopt);
  const auto files = parse_output_files(first + second, "9");
  ASSERT_TRUE(files) << files.error().text();
  EXPECT_EQ(files->out, "/home/alice/het.9");
}

TEST(SlurmClient, SaysWhyAJobHasNoLogs) {
  const auto reason = [](const std::string& text) {
    return parse_output_files(text, "9").error().text();
  };
  EXPECT_EQ(reason("slurm_load_jobs error: Invalid job id specified\n"),
            "Slurm does not know job 9");
  EXPECT_EQ(reason(std::string(batch_job) + batch_job),
            "job 9 is an array; name one of it, like 9_1");
  EXPECT_EQ(reason("JobId=9 ArrayJobId=9 ArrayTaskId=3,5 JobName=arr\n   UserId=alice(20001)\n"
                   "   StdOut=/home/alice/arr.9_4294967294\n"),
            "job 9 is an array; name one of it, like 9_1");
  EXPECT_EQ(reason("JobId=1 JobName=sleep\n   UserId=alice(20001) GroupId=alice(20001)\n"),
            "job 9 is no batch job: its output went to the terminal of its srun or salloc");
}

TEST(Containers, AnswersOfNodesAreReadAsTheyWereWritten) {
  const container_record first{"7", 0, "n1", "/home/a/\xc3\xa9 i.sqsh", "fuse", {0, 1}, 61};
  const container_record later{"7", 1, "n1", "/srv/i.sqsh", "kernel", {}, 3};
  const container_record other{"8", 0, "n1", "/srv/i.sqsh", "kernel", {0}, 3};
  const auto text = "a line of a prolog\n" + encode_node("n1", {later, other, first}) +
                    "\n{\"node\":3}\n" + encode_node("n2", {}) + "\n{\"node\":\"n3\",\"conta";
  const auto all = gather(text, "7", {"n1", "n2", "n3"});
  EXPECT_EQ(all.containers, (std::vector<container_record>{first, later}));
  EXPECT_EQ(all.silent_nodes, std::vector<std::string>{"n3"});
}

}  // namespace
}  // namespace berth::cli
