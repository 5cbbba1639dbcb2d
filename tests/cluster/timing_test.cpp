// --container-timing: what the nodes' starts come to, and srun's standard error as it always was.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Timing : public ClusterTest {};
class TimingOnLab : public LabTest {};

constexpr const char* summary_begin = "berth: start on ";

std::string timed(const std::string& options, const std::string& command) {
  return fmt::format("srun --container=own.sqsh --container-timing {} {}", options, command);
}

std::ptrdiff_t count(const std::string& text, const std::string& part) {
  const auto lines = split(text, '\n');
  return std::count_if(lines.begin(), lines.end(),
                       [&](const auto& one) { return one.find(part) != std::string::npos; });
}

/// The median and the greatest value of a phase in the summary, in ms; negative where it is not.
std::pair<double, double> phase(const std::string& text, const std::string& name) {
  std::smatch found;
  const std::regex pattern(" " + name + " ([0-9.]+) \\(([0-9.]+) [a-z0-9]+\\)");
  if (!std::regex_search(text, found, pattern)) return {-1, -1};
  return {std::stod(found[1]), std::stod(found[2])};
}

TEST_F(Timing, OneLineSumsUpAllNodesBeforeSrunEnds) {
  const auto end = shell(timed("-N4 -n8 --overcommit", "sh -c 'echo mine >&2' 2>all; cat all"));
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(count(end.out, summary_begin), 1) << end.out;
  EXPECT_EQ(count(end.out, "berth: start on 4 nodes in ms"), 1) << end.out;
  EXPECT_EQ(count(end.out, "mine"), 8) << end.out;
  EXPECT_EQ(count(end.out, "ready in"), count(end.out, " is slow: ")) << end.out;
  for (const auto* name : {"total", "resolve", "policy", "mount", "join"}) {
    EXPECT_GT(phase(end.out, name).second, 0) << name << " in " << end.out;
  }
  EXPECT_GE(phase(end.out, "staging").first, 0) << end.out;
  EXPECT_GE(phase(end.out, "other").first, 0) << end.out;
}

TEST_F(Timing, OneNodeTellsItsOwnTimes) {
  const auto end = shell(timed("-N1 -n2 --overcommit", "true"));
  EXPECT_THAT(end.err, ::testing::MatchesRegex(
                           "berth: node n[0-9]+: fuse: ready in [0-9.]+ ms: resolve .*, policy .*, "
                           "join [0-9.]+, other [0-9.]+\n"));
}

TEST_F(TimingOnLab, TheSlowNodeIsNamed) {
  // n3's own helper starts after three seconds only; at the end of the job it does not wait.
  constexpr auto helper = "/opt/berth/libexec/berth/berth-node";
  const changed_node kept("n3",
                          "mkdir /run/berth-real && cp "
                          "/opt/berth/libexec/berth/berth-{node,squashfuse} /run/berth-real",
                          "rm -rf /run/berth-real");
  const auto slow = covered(
      "n3", helper, "#!/bin/sh\n[ $# = 0 ] && sleep 3\nexec /run/berth-real/berth-node \"$@\"");
  const auto end = shell(timed("-N4", "true"));
  // The end of the job runs it once more, and nothing can be taken away meanwhile.
  ASSERT_TRUE(comes_true([] { return shell("squeue -h --me").out.empty(); }));
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.err, HasSubstr("berth: node n3 is slow: fuse: ready in "));
  EXPECT_THAT(end.err, ::testing::ContainsRegex("total [0-9.]+ \\([0-9.]+ n3\\)"));
  EXPECT_GT(phase(end.err, "total").second, 3000) << end.err;
}

TEST_F(Timing, StagingIsPartOfIt) {
  const auto end = shell(timed("-N2 --container-stage=always", "true"));
  EXPECT_THAT(end.err, HasSubstr("berth: image staged on 2 nodes in "));
  EXPECT_GT(phase(end.err, "staging").first, 0) << end.err;
  EXPECT_THAT(end.err, ::testing::ContainsRegex("; copying before it [0-9.]+\n"));
}

