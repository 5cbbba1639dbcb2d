// How a step comes by its image: options of srun, defaults of a batch job, relative and bare names.

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Options : public ClusterTest {
 protected:
  // A second image that can be told from the first.
  static void SetUpTestSuite() {
    if (std::getenv("BERTH_TEST_LOGIN") == nullptr) return;
    own_image();
    const auto end = shell("berth pack sh grep --no-mpi --env MARK=other -o other.sqsh");
    ASSERT_EQ(end.exit_code, 0) << end.err;
  }
};
class OptionsOnLab : public LabTest {};

// Says in which of the images a task runs, or on the host.
const std::string who =
    "sh -c 'if test \"$MARK\"; then echo $MARK; elif grep -q ^ID=berth "
    "/etc/os-release; then echo own; else echo host; fi'";

std::string srun(const std::string& options) {
  const auto end = shell("srun " + options + ' ' + who);
  return end.exit_code == 0 ? line(end.out) : end.err;
}

// Submits a batch script with the given header and body, and returns its standard output.
std::string batch(const std::string& header, const std::string& body,
                  const std::string& options = {}) {
  const auto end =
      shell("sbatch --wait --quiet -o out.txt -e err.txt " + options + " && cat out.txt",
            "#!/bin/bash\n" + header + '\n' + body + '\n');
  const auto text = shell("cat out.txt; rm -f out.txt err.txt").out;
  EXPECT_EQ(end.exit_code, 0) << end.err << text;
  return text;
}

TEST_F(Options, BothNamesMeanTheSame) {
  EXPECT_EQ(srun("--container=own.sqsh"), "own");
  EXPECT_EQ(srun("--container-image=own.sqsh"), "own");
  EXPECT_EQ(srun("--container=own.sqsh --container-image=own.sqsh"), "own");
}

TEST_F(Options, TwoDifferentImagesAreRefused) {
  const auto end = srun("--container=own.sqsh --container-image=other.sqsh");
  EXPECT_THAT(end, HasSubstr("name different images"));
  EXPECT_THAT(end, HasSubstr("own.sqsh"));
  EXPECT_THAT(end, HasSubstr("other.sqsh"));
}

TEST_F(Options, AStepWithoutContainerIsOnTheHost) {
  EXPECT_EQ(srun(""), "host");
  const auto end = shell("srun env");
  EXPECT_EQ(end.out.find("SLURM_CONTAINER"), std::string::npos);
  EXPECT_EQ(end.err, "");
}

TEST_F(Options, NoneAsksForNoContainer) {
  EXPECT_EQ(srun("--container-image=none"), "host");
  EXPECT_EQ(srun("--container=none"), "host");
}

TEST_F(Options, ABatchScriptRunsOnTheHostAndItsStepsInTheImage) {
  EXPECT_EQ(batch("#SBATCH --container=own.sqsh", who + "\nsrun " + who), "host\nown\n");
  EXPECT_EQ(batch("#SBATCH --container-image=own.sqsh", who + "\nsrun " + who), "host\nown\n");
}

TEST_F(Options, AnInnerSrunOverridesTheBatchJobsImage) {
  const auto body = "srun --container=other.sqsh " + who + "\nsrun --container-image=other.sqsh " +
                    who + "\nsrun --container-image=none " + who + "\nsrun " + who;
  EXPECT_EQ(batch("#SBATCH --container=own.sqsh", body), "other\nother\nhost\nown\n");
  EXPECT_EQ(batch("#SBATCH --container-image=own.sqsh", body), "other\nother\nhost\nown\n");
}

TEST_F(Options, AnInnerSrunMayStandInAnotherFolder) {
  EXPECT_EQ(batch("#SBATCH --container=own.sqsh", "cd /\nsrun " + who), "own\n");
}

TEST_F(Options, TheCommandLineOfSbatchBeatsItsScript) {
  EXPECT_EQ(batch("#SBATCH --container=own.sqsh", "srun " + who, "--container=other.sqsh"),
            "other\n");
}

TEST_F(Options, ABatchJobsPinningIsTheDefaultOfItsSteps) {
  EXPECT_THAT(batch("#SBATCH --pin=core,verbose", "srun true 2>&1"),
              StartsWith("berth: rank 0 on "));
}

TEST_F(Options, StepsOfAnAllocationChooseForThemselves) {
  const auto end = shell(
      "salloc --quiet -N1 bash -c '"
      "srun --container=own.sqsh grep ^ID= /etc/os-release; "
      "srun --container=other.sqsh sh -c \"echo \\$MARK\"; "
      "srun grep ^ID= /etc/os-release'");
  const auto lines = split(line(end.out), '\n');
  ASSERT_EQ(lines.size(), 3U) << end.out << end.err;
  EXPECT_EQ(lines[0], "ID=berth");
  EXPECT_EQ(lines[1], "other");
  EXPECT_NE(lines[2], "ID=berth");
}

TEST_F(Options, AnAllocationsImageIsTheDefaultOfItsSteps) {
  EXPECT_EQ(shell("salloc --quiet -N1 --container=own.sqsh srun " + who).out, "own\n");
}

TEST_F(Options, AStaleVariableDoesNotBeatTheCommandLine) {
  const auto end =
      shell("export SLURM_CONTAINER=" + folder() + "/other.sqsh; srun --container=own.sqsh " + who);
  EXPECT_EQ(end.out, "own\n") << end.err;
  const auto own = shell("export SLURM_CONTAINER=" + folder() +
                         "/other.sqsh; srun --container-image=own.sqsh " + who);
  EXPECT_EQ(own.out, "own\n") << own.err;
}

TEST_F(Options, RelativeNamesAreThoseOfTheUsersFolder) {
  EXPECT_EQ(srun("--container=./own.sqsh"), "own");
  EXPECT_EQ(srun("--container=../" + folder().substr(folder().rfind('/') + 1) + "/own.sqsh"),
            "own");
  EXPECT_EQ(srun("--chdir=/ --container=own.sqsh"), "own");
}

TEST_F(OptionsOnLab, BareNamesAreFoundInTheSitesFolders) {
  const auto& path = trusted_image();
  const auto name = path.substr(path.rfind('/') + 1);
  EXPECT_EQ(srun("--container=" + name), "own");
}

TEST_F(Options, TheHelpOfSrunShowsThem) {
  const auto help = shell("srun --help").out;
  for (const auto* option : {"--container-image=", "--pin="}) {
    EXPECT_THAT(help, HasSubstr(option));
    EXPECT_THAT(shell("sbatch --help").out, HasSubstr(option));
  }
}

}  // namespace
}  // namespace berth::test
