// What --pin=...,check finds out about where threads really ran.

#include "pinning_scene.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(Pinning, CheckFindsAThreadThatLeavesItsSet) {
  const auto end =
      shell(on_whole_node(2) +
            "--pin=core,check sh -c 'if test "
            "$SLURM_PROCID = 0; then ./thread_probe spin 0 1; else ./thread_probe spin; fi'");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  auto found = checks(end.err);
  ASSERT_THAT(found, SizeIs(2)) << end.err;
  EXPECT_EQ(found[0]["cpuset"], "0");
  EXPECT_GE(std::stoi(found[0]["samples"]), 5);
  EXPECT_GE(std::stoi(found[0]["migrations"]), 1);
  EXPECT_EQ(found[0]["outside"], "1");
  EXPECT_EQ(found[0]["outside_cpus"], "1");
  // The other one stayed, and had to share its CPU for a while.
  EXPECT_EQ(found[1]["cpuset"], "1");
  EXPECT_EQ(found[1]["migrations"], "0");
  EXPECT_EQ(found[1]["outside"], "0");
  EXPECT_EQ(found[1]["outside_cpus"], "-");
}

TEST_F(Pinning, CheckFindsMigrationsWithinTheSet) {
  const auto end = shell(on_whole_node(1) + "--pin=auto,check" + in_image + "spin 0 1 0");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  auto found = checks(end.err);
  ASSERT_THAT(found, SizeIs(1)) << end.err;
  EXPECT_GE(std::stoi(found[0]["migrations"]), 2);
  EXPECT_EQ(found[0]["outside"], "0");
}

TEST_F(Pinning, CheckFindsThreadsThatShareACpu) {
  auto alone = checks(shell(on_whole_node(1) + "--pin=map:1,check" + in_image + "crowd 3").err);
  ASSERT_THAT(alone, SizeIs(1));
  EXPECT_EQ(alone[0]["threads"], "4");
  EXPECT_GE(std::stoi(alone[0]["crowded_samples"]), 1);
  EXPECT_EQ(alone[0]["crowded_cpus"], "1");
  // Threads of different ranks.
  auto ranks = checks(shell(on_whole_node(2) + "--pin=map:0,check" + in_image + "spin").err);
  ASSERT_THAT(ranks, SizeIs(2));
  for (auto& [rank, keys] : ranks) {
    EXPECT_GE(std::stoi(keys["crowded_samples"]), 1);
    EXPECT_EQ(keys["crowded_cpus"], "0");
  }
}

TEST_F(Pinning, CheckLeavesExitCodesAndSignalsAlone) {
  const auto end = shell("srun -n1 --pin=core,check sh -c 'exit 7'");
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_THAT(checks(end.err), SizeIs(1));
  EXPECT_EQ(shell("srun -n1 --pin=core,check sh -c 'kill -TERM $$'").exit_code,
            shell("srun -n1 sh -c 'kill -TERM $$'").exit_code);
}

TEST_F(Pinning, CheckCoversEveryRankOfAnMpiJob) {
  const auto end = shell("srun -N4 -n8 --pin=core,check --container=own.sqsh probe");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(checks(end.err), SizeIs(8)) << end.err;
}

// Slurm itself leaves some pipes open in a task, now these, now those; what checks has none.
TEST_F(Pinning, CheckGivesTheTaskNeitherDescriptorsNorChildren) {
  const std::string what =
      " bash -c 'ls -l /proc/$$/fd | grep -cE \"socket|anon|pidfd\"; "
      "read -r c </proc/$$/task/$$/children; echo \"[$c]\"'";
  EXPECT_EQ(shell("srun -n1 --pin=core,check" + what).out, shell("srun -n1" + what).out);
}

words processes_named(const std::string& node, const std::string& name) {
  auto found = split(line(root_on(node, "grep -l '^" + name + "$' /proc/[0-9]*/comm").out), '\n');
  std::erase(found, "");
  return found;
}

TEST_F(PinningOnLab, TheWatcherEndsWithItsStepAlsoAfterSigkill) {
  for (const auto* how : {"task", "slurmstepd"}) {
    SCOPED_TRACE(how);
    // srun itself waits for a slurmstepd that was killed.
    const auto srun =
        line(shell("timeout -k 1 60 srun -w n2 -n2 --job-name=watched --pin=core,check "
                   "sleep 600 >/dev/null 2>&1 & echo $!")
                 .out);
    ASSERT_TRUE(comes_true([] { return !processes_named("n2", "berth-check").empty(); }));
    if (how == std::string("task")) {
      shell("scancel --signal=KILL --name=watched");
    } else {
      root_on("n2", "kill -9 $(grep -l '^slurmstepd' /proc/[0-9]*/comm | cut -d/ -f3)");
      shell("scancel --name=watched");
    }
    EXPECT_TRUE(comes_true([] { return processes_named("n2", "berth-check").empty(); }));
    shell("kill " + srun);
    EXPECT_TRUE(comes_true([] { return shell("squeue -h --name=watched").out.empty(); },
                           std::chrono::seconds(60)));
  }
}

// The watcher's rights are its user's, and its memory, a copy of slurmstepd's, is closed to him.
TEST_F(PinningOnLab, TheWatcherIsTheUsersAndNobodyElses) {
  const auto end = shell(
      "srun -w n2 -n1 --pin=core,check bash -c 'until w=$(grep -l ^berth-check$ "
      "/proc/[0-9]*/comm); do :; done; w=${w%/comm}; grep -E \"^(Uid|CapEff):\" $w/status; "
      "cat $w/environ; head -c 1 $w/mem; ls $w/fd'");
  const auto uid = line(shell("id -u").out);
  EXPECT_THAT(end.out, HasSubstr("Uid:\t" + uid + '\t' + uid + '\t' + uid + '\t' + uid));
  EXPECT_THAT(end.out, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(end.err, AllOf(HasSubstr("/environ: Permission denied"),
                             HasSubstr("/mem' for reading: Permission denied")));
  EXPECT_EQ(std::count(end.out.begin(), end.out.end(), '\n'), 2) << end.out;
}

}  // namespace
}  // namespace berth::test
