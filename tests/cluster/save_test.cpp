// --container-save: the container's root as an image, when the step's tasks have ended.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Save : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (!IsSkipped()) shell("rm -f new.sqsh new.erofs");
  }
  static outcome save(const std::string& to, const std::string& script,
                      const std::string& options = "-n1") {
    return shell(
        fmt::format("srun -N1 {} --container-image=own.sqsh --container-save={} bash -c '{}'",
                    options, to, script));
  }
};
class SaveOnLab : public LabTest {};

TEST_F(Save, WhatWasWrittenIsInTheImageWhenSrunEnds) {
  for (const std::string to : {"new.sqsh", "new.erofs"}) {
    const auto end = save(to, "echo kept >/var/tmp/k");
    EXPECT_EQ(end.exit_code, 0) << end.err;
    EXPECT_EQ(shell("srun --container-image=" + to + " bash -c 'cat /var/tmp/k; pwd'").out,
              "kept\n" + folder() + "\n");
  }
  // The format follows the name, and what the image says of itself stays.
  EXPECT_THAT(shell("berth inspect new.erofs").out, AllOf(HasSubstr("EROFS"), HasSubstr("amd64")));
  EXPECT_THAT(shell("berth inspect new.sqsh").out,
              AllOf(HasSubstr("squashfs"), HasSubstr("program")));
  EXPECT_EQ(shell("ls -A | grep -c 'new.*\\.......$'").out, "0\n") << "nothing temporary is left";
}

TEST_F(Save, WhatIsMountedIsNotInTheImage) {
  ASSERT_EQ(save("new.sqsh", "true", "-n1 --container-mounts=.:/mnt/here").exit_code, 0);
  const auto names = shell("unsquashfs -ls new.sqsh | grep -E \"own.sqsh|proc/self|dev/null\"");
  EXPECT_EQ(names.out, "");
  EXPECT_THAT(shell("unsquashfs -ls new.sqsh").out, HasSubstr("/mnt/here\n"));
}

TEST_F(Save, WaitsForTheLastTaskOfTheNode) {
  const auto end = save("new.sqsh",
                        "if test $SLURM_PROCID = 0; then : >/var/tmp/first; else until test -e "
                        "/var/tmp/first; do sleep 0.05; done; sleep 0.5; echo last >/var/tmp/l; fi",
                        "-n2");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(shell("unsquashfs -cat new.sqsh var/tmp/l").out, "last\n");
}

TEST_F(Save, TheCommandsEndStaysItsOwn) {
  EXPECT_EQ(save("new.sqsh", "exit 7").exit_code, 7);
  EXPECT_EQ(shell("test -s new.sqsh").exit_code, 0);
  EXPECT_EQ(save("new.sqsh", "kill -USR1 $$").exit_code,
            shell("srun -N1 -n1 bash -c 'kill -USR1 $$'").exit_code);
  EXPECT_EQ(
      shell("echo typed | srun -N1 -n1 --container-image=own.sqsh --container-save=new.sqsh cat")
          .out,
      "typed\n");
}

TEST_F(Save, TheFirstNodeAloneWrites) {
  const auto end = shell(
      "srun -N2 -n2 --container-image=own.sqsh --container-save=new.sqsh bash -c "
      "'echo $SLURM_NODEID >/var/tmp/node'");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(shell("unsquashfs -cat new.sqsh var/tmp/node").out, "0\n");
}

TEST_F(Save, FilesThatTheUserMayNotReadAreSavedToo) {
  const auto made = shell(
      "rm -rf st; unsquashfs -q -n -d st own.sqsh && echo secret >st/secret && fakeroot sh -c "
      "'chown -R 0:0 st; chown 0:42 st/secret; chmod 640 st/secret; mksquashfs st s.sqsh -quiet "
      "-no-progress -noappend'");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto end = shell(
      "srun -N1 -n1 --container-image=s.sqsh --container-save=new.sqsh bash -c 'cat /secret'");
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err, HasSubstr("Permission denied"));
  EXPECT_EQ(
      shell("unsquashfs -cat new.sqsh secret; unsquashfs -lln new.sqsh secret | grep secret | "
            "cut -d' ' -f1,2")
          .out,
      "secret\n-rw-r----- 0/42\n");
}

TEST_F(Save, OfRootInsideKeepsItsFilesAsRoots) {
  const auto end = save("new.sqsh", "echo new >/etc/new", "-n1 --container-remap-root");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(shell("unsquashfs -lln new.sqsh etc/new").out, HasSubstr("0/0"));
}

TEST_F(Save, WhereTheUserMayNotWriteNothingChanges) {
  shell("ln -sf /etc/passwd link.sqsh; mkdir -p folder.sqsh");
  for (const std::string to : {"/etc/berth-save.sqsh", "/etc/passwd", "link.sqsh", "folder.sqsh",
                               "/no/such/folder/x.sqsh", "/proc/x.sqsh"}) {
    const auto end = save(to, "true");
    EXPECT_EQ(end.exit_code, 1) << to;
    EXPECT_THAT(end.err, AllOf(HasSubstr("berth: --container-save: cannot write \""),
                               Not(HasSubstr("internal"))))
        << to;
  }
  EXPECT_THAT(shell("srun -N1 cat /etc/passwd").out, HasSubstr("root:"));
  EXPECT_THAT(save("new.sqsh", "true", "-n1 --container-readonly").err,
              HasSubstr("--container-save: nothing is written"));
}

TEST_F(SaveOnLab, AFullDiskLeavesTheOldFile) {
  const auto small = changed_node("n1",
                                  "mkdir /tmp/berth-small && mount -t tmpfs -o size=64k,mode=777 x "
                                  "/tmp/berth-small",
                                  "umount /tmp/berth-small && rmdir /tmp/berth-small");
  const auto end = shell(
      "srun -w n1 -N1 -n1 bash -c 'echo old >/tmp/berth-small/i.sqsh'; srun -w n1 -N1 -n1 "
      "--container-image=own.sqsh --container-save=/tmp/berth-small/i.sqsh true");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err,
              AllOf(HasSubstr("--container-save: "), HasSubstr("No space left on device")));
  EXPECT_EQ(
      shell("srun -w n1 -N1 -n1 bash -c 'cat /tmp/berth-small/i.sqsh; ls -A /tmp/berth-small'").out,
      "old\ni.sqsh\n");
}

TEST_F(SaveOnLab, AStepThatIsEndedMeanwhileLeavesNothingOrAWholeImage) {
  // Bytes that no compressor makes quick work of: there is time to end the step.
  const auto end = shell(
      "rm -f big.sqsh; srun -N1 -n1 -J saving --container-image=own.sqsh --container-save=big.sqsh "
      "bash -c "
      "'dd if=/dev/urandom of=/var/tmp/big bs=1M count=200 2>/dev/null' & "
      "until ls -A | grep -q '^big.sqsh\\.'; do sleep 0.02; done; "
      "scancel --signal=KILL --name=saving; wait $!; "
      "for i in $(seq 100); do ls -A | grep -q '^big.sqsh\\.' || break; sleep 0.1; done; "
      "ls -A | grep '^big.sqsh\\.' && exit 9; test ! -e big.sqsh || unsquashfs -q -l big.sqsh "
      ">big.list");
  EXPECT_EQ(end.exit_code, 0) << end.out << end.err;
}

}  // namespace
}  // namespace berth::test
