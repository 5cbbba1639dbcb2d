// What a step inherits of its user, and what a node may lack: limits, signals, variables, file
// systems that cannot be made.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>

#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AttackLimits : public LabTest {};

// As without a container: what srun itself does not survive is none of ours.
TEST_F(AttackLimits, LowLimitsActAsOutsideOfContainers) {
  for (const auto* limit : {"-f 0", "-v 1000000", "-n 64", "-c 0", "-l 0", "-i 0", "-s 1024"}) {
    const auto with = [&](const char* words) {
      return shell(
          fmt::format("ulimit {}; timeout 60 srun -w n1 --propagate=ALL {} bash -c "
                      "'ulimit {}'",
                      limit, words, std::string(limit).substr(0, 2)));
    };
    const auto bare = with("");
    const auto contained = with("--container=own.sqsh");
    EXPECT_EQ(contained.exit_code, bare.exit_code) << limit << contained.err;
    EXPECT_EQ(contained.out, bare.out) << limit;
  }
}

TEST_F(AttackLimits, SignalsThatSrunIgnoresActAsOutsideOfContainers) {
  const auto with = [](const std::string& words) {
    return shell("trap '' CHLD TERM USR1 PIPE; timeout 60 srun -w n1 " + words +
                 " grep -E '^Sig(Blk|Ign)' /proc/self/status");
  };
  const auto bare = with("");
  EXPECT_THAT(bare.out, HasSubstr("SigBlk:"));
  EXPECT_EQ(with("--container=own.sqsh").out, bare.out);
  EXPECT_EQ(with("--container=own.sqsh --container-backend=unpack").out, bare.out);
}

// srun's own time grows with the square of their number.
TEST_F(AttackLimits, TensOfThousandsOfVariablesPass) {
  const auto end = shell(
      "for ((i = 0; i < 10000; ++i)); do export V$i=x; done; timeout 100 srun -w n1 "
      "--container=own.sqsh bash -c 'echo $V0$V5000$V9999'");
  EXPECT_EQ(end.out, "xxx\n") << end.err.substr(0, 2000);
}

// From a mount that is kept: what cannot be made is the tmpfs of what the step writes.
TEST_F(AttackLimits, WithoutAFileSystemToWriteToNothingRuns) {
  put_program("deny_call", BERTH_TEST_DENY_CALL);
  const auto run = "srun -w n2 --container=" + trusted_image();
  ASSERT_EQ(shell(run + " true").exit_code, 0);
  const auto mounts = [] {
    return root_on("n2", "cut -d' ' -f4,5,9- /proc/1/mountinfo | grep -v plugstack").out;
  };
  const auto before = mounts();
  {
    const auto plugstack = line(root_on("n2", "cat /etc/slurm/plugstack.conf").out);
    const auto at = plugstack.rfind("helper=");
    ASSERT_NE(at, std::string::npos);
    const changed_node denied(
        "n2",
        fmt::format(
            "printf '#!/bin/bash\\nexec {}/deny_call {} "
            "/opt/berth/libexec/berth/berth-node \"$@\"' >/run/denied; chmod 755 /run/denied",
            folder(), SYS_fsopen),
        "rm /run/denied");
    const auto helper =
        covered("n2", "/etc/slurm/plugstack.conf", plugstack.substr(0, at) + "helper=/run/denied");
    for (const auto& words : {run, std::string("srun -w n2 --container=own.sqsh")}) {
      const auto end = shell("timeout 60 " + words + " touch " + folder() + "/ran");
      EXPECT_EQ(end.exit_code, 1) << end.err;
      EXPECT_THAT(our_lines(end),
                  ElementsAre(AllOf(HasSubstr("node n2"), HasSubstr("cannot use file system"),
                                    HasSubstr("No space left on device"))));
      EXPECT_NE(shell("ls ran").exit_code, 0);
    }
    EXPECT_TRUE(comes_true([] { return shell("squeue -h -w n2").out.empty(); }));
  }
  EXPECT_EQ(mounts(), before);
  EXPECT_EQ(shell(run + " grep ^ID= /etc/os-release").out, "ID=berth\n");
}

}  // namespace
}  // namespace berth::test
