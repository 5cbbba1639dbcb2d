// The cgroups that Slurm makes for a job go with the job, whatever of it Berth kept in them.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

class Cgroups : public LabTest {};

std::string folders_of(const std::string& job) {
  return root_on("n1", "find /sys/fs/cgroup -name job_" + job).out;
}

// A FUSE server outlives its step in the job's own cgroup, which Slurm then cannot remove.
TEST_F(Cgroups, AJobThatIsKilledLeavesNone) {
  constexpr int jobs = 3;
  for (int i = 0; i < jobs; ++i) {
    shell("rm -f ready; cat >job.sh",
          "#!/bin/bash\nsrun -n1 --container=own.sqsh sh -c 'touch ready; exec sleep 1000'\n");
    const auto job = line(shell("sbatch --parsable -w n1 -o job.out job.sh").out);
    ASSERT_TRUE(parse_unsigned(job)) << job;
    ASSERT_TRUE(comes_true([] { return shell("test -e ready").exit_code == 0; }))
        << shell("cat job.out").out;
    EXPECT_NE(folders_of(job), "");
    shell(fmt::format("scancel --signal=KILL --full {0}; scancel {0}", job));
    ASSERT_TRUE(comes_true([&] { return shell("squeue -h -j " + job).out.empty(); }));
    EXPECT_EQ(folders_of(job), "");
  }
}

}  // namespace
}  // namespace berth::test