TEST_F(Timing, WhatTasksWriteIsUnchanged) {
  // Neither lines nor labels nor their absence matter, nor how much it is.
  const std::string write =
      "sh -c 'head -c 3000000 /dev/zero >&2; echo >&2; echo berth: node x: y >&2'";
  const auto end = shell(timed("-N2", write));
  EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\0'), 6000000);
  EXPECT_EQ(count(end.err, "berth: node x: y"), 2);
  EXPECT_EQ(count(end.err, summary_begin), 1);
  const auto labelled = shell(timed("-N2 -l", "sh -c 'echo mine >&2'")).err;
  EXPECT_EQ(count(labelled, "0: mine") + count(labelled, "1: mine"), 2) << labelled;
  EXPECT_EQ(count(labelled, summary_begin), 1) << labelled;
  EXPECT_THAT(labelled, Not(HasSubstr(": berth: node")));
}

TEST_F(Timing, AFileOfErrorsHasTheNodesLines) {
  const auto end = shell(timed("-N2 -e errors", "true") + "; cat errors");
  EXPECT_EQ(count(end.out, "ready in"), 2) << end.out << end.err;
  EXPECT_EQ(count(end.out, summary_begin), 0) << end.out;
  EXPECT_EQ(count(end.err, "berth: start on 2 nodes in ms"), 1) << end.err;
  EXPECT_GT(phase(end.err, "join").second, 0) << end.err;
}

TEST_F(Timing, FilesOfSrunAreSearchedAndOthersAreNot) {
  const auto both =
      shell(timed("-N2 -l -o output.%J", "sh -c 'echo mine >&2'") + "; cat output.*; rm output.*");
  EXPECT_EQ(count(both.out, ": mine"), 2) << both.out;
  EXPECT_EQ(count(both.err, "berth: start on 2 nodes in ms"), 1) << both.err;
  // What earlier steps have left says nothing of this one.
  const std::string old = "berth: node old: fuse: ready in 1.00 ms: mount 1.00";
  shell("echo '" + old + "' >errors; echo '" + old + "' >inherited");
  const auto added = shell(timed("-N2 --open-mode=append -e errors", "true") + "; cat errors");
  EXPECT_EQ(count(added.out, "ready in"), 3) << added.out;
  EXPECT_EQ(added.err, "");
  const auto inherited = shell("exec 7>>inherited; " + timed("-N2", "true") + "; rm inherited");
  EXPECT_EQ(count(inherited.err, "berth: start on 2 nodes in ms"), 1) << inherited.err;
  EXPECT_THAT(inherited.err, Not(HasSubstr("old")));
}

TEST_F(Timing, AllPartsOfAHeterogeneousStepAreCounted) {
  const auto step = timed("--het-group=0,1", "true");
  const auto job = line(shell("rm -f het.* ; sbatch --parsable -o het.out -N1 -n1 --wrap '" + step +
                              "; touch het.over' : -N2 -n2")
                            .out);
  // Only Slurm's backfill starts such jobs: every 30 s.
  const bool over =
      comes_true([] { return shell("ls het.over").exit_code == 0; }, std::chrono::seconds(120));
  const auto told = shell("cat het.out; scancel " + job).out;
  ASSERT_TRUE(over) << told;
  EXPECT_EQ(count(told, "berth: start on 3 nodes in ms"), 1) << told;
  EXPECT_EQ(count(told, "ready in"), count(told, " is slow: ")) << told;
}

TEST_F(Timing, NothingIsLostWithAKilledSrun) {
  const auto end =
      shell("rm -f all closed; mkfifo way; (cat <way >all; touch closed) & " +
            timed("-N2 -J timing-killed", "sh -c 'echo mine >&2; sleep 1000' 2>way & srun=$!; ") +
            "until [ $(grep -c mine all) = 2 ] && grep -q '" + std::string(summary_begin) +
            "' all; do sleep 0.02; done; kill -9 $srun; scancel --me -n timing-killed; "
            "until [ -e closed ]; do sleep 0.02; done; cat all");
  EXPECT_EQ(count(end.out, "mine"), 2) << end.out << end.err;
  EXPECT_EQ(count(end.out, "berth: start on 2 nodes"), 1) << end.out;
}

TEST_F(Timing, ARefusedStepSaysWhyAndHasNoSummary) {
  const auto end = shell(timed("-N2 --container-workdir=/not-there", "true"));
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("/not-there"));
  EXPECT_THAT(end.err, Not(HasSubstr(summary_begin)));
}

}  // namespace
}  // namespace berth::test
