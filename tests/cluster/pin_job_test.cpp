// Where the ranks of a step run: as planned, as told, and as it turned out to be.

#include "pinning_scene.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int refused_exit_code = 1;

TEST_F(Pinning, EveryRanksMaskInTheContainerIsThePlans) {
  for (const auto* pin :
       {"auto", "core", "l3", "numa", "package", "spread", "compact", "core,smt", "auto,smt",
        "map:1,0", "map:0-1", "mask:2,1", "mask:3", "map:1", "none"}) {
    SCOPED_TRACE(pin);
    const auto plan = planned(2, pin);
    ASSERT_THAT(plan, SizeIs(2));
    const auto found = masks(on_whole_node(2) + "--pin=" + pin);
    ASSERT_THAT(found, SizeIs(2));
    for (std::size_t task = 0; task < 2; ++task) EXPECT_EQ(found[task], plan[task]["cpuset"]);
  }
}

TEST_F(Pinning, OneRankHasTheWholeNodeAndAThreadPerCore) {
  const auto plan = planned(1, "auto");
  ASSERT_GE(plan[0]["threads"].size(), 2U);
  const auto found = reports(shell(on_whole_node(1) + "--pin=auto" + in_image + "openmp"));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found.at(0)["threads"], SizeIs(plan[0]["threads"].size()));
}

TEST_F(Pinning, MemoryPoliciesReachTheKernel) {
  // As linux/mempolicy.h numbers them.
  const std::pair<const char*, int> table[] = {
      {"core", 0}, {"core,mem=local", 2}, {"core,mem=interleave", 3}, {"core,mem=firsttouch", 4}};
  for (const auto& [pin, mode] : table) {
    const auto found = reports(shell("srun -N1 -n1 --pin=" + std::string(pin) + in_image + "here"));
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found.at(0)["memory"], mode) << pin;
  }
}

TEST_F(Pinning, WhatCannotBeDoneIsAWarningAndTheTaskRuns) {
  const auto end = shell("srun -N1 -n1 --pin=core,mem=hbm" + in_image + "here");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("cannot pin"), HasSubstr("ignoring")));
  EXPECT_THAT(end.out, HasSubstr("\"rank\":0"));
}

TEST_F(PinningOnLab, OrAnErrorWhereTheSiteSaysSo) {
  const auto strict =
      covered("n2", "/etc/berth/site.lua", "return { pin = { on_failure = 'fail' } }");
  const auto end = shell("srun -w n2 -n1 --pin=core,mem=hbm" + in_image + "here");
  EXPECT_EQ(end.exit_code, refused_exit_code);
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err, AllOf(HasSubstr("node n2: cannot pin"), Not(HasSubstr("ignoring"))));
}

TEST_F(Pinning, AnExplicitCpuBindWinsUnlessThereIsAPinToo) {
  const auto step = on_whole_node(2);
  EXPECT_THAT(masks(step + "--cpu-bind=map_cpu:1,0"), (std::vector<std::string>{"1", "0"}));
  EXPECT_THAT(masks(step + "--cpu-bind=map_cpu:1,0 --pin=map:0,1"),
              (std::vector<std::string>{"0", "1"}));
  EXPECT_THAT(masks(step + "--cpu-bind=map_cpu:1,0 --pin=none"),
              (std::vector<std::string>{"1", "0"}));
}

TEST_F(PinningOnLab, EachPartitionHasItsDefault) {
  const auto site = covered("n2", "/etc/berth/site.lua",
                            "return { pin = { default = 'map:0', on_failure = 'fail' } }");
  // Words of one job are no default of a site.
  EXPECT_THAT(shell("srun -w n2 -n1" + in_image + "here").err, HasSubstr("site.lua:1"));
  const auto better = covered("n2", "/etc/berth/site.lua",
                              "return { pin = { default = 'none', partitions = { debug = "
                              "'core,mem=interleave,verbose' } } }");
  const auto usual = shell("srun -p main -w n2 -n1" + in_image + "here");
  EXPECT_EQ(reports(usual).at(0)["memory"], 0);
  EXPECT_EQ(usual.err, "");
  const auto debug = shell("srun -p debug -w n2 -n1" + in_image + "here");
  EXPECT_EQ(reports(debug).at(0)["memory"], 3);
  EXPECT_THAT(debug.err, HasSubstr("berth: rank 0 on n2: pinned "));
  const auto own = shell("srun -p debug -w n2 -n1 --pin=core,mem=firsttouch" + in_image + "here");
  EXPECT_EQ(reports(own).at(0)["memory"], 4);
}

