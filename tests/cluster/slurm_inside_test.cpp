// Slurm's commands in a container: they ask the controller, start steps and jobs, and those are in
// containers again.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SlurmInside : public ClusterTest {};
class SlurmInsideOnLab : public LabTest {};

outcome with_slurm(const std::string& script, const std::string& options = "-N1 -n1") {
  return shell("srun --container=own.sqsh --container-slurm " + options + " sh -c '" + script +
               "'");
}

// What a container says of itself: its root is an overlay, and the image's file is no link of the
// node.
constexpr const char* where = "grep -c \" / .* berth:\" /proc/self/mountinfo";

TEST_F(SlurmInside, TheImageHasNoSlurmOfItsOwn) {
  EXPECT_EQ(shell("srun --container=own.sqsh -n1 squeue").exit_code, 2);
  EXPECT_EQ(shell("srun --container=own.sqsh -n1 test -e /run/berth/slurm").exit_code, 2);
}

TEST_F(SlurmInside, CommandsAskTheController) {
  const auto end = with_slurm(
      "squeue --noheader --jobs=$SLURM_JOB_ID --format=%i; scontrol show job $SLURM_JOB_ID; "
      "sinfo --version; scancel --version");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  const auto lines = split(end.out, '\n');
  EXPECT_THAT(end.out, AllOf(HasSubstr("JobId=" + lines.front()), HasSubstr("slurm")));
}

TEST_F(SlurmInside, AStepStartedInsideIsInAContainerToo) {
  const auto end = with_slurm(fmt::format("srun --overlap -n1 {}", where));
  EXPECT_EQ(end.out, "1\n") << end.err;
}

TEST_F(SlurmInside, AStepOfAStepHasTheOptionsToo) {
  const auto end = with_slurm(
      "srun --overlap -n1 srun --overlap -n1 squeue --noheader -o %i && "
      "srun --overlap -n1 pwd",
      "-N1 -n1 --container-workdir=/usr");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("\n/usr\n"));
}

TEST_F(SlurmInside, ExitCodesComeBack) {
  EXPECT_EQ(with_slurm("srun --overlap -n1 sh -c \"exit 7\"; exit $?").exit_code, 7);
  EXPECT_EQ(with_slurm("scontrol show job 999999999").exit_code, 1);
}

TEST_F(SlurmInside, StepsReachOtherNodes) {
  const auto end = shell(
      "salloc --quiet -N2 srun -N1 -n1 --container=own.sqsh --container-slurm "
      "srun --overlap -N2 -n2 --label cat /proc/sys/kernel/hostname | sort");
  auto lines = split(line(end.out), '\n');
  ASSERT_EQ(lines.size(), 2U) << end.out << end.err;
  EXPECT_THAT(lines[0], StartsWith("0: "));
  EXPECT_NE(lines[0].substr(3), lines[1].substr(3));
}

TEST_F(SlurmInside, JobsAreSubmittedInside) {
  const auto end = with_slurm(
      "sbatch --wait --quiet -N1 -o inner.txt --wrap \"srun grep -c own.sqsh /proc/self/mountinfo\""
      "; cat inner.txt",
      "-N1 -n1 --partition=debug");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, "1\n") << end.err;
}

TEST_F(SlurmInside, AnotherImageIsTakenInside) {
  ASSERT_EQ(shell("cp own.sqsh other.sqsh").exit_code, 0);
  const auto end = with_slurm(
      "srun --overlap -n1 --container=other.sqsh grep -c other.sqsh "
      "/proc/self/mountinfo; srun --overlap -n1 --container=none ls " +
      folder() + "/own.sqsh");
  EXPECT_EQ(end.out, "1\n" + folder() + "/own.sqsh\n") << end.err;
}

TEST_F(SlurmInside, TheImagesLibrariesDoNotMatter) {
  // An image whose C library nobody can use, with a program that needs none.
  ASSERT_EQ(shell("echo broken >libc.so.6; rm -f none.sqsh; berth pack --no-mpi $(command -v true) "
                  "--file libc.so.6:/lib/x86_64-linux-gnu/libslurmfull.so -o none.sqsh")
                .exit_code,
            0);
  const auto end = shell(
      "LD_LIBRARY_PATH=/lib/x86_64-linux-gnu srun -n1 --container=none.sqsh --container-slurm "
      "--container-env=LD_LIBRARY_PATH squeue --version");
  EXPECT_THAT(end.out, StartsWith("slurm")) << end.err;
}

TEST_F(SlurmInside, EverythingIsReadOnly) {
  EXPECT_THAT(with_slurm("echo x >/run/berth/slurm/lib/ld.so").err, HasSubstr("Read-only"));
  EXPECT_EQ(with_slurm("grep \" /run/berth/slurm\" /proc/self/mountinfo | grep -vc \" ro,\"").out,
            "0\n");
}

TEST_F(SlurmInsideOnLab, TheSiteDecidesTheDefault) {
  const auto rules = covered("n1", "/etc/berth/site.lua", "return { slurm_inside = true }");
  EXPECT_EQ(shell("srun -w n1 -n1 --container=own.sqsh squeue").exit_code, 0);
  EXPECT_EQ(shell("srun -w n1 -n1 --container=own.sqsh --no-container-slurm squeue").exit_code, 2);
}

TEST_F(SlurmInsideOnLab, TheListIsFoundOnceAndAgainWhenFilesChange) {
  ASSERT_EQ(with_slurm("true", "-w n1 -n1").exit_code, 0);
  const auto number = [] { return root_on("n1", "stat -c %i:%Y /run/berth/slurm").out; };
  const auto first = number();
  ASSERT_EQ(with_slurm("true", "-w n1 -n1").exit_code, 0);
  EXPECT_EQ(number(), first);
  const changed_node list("n1", "chmod 666 /run/berth/slurm", "chmod 644 /run/berth/slurm");
  ASSERT_EQ(with_slurm("true", "-w n1 -n1").exit_code, 0);
  EXPECT_NE(number(), first) << "a list that others can write is not believed";
}

TEST_F(SlurmInsideOnLab, ANodeWithoutTheProgramsSaysSo) {
  const auto conf = "/opt/berth/libexec/berth/berth-slurm";
  const changed_node closed("n1",
                            fmt::format("mount -t tmpfs none /mnt && touch /mnt/no && chmod 600 "
                                        "/mnt/no && mount --bind -o ro /mnt/no {}",
                                        conf),
                            fmt::format("umount {} /mnt", conf));
  EXPECT_THAT(with_slurm("true", "-w n1 -n1").err,
              AllOf(HasSubstr("node n1"), HasSubstr("berth-slurm")));
}

}  // namespace
}  // namespace berth::test
