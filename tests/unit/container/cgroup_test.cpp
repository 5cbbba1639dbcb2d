#include "container/cgroup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* both =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(Cgroup, EveryHierarchyOfTheProcessHasItsFile) {
  EXPECT_THAT(
      cgroup_files("5:cpu,cpuacct:/slurm/step_0\n3:freezer:/\n0::/system.slice/slurmd:1\n", both),
      ElementsAre("/sys/fs/cgroup/cpu,cpuacct/slurm/step_0/cgroup.procs",
                  "/sys/fs/cgroup/freezer/cgroup.procs",
                  "/sys/fs/cgroup/unified/system.slice/slurmd:1/cgroup.procs"));
}

TEST(Cgroup, AHierarchyThatIsNotMountedIsLeftOut) {
  EXPECT_THAT(cgroup_files("7:memory:/slurm\n", both), IsEmpty());
  EXPECT_THAT(cgroup_files("0::/slurm\n", "22 27 0:21 / /proc rw - proc proc rw\n"), IsEmpty());
}

TEST(Cgroup, AMountThatShowsASubtreeIsSeenFromThere) {
  constexpr const char* subtree = "41 31 0:38 /lab/n1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_THAT(cgroup_files("0::/lab/n1/step_0\n", subtree),
              ElementsAre("/sys/fs/cgroup/step_0/cgroup.procs"));
  EXPECT_THAT(cgroup_files("0::/lab/n1\n", subtree), ElementsAre("/sys/fs/cgroup/cgroup.procs"));
  EXPECT_THAT(cgroup_files("0::/lab/n12\n", subtree), IsEmpty());
}

TEST(Cgroup, BrokenLinesAreSkipped) {
  EXPECT_THAT(cgroup_files("\nnonsense\n1:\n", "- cgroup2\n1 2 3 - cgroup2 x\n"), IsEmpty());
}

}  // namespace
}  // namespace berth::container
