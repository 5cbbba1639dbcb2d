// What a task finds in its container: files, folders to write to, CPUs.

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;

class Inside : public ClusterTest {};
class InsideOnLab : public LabTest {};

outcome contained(const std::string& script, const std::string& options = {}) {
  return shell("srun --container=own.sqsh " + options + " sh -c '" + script + "'");
}

TEST_F(Inside, TheRootIsTheImage) {
  EXPECT_THAT(contained("cat /etc/os-release").out, HasSubstr("\nID=berth\n"));
}

TEST_F(Inside, TheNodesFoldersAreVisible) {
  const auto end = contained(
      "test -r /proc/self/status && test -d /sys/class && test -c /dev/null && test -w /dev/shm && "
      "test -w /tmp && test -w ~ && echo all");
  EXPECT_EQ(end.out, "all\n") << end.err;
}

TEST_F(Inside, HomeIsTheUsersHome) {
  EXPECT_EQ(contained("echo kept >kept-file").exit_code, 0);
  EXPECT_EQ(shell("cat kept-file").out, "kept\n");
}

TEST_F(Inside, TmpAndShmAreTheNodes) {
  const auto end = contained("stat -c %d:%i /tmp /dev/shm", "-w $(sinfo -h -o %n | head -1)");
  const auto bare = shell("srun -w $(sinfo -h -o %n | head -1) stat -c %d:%i /tmp /dev/shm");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, bare.out);
}

TEST_F(Inside, WritesAreThrownAwayWithTheStep) {
  // Left by a run in which this was broken.
  shell("srun rm -f /var/tmp/berth-mark");
  EXPECT_EQ(contained("echo mine >/var/tmp/berth-mark && cat /var/tmp/berth-mark").out, "mine\n");
  const auto next = shell(
      "srun sh -c 'test ! -e /var/tmp/berth-mark && echo none'; "
      "srun --container=own.sqsh sh -c 'test ! -e /var/tmp/berth-mark && echo none'");
  EXPECT_EQ(next.out, "none\nnone\n") << next.err;
}

TEST_F(Inside, WritesAreLimited) {
  // The lab's site file says 256M; any site has some limit below the node's memory.
  const auto end =
      contained("dd if=/dev/zero of=/var/tmp/big bs=1M count=300 2>&1; stat -c %s /var/tmp/big");
  EXPECT_THAT(end.out, HasSubstr("No space left on device"));
  const auto lines = split(line(end.out), '\n');
  EXPECT_LE(parse_unsigned(lines.back()).value_or(0), std::uint64_t{256} << 20);
  EXPECT_GT(parse_unsigned(lines.back()).value_or(0), std::uint64_t{200} << 20);
}

TEST_F(Inside, TasksOfANodeShareTheContainer) {
  const auto end = shell(
      "srun -N1 -n2 --container=own.sqsh sh -c 'if test $SLURM_PROCID = 0; then echo x "
      ">/var/tmp/s; "
      "else until test -s /var/tmp/s; do sleep 0.02; done; echo seen; fi'");
  EXPECT_EQ(end.out, "seen\n") << end.err;
}

TEST_F(InsideOnLab, StartsBelowTmpOfTheNode) {
  ASSERT_EQ(root_on("n1", "install -d -m 777 /tmp/berth-there").exit_code, 0);
  EXPECT_EQ(shell("srun -w n1 --chdir=/tmp/berth-there --container=own.sqsh pwd").out,
            "/tmp/berth-there\n");
  root_on("n1", "rmdir /tmp/berth-there");
}

TEST_F(InsideOnLab, AFolderOfTheSystemIsTheImages) {
  // /usr/share/doc is on the node, not in the image: the step starts at the image's own place.
  const auto end = shell("srun --chdir=/usr/share/doc --container=own.sqsh sh -c 'pwd; ls /usr'");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(split(end.out, '\n').front(), "/");
}

TEST_F(Inside, ThreadsFollowTheCores) {
  const std::string print = "echo $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS";
  EXPECT_EQ(contained(print, "-n1 -c2 --pin=core").out, "2 2\n");
  EXPECT_EQ(contained(print, "-n1 -c1 --pin=core").out, "1 1\n");
}

TEST_F(Inside, ThreadsAreTheUsersWhereHeSetThem) {
  const auto end = shell(
      "export OMP_NUM_THREADS=1; srun -c2 --pin=core --container=own.sqsh sh -c "
      "'echo $OMP_NUM_THREADS'");
  EXPECT_EQ(end.out, "1\n") << end.err;
}

TEST_F(Inside, PinNoneLeavesTheStepsCpus) {
  const std::string cpus = "grep Cpus_allowed_list /proc/self/status";
  EXPECT_EQ(contained(cpus, "-c2 --cpu-bind=none --pin=none").out,
            shell("srun -c2 --cpu-bind=none " + cpus).out);
}

TEST_F(Inside, PinWorksWithoutAContainer) {
  const auto end = shell("srun -N1 -n2 --pin=core,verbose true");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("berth: rank 0 on "));
  EXPECT_THAT(end.err, HasSubstr("berth: rank 1 on "));
}

TEST_F(Inside, AWrongPinIsRefusedBeforeAnythingRuns) {
  const auto end = shell("srun --pin=hexagon touch pinned-wrongly");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("hexagon"));
  EXPECT_NE(shell("ls pinned-wrongly").exit_code, 0);
}

}  // namespace
}  // namespace berth::test