TEST_F(Pinning, ADryRunPrintsThePlanAndRunsNothing) {
  for (const std::string container : {"", "--container=./pin.sqsh "}) {
    const auto step = "-N2 -n4 --ntasks-per-node=2 ";
    const auto end = shell(std::string("rm -f ran; srun ") + step + "--pin=core,dry-run " +
                           container + "touch ran");
    EXPECT_EQ(end.exit_code, 0) << end.err;
    EXPECT_NE(shell("ls ran").exit_code, 0) << "the command ran";
    for (int rank = 0; rank < 4; ++rank) {
      EXPECT_THAT(end.err, HasSubstr("berth: rank " + std::to_string(rank) + " on "));
    }
    EXPECT_EQ(split(line(end.err), '\n').size(), 4U) << end.err;
  }
}

TEST_F(Pinning, ADryRunSaysWhatARealRunSays) {
  const auto step = on_whole_node(2) + "--pin=spread,";
  const auto lines = [](const outcome& end) {
    auto found = split(line(end.err), '\n');
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(lines(shell(step + "dry-run true")), lines(shell(step + "verbose true")));
}

TEST_F(Pinning, ADryRunOfAnMpiJobDoesNotWaitForItsRanks) {
  const auto begin = std::chrono::steady_clock::now();
  const auto end = shell("timeout 60 srun -N4 -n8 --pin=core,dry-run --container=own.sqsh probe");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST_F(Pinning, ADryRunThatCannotPlanFails) {
  const auto end = shell("srun -N1 -n1 --pin=core,mem=hbm,dry-run true");
  EXPECT_EQ(end.exit_code, refused_exit_code);
  EXPECT_THAT(end.err, HasSubstr("cannot pin"));
}

// The first thread, which runs the serial part with all libraries, may use all of the rank's cores.
TEST_F(Pinning, OpenMpThreadsHaveACoreEach) {
  for (const unsigned ranks : {1U, 2U}) {
    const auto plan = planned(ranks, "auto");
    const auto found = reports(shell(on_whole_node(ranks) + "--pin=auto" + in_image + "openmp"));
    ASSERT_THAT(found, SizeIs(ranks));
    for (const auto& [rank, report] : found) {
      const auto& task = plan[static_cast<std::size_t>(rank)];
      const auto& threads = report["threads"];
      ASSERT_THAT(threads, SizeIs(task["threads"].size()));
      EXPECT_EQ(threads[0]["cpus"], task["cpuset"]);
      for (std::size_t t = 1; t < threads.size(); ++t) {
        EXPECT_EQ(threads[t]["cpus"], task["threads"][t].dump());
        EXPECT_EQ(threads[t]["ran_on"], json::array({task["threads"][t]}));
      }
    }
  }
}

TEST_F(Pinning, OpenBlasHasAThreadPerCoreOfItsRank) {
  const auto plan = planned(1, "auto")[0];
  const auto cpus = parse_list(plan["cpuset"].get<std::string>());
  ASSERT_TRUE(cpus);
  ASSERT_GE(cpus->size(), 2U);
  const auto found = reports(shell(on_whole_node(1) + "--pin=auto" + in_image + "blas"));
  ASSERT_THAT(found, SizeIs(1));
  const auto& threads = found.at(0)["threads"];
  EXPECT_THAT(threads, SizeIs(plan["threads"].size()));
  std::vector<int> used;
  for (const auto& thread : threads) {
    EXPECT_EQ(thread["cpus"], plan["cpuset"]) << "a thread was left with part of the cores";
    for (const auto& cpu : thread["ran_on"]) used.push_back(cpu.get<int>());
  }
  EXPECT_THAT(used, Each(::testing::AnyOfArray(*cpus)));
}

TEST_F(Pinning, RanksReadTheMachineFromAFileThatTheyCannotChange) {
  for (const std::string container : {"", "--container=./pin.sqsh "}) {
    SCOPED_TRACE(container);
    const auto end = shell("srun -n1 --pin=core " + container +
                           "sh -c 'echo $HWLOC_THISSYSTEM $HWLOC_THISSYSTEM_ALLOWED_RESOURCES "
                           "$HWLOC_XMLFILE; cat $HWLOC_XMLFILE; echo x >>$HWLOC_XMLFILE'");
    EXPECT_THAT(end.out, HasSubstr("1 1 /run/berth/topology.xml\n"));
    EXPECT_THAT(end.out, HasSubstr("<object type=\"PU\""));
    EXPECT_THAT(end.err, ::testing::AnyOf(HasSubstr("Permission denied"), HasSubstr("Read-only")));
  }
}

TEST_F(Pinning, AUserWhoHasChosenATopologyKeepsIt) {
  const auto end =
      shell("HWLOC_XMLFILE=/home/me/t.xml srun -n1 --pin=core sh -c 'env | grep HWLOC'");
  EXPECT_EQ(end.out, "HWLOC_XMLFILE=/home/me/t.xml\n");
}

// The helper runs as root: what the user's variables say about the machine is not for it.
TEST_F(PinningOnLab, HostileVariablesDoNotReachTheHelper) {
  const auto cores = [] { return root_on("n2", "grep -c ^pu /run/berth/topology").out; };
  EXPECT_EQ(shell("srun -w n2 --pin=core true").exit_code, 0);
  const auto before = cores();
  root_on("n2", "rm -f /run/berth/topology /run/berth/topology.xml");
  const auto end = shell(
      "export HWLOC_XMLFILE=/etc/shadow HWLOC_SYNTHETIC=pu:64 HWLOC_FSROOT=/home "
      "HWLOC_COMPONENTS=-all HWLOC_PLUGINS_PATH=$PWD HWLOC_DUMPED_HWDATA_DIR=$PWD "
      "LD_PRELOAD=/home/evil.so LD_LIBRARY_PATH=$PWD GLIBC_TUNABLES=x; "
      "srun -w n2 --exclusive -N1 -n2 --pin=core,verbose true");
  EXPECT_THAT(end.err, AllOf(HasSubstr("rank 0 on n2: pinned cpuset=0 "),
                             HasSubstr("rank 1 on n2: pinned cpuset=1 ")));
  EXPECT_NE(before, "0\n");
  EXPECT_EQ(cores(), before);
}

// Past the look on the login node, by the variable in which the choice travels.
TEST_F(Pinning, HostileWordsInTheEnvironmentAreRefusedOnTheNode) {
  const std::string long_list(100'000, 'f');
  const words hostile = {"auto;touch ran",
                         "auto\n[2026-01-01T00:00:00.000] error: forged",
                         "map:99999999999999999999",
                         "map:0*4294967295",
                         "mask:1*99999999",
                         "device:" + long_list,
                         "mem=hbm,mem=local",
                         std::string(60'000, ','),
                         "%s%s%s%n"};
  for (const auto& text : hostile) {
    SCOPED_TRACE(text.substr(0, 40));
    const auto end = shell(
        "rm -f ran; read -r -d '' SLURM_BERTH_PIN; export SLURM_BERTH_PIN; "
        "timeout 30 srun -n1 touch ran; echo code $?",
        text + '\0');
    EXPECT_NE(shell("ls ran").exit_code, 0) << "the command ran";
    EXPECT_THAT(end.out, Not(HasSubstr("code 0")));
    EXPECT_THAT(end.out, Not(HasSubstr("code 124"))) << "it took too long";
    EXPECT_THAT(end.err, HasSubstr("error: berth: node "));
    EXPECT_LT(end.err.size(), 3000U);
    EXPECT_THAT(end.err, Not(HasSubstr("\n[2026"))) << "a line of the user's own in the log";
  }
}

TEST_F(Pinning, WhatThisMachineDoesNotHaveIsAWarning) {
  for (const auto& text : {"mask:" + std::string(100'000, 'f'), std::string("map:1000000"),
                           std::string("device:../../etc/shadow")}) {
    const auto end = shell(
        "read -r -d '' SLURM_BERTH_PIN; export SLURM_BERTH_PIN; "
        "timeout 30 srun -n1 echo ran",
        text + '\0');
    EXPECT_EQ(end.out, "ran\n");
    EXPECT_THAT(end.err, AllOf(HasSubstr("cannot pin"), HasSubstr("ignoring")));
    EXPECT_LT(end.err.size(), 2000U);
  }
}

TEST_F(Pinning, BerthRunPinsWithTheSameWords) {
  const auto plan = planned(2, "map:1,0");
  const auto end = shell(on_whole_node(2) +
                         "berth run --pin map:1,0,verbose,check pin.sqsh -- thread_probe here");
  const auto found = reports(end);
  ASSERT_THAT(found, SizeIs(2)) << end.err;
  for (int task = 0; task < 2; ++task) {
    EXPECT_EQ(found.at(task)["cpus"], plan[static_cast<std::size_t>(task)]["cpuset"]);
    EXPECT_THAT(end.err, HasSubstr("berth: rank " + std::to_string(task) + " on "));
  }
  EXPECT_THAT(checks(end.err), SizeIs(2));
}

TEST_F(Pinning, BerthRunDividesNoFurtherWhatSlurmHasDivided) {
  const auto bound = on_whole_node(2) + "--cpu-bind=cores ";
  const auto end = shell(bound + "berth run --pin auto pin.sqsh -- thread_probe here");
  const auto found = reports(end);
  ASSERT_THAT(found, SizeIs(2)) << end.err;
  EXPECT_EQ(found.at(0)["cpus"], "0");
  EXPECT_EQ(found.at(1)["cpus"], "1");
}

}  // namespace
}  // namespace berth::test
