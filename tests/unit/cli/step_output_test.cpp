// Texts as Slurm 22.05.8 printed them.
#include "cli/step_output.hpp"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

constexpr const char* steps =
    "StepId=5_3.batch UserId=20001 StartTime=2026-11-23T07:22:03 TimeLimit=UNLIMITED\n"
    "   SrunHost:Pid=(null):0\n"
    "StepId=5_3.10 UserId=20001 StartTime=2026-11-23T07:22:03 TimeLimit=UNLIMITED\n"
    "   SrunHost:Pid=n2:12\n"
    "StepId=5_3.0 UserId=20001 StartTime=2026-11-23T07:22:03 TimeLimit=UNLIMITED\n"
    "   State=RUNNING Partition=main NodeList=n1\n"
    "   SrunHost:Pid=n1.site.org:673\n";

TEST(StepOutput, FindsTheSrunOfAStep) {
  const auto found = parse_srun_process(steps, 0);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->host, "n1");
  EXPECT_EQ(found->pid, 673);
  EXPECT_EQ(parse_srun_process(steps, 10)->pid, 12);
  EXPECT_FALSE(parse_srun_process(steps, 1));
  EXPECT_FALSE(parse_srun_process("slurm_get_job_steps error: Invalid job id specified\n", 0));
  for (const auto* text : {"", ":", "(null):0", "n1", "n1:x", "n1:-1"}) {
    EXPECT_FALSE(parse_srun(text)) << text;
  }
}

TEST(StepOutput, TellsItsFilesFromOthersByTheirPattern) {
  for (const auto& [pattern, path] :
       std::vector<std::pair<std::string, std::string>>{{"out", "/a/out"},
                                                        {"sub/o.%j.%J", "/home/sub/o.7.7.0"},
                                                        {"/a/%4t-%%.[x]", "/a/0003-%.[x]"},
                                                        {"%J", "/a/7.0"}}) {
    EXPECT_TRUE(fits_pattern(pattern, path)) << pattern;
  }
  for (const auto& [pattern, path] : std::vector<std::pair<std::string, std::string>>{
           {"", "/a/out"}, {"out", "/a/out2"}, {"o.%J", "/o.1/x"}, {"[o]", "/a/o"}}) {
    EXPECT_FALSE(fits_pattern(pattern, path)) << pattern;
  }
}

TEST(StepOutput, ReadsSrunsWords) {
  const auto out = [](const std::vector<std::string>& words) {
    return patterns_in(words, {"SLURM_STDOUTMODE=e", "X=y"}, 'o', "--output", "SLURM_STDOUTMODE=");
  };
  using list = std::vector<std::string>;
  EXPECT_EQ(out({"srun", "-N2", "-o", "a"}), (list{"a", "e"}));
  EXPECT_EQ(out({"srun", "-oa", "--output=b", "--output", "c", "--outp=d"}),
            (list{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(out({"srun", "-lo", "a", "--open-mode=append", "--overlap", "true"}), (list{"a", "e"}));
  EXPECT_EQ(out({"srun", "-o"}), (list{"", "e"}));
}

TEST(StepOutput, ComparesFilesOfDifferentMachines) {
  const open_file here{"login", "/a", "boot 1", 7, 12, false};
  const open_file there{"n1", "/a", "boot 2", 7, 12, false};
  EXPECT_TRUE(here.is(here));
  EXPECT_FALSE(here.is(there)) << "each machine has an inode 12";
  const open_file shared_here{"login", "/a", "boot 1", 40, 12, true};
  const open_file shared_there{"n1", "/a", "boot 2", 41, 12, true};
  EXPECT_TRUE(shared_here.is(shared_there));
  EXPECT_FALSE(shared_here.is(there));
}

TEST(StepOutput, AnswersOfNodesAreReadAsTheyWereWritten) {
  const open_file file{"n1", "/home/\xc3\xa9 o.0", "boot", UINT64_MAX, 12, true};
  const open_file other{"n2", "/home/o.1", "boot", 3, 13, false};
  const auto text = "of a prolog\n" + encode_output({{{file}, {}}, {{}, {other}}}) + "\n[1]\n" +
                    encode_output({{{file, other}, {}}, {}}) + '\n';
  std::size_t answers = 0;
  const auto told = gather_output(text, answers);
  EXPECT_EQ(answers, 2U);
  ASSERT_EQ(told.tasks.out.size(), 2U);
  EXPECT_EQ(told.tasks.out[0].path, file.path);
  EXPECT_TRUE(told.tasks.out[0].is(file));
  EXPECT_EQ(told.tasks.out[1].node, "n2");
  ASSERT_EQ(told.srun.err.size(), 1U);
  EXPECT_TRUE(told.tasks.err.empty());
}

}  // namespace
}  // namespace berth::cli
