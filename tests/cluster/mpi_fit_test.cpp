// MPI the first time: libraries of different makers find their ranks, what cannot work is said
// before it starts, and ranks of a node exchange data without a copy.

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class MpiFit : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped()) return;
    static const bool once = [] {
      put_program("mpich_hello", BERTH_TEST_MPICH_HELLO);
      put_program("transfer_probe", BERTH_TEST_TRANSFER_PROBE);
      const auto made = shell(
          "berth pack ./mpich_hello true -o mpich.sqsh && berth pack ./transfer_probe -o cma.sqsh");
      EXPECT_EQ(made.exit_code, 0) << made.err;
      return made.exit_code == 0;
    }();
    ASSERT_TRUE(once);
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  return split(line(text), '\n');
}

TEST_F(MpiFit, MpichRunsOnTwoNodesThroughPmi2) {
  const auto end = shell("srun -N2 -n4 --mpi=pmi2 --container=mpich.sqsh mpich_hello");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.err, "");
  EXPECT_THAT(lines_of(end.out), SizeIs(4));
  EXPECT_THAT(lines_of(end.out), Each(ContainsRegex("rank [0-3] of 4")));
}

// The job is held: nothing of it can have started.
TEST_F(MpiFit, WhatCannotWorkIsSaidBeforeTheJobIsQueued) {
  const auto end =
      shell("srun --hold --immediate=1 -N2 -n4 --mpi=pmix --container=mpich.sqsh mpich_hello");
  EXPECT_EQ(end.out, "");
  const auto lines = lines_of(end.err);
  EXPECT_THAT(lines.front(),
              AllOf(HasSubstr("warning: image \"" + folder() + "/mpich.sqsh\""),
                    HasSubstr("MPICH 4.0 has no PMIx client"), HasSubstr("add --mpi=pmi2")));
}

TEST_F(MpiFit, NothingIsSaidWhereItFitsOrWhereThereIsOneTask) {
  for (const auto* fits :
       {"-n2 --mpi=pmix --container=own.sqsh", "-n1 --mpi=none --container=own.sqsh",
        "-n2 --mpi=pmi2 --container=mpich.sqsh"}) {
    const auto end = shell(std::string("srun ") + fits + " true");
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_EQ(end.err, "") << fits;
  }
  EXPECT_THAT(shell("srun -n2 --mpi=none --container=own.sqsh true").err,
              HasSubstr("Open MPI 4.1 and the step --mpi=none: every task would be rank 0 of 1; "
                        "add --mpi=pmix\n"));
}

TEST_F(MpiFit, OnlyTheFirstStepLooksIntoTheImage) {
  const std::string blind = "PATH=/nowhere /usr/bin/srun -n2 --mpi=none --container=";
  ASSERT_EQ(shell("cp own.sqsh new.sqsh").exit_code, 0);
  const auto unseen = shell(blind + "new.sqsh /bin/true");
  EXPECT_EQ(unseen.exit_code, 0) << unseen.err;
  EXPECT_THAT(unseen.err, Not(HasSubstr("Open MPI")));
  EXPECT_THAT(shell("srun -n2 --mpi=none --container=new.sqsh true").err, HasSubstr("Open MPI"));
  EXPECT_THAT(shell(blind + "new.sqsh /bin/true").err, HasSubstr("Open MPI"));
}

// Intel's library cannot be packed here; its names are those of its documentation.
TEST_F(MpiFit, IntelMpiIsToldWhereTheImagesPmi2Is) {
  const auto made = shell(
      "echo none >none; lib=/opt/intel/oneapi/mpi/2021.10.0/lib/release/libmpi.so.12.0.0; "
      "berth pack sh --file none:$lib -o intel.sqsh && "
      "berth pack sh --file none:$lib --file none:/usr/lib/libpmi2.so.0 -o intel-pmi.sqsh");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string show = " sh -c 'echo $I_MPI_PMI_LIBRARY'";
  EXPECT_EQ(shell("srun -n2 --mpi=pmi2 --container=intel-pmi.sqsh" + show).out,
            "/usr/lib/libpmi2.so.0\n/usr/lib/libpmi2.so.0\n");
  const auto without = shell("srun -n2 --mpi=pmi2 --container=intel.sqsh" + show);
  EXPECT_EQ(without.out, "\n\n");
  EXPECT_THAT(without.err, HasSubstr("Intel MPI 2021.10.0 finds no PMI-2 client"));
}

TEST_F(MpiFit, RanksOfANodeCopyStraightFromEachOthersMemory) {
  const auto end = shell("srun -N1 -n2 --mpi=pmix --container=cma.sqsh transfer_probe");
  ASSERT_EQ(end.exit_code, 0) << end.err;
  const auto told = nlohmann::json::parse(end.out);
  EXPECT_EQ(told["whole"], true);
  // Less the first fragment, which announces the message.
  EXPECT_GE(told["copied"], (64L << 20) - (64L << 10)) << "the message went another way";
  EXPECT_LE(told["copied"], 64L << 20);
}

TEST_F(MpiFit, IsPartOfWhatExplainTells) {
  const auto text =
      shell("srun -N2 -n4 --mpi=pmi2 --container=own.sqsh --container-explain --pin=core true");
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("\nmpi          Open MPI 4.1 (/usr/lib/"),
                    HasSubstr("client of PMIx 4.2 (/usr/lib/"),
                    HasSubstr("the step has --mpi=pmi2; Slurm has "),
                    HasSubstr("its PMIx is 4.2\n"), ContainsRegex("pin plan +task +threads"),
                    ContainsRegex("warning +the image's Open MPI 4.1 cannot use")));
  const auto json = nlohmann::json::parse(
      shell("srun -n2 --container=own.sqsh --container-explain=json true").out);
  EXPECT_EQ(json["mpi"]["libraries"][0]["name"], "Open MPI");
  EXPECT_EQ(json["mpi"]["slurm"]["mpi"], "pmix");
  EXPECT_EQ(json["mpi"]["wiring"], "PMIx 4.2");
}

}  // namespace
}  // namespace berth::test
