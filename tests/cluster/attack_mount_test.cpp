// What a person with an account may try with mounts: file systems that never answer, folders that
// are swapped while they are checked, targets that are the node's.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class AttackMount : public LabTest {};

std::string plugstack_of(const std::string& node) {
  return line(root_on(node, "cat /etc/slurm/plugstack.conf").out);
}

// A request that its server has taken, but does not answer, cannot even be ended by SIGKILL: nobody
// may wait for who asked. The node is not taken out of service, and starts the next container.
TEST_F(AttackMount, AFileSystemThatTakesRequestsAndAnswersNoneIsOneLine) {
  put_program("silent_fs", BERTH_TEST_SILENT_FS);
  const changed_node silent("n4",
                            fmt::format("mkdir /tmp/silent && {}/silent_fs {} /tmp/silent",
                                        folder(), line(shell("id -u").out)),
                            "kill $(pidof silent_fs); umount -l /tmp/silent; rmdir /tmp/silent");
  {
    const auto hasty =
        covered("n4", "/etc/slurm/plugstack.conf", plugstack_of("n4") + " timeout=3");
    for (const auto* words : {"--container=/tmp/silent/own.sqsh",
                              "--container=own.sqsh --container-mounts=/tmp/silent/data:/data"}) {
      const auto end = shell(fmt::format("timeout 60 srun -w n4 {} touch ran", words));
      EXPECT_EQ(end.exit_code, 1) << end.err;
      EXPECT_THAT(our_lines(end), ElementsAre(AllOf(HasSubstr("node n4"), HasSubstr("after 3 s"),
                                                    HasSubstr("does not answer"))));
      EXPECT_NE(shell("ls ran").exit_code, 0);
      EXPECT_TRUE(comes_true([] {
        return shell("sinfo -h -n n4 -o %T | sort -u").out == "idle\n";
      })) << shell("sinfo -R; squeue").out;
    }
  }
  // Its root answers, so it can be where the step is submitted; nothing else of it is needed.
  for (const auto* words : {"--chdir=/tmp/silent", ""}) {
    const auto end = shell(fmt::format(
        "timeout 60 srun -w n4 {} --container={} grep ^ID= /etc/os-release", words, own_image()));
    EXPECT_EQ(end.out, "ID=berth\n") << end.err;
  }
}

// The folder is the user's now, and a link to what the site forbids then.
TEST_F(AttackMount, AFolderThatIsSwappedShowsNothingForbidden) {
  const changed_node closed("n1", "mkdir -m 755 /srv/closed; echo closed >/srv/closed/mark",
                            "rm -r /srv/closed");
  const auto rules = covered("n1", "/etc/berth/site.lua",
                             "return { user_mounts = { forbidden = { '/srv/closed' } } }");
  put_program("swap_names", BERTH_TEST_SWAP_NAMES);
  const auto end = shell(
      "rm -rf swap link; mkdir swap; echo mine >swap/mark; ln -s /srv/closed link; "
      "./swap_names swap link & swapper=$!\n"
      "for i in 1 2 3 4 5 6 7 8; do for j in 1 2 3; do srun -w n1 --container=own.sqsh "
      "--container-mounts=./swap:/mnt cat /mnt/mark || echo failed; done\n"
      "srun -w n1 --chdir=$PWD/swap --container=$PWD/own.sqsh cat $PWD/swap/mark || echo failed\n"
      "done; kill $swapper; wait; rm -rf swap link");
  const auto lines = split(line(end.out), '\n');
  EXPECT_THAT(lines, SizeIs(32)) << end.err;
  EXPECT_THAT(lines, Each(AnyOf("mine", "failed"))) << end.err;
  EXPECT_THAT(lines, AllOf(Contains("mine"), Contains("failed"))) << "never swapped";
}

TEST_F(AttackMount, WhatIsTheContainersOwnIsNoTarget) {
  shell("mkdir -p in");
  for (const std::string target : {"/", "/.", "/proc", "/proc/self", "/proc/1/../1", "/dev",
                                   "/dev/", "/sys", "/sys/fs/cgroup", "//proc", "/tmp/../proc"}) {
    const auto end =
        shell("srun -w n1 --container=own.sqsh --container-mounts=./in:" + target + " touch ran");
    EXPECT_NE(end.exit_code, 0) << target;
    EXPECT_THAT(our_lines(end), SizeIs(1)) << target;
    EXPECT_NE(shell("ls ran").exit_code, 0) << target;
  }
}

// In a container it may lie over all that is Berth's and Slurm's; on the node nothing changes.
TEST_F(AttackMount, WhatIsMountedOverBerthsAndSlurmsFoldersStaysInTheContainer) {
  shell(
      "rm -rf in; mkdir in; cd in; for name in mark topology.xml "
      "plugstack.conf slurm.conf; do echo evil >$name; done");
  const auto state = [] {
    return root_on("n1",
                   "cut -d' ' -f4,5,9- /proc/1/mountinfo; ls -l /run/berth | grep -v total; "
                   "sha256sum /run/berth/topology.xml; cat /etc/slurm/plugstack.conf")
        .out;
  };
  const std::string sound = "srun -w n1 --mpi=pmix -n2 --container=own.sqsh probe";
  EXPECT_EQ(shell(sound).exit_code, 0);
  const auto before = state();
  for (const auto* target :
       {"/run", "/run/berth", "/run/berth/kept", "/var/spool/slurmd", "/etc/slurm", "/dev/shm"}) {
    const auto end =
        shell(fmt::format("timeout 60 srun -w n1 --container=own.sqsh --container-mounts=./in:{} "
                          "cat {}/mark",
                          target, target));
    EXPECT_EQ(end.out, "evil\n") << target << end.err;
    EXPECT_TRUE(comes_true([&] { return state() == before; })) << state() << before;
  }
  EXPECT_EQ(shell(sound).exit_code, 0);
}

// The folder of kept mounts is root's alone, and its namespace is in no copy of the folders above.
TEST_F(AttackMount, KeptMountsAndOthersFilesAreNoSource) {
  EXPECT_EQ(shell("srun -w n1 --container=" + trusted_image() + " true").exit_code, 0);
  for (const auto* source : {"/run/berth/kept", "/run/berth/kept/ns", "/root", "/proc/1/root",
                             "/proc/self/root/etc", "/proc/self/cwd", "/var/spool/slurmd/cred"}) {
    const auto end = shell(
        fmt::format("srun -w n1 --container=own.sqsh --container-mounts={}:/mnt ls /mnt", source));
    EXPECT_NE(end.exit_code, 0) << source;
    EXPECT_EQ(end.out, "") << source;
  }
  const auto above = shell(
      "srun -w n1 --container=own.sqsh --container-mounts=/run:/mnt:rbind ls /mnt/berth/kept");
  EXPECT_THAT(above.err, HasSubstr("Permission denied"));
  EXPECT_EQ(above.out, "");
}

}  // namespace
}  // namespace berth::test
