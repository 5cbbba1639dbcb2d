// --container-backend=unpack: one copy per node and user, filled once, kept while somebody uses it.

#include <gmock/gmock.h>

#include <memory>
#include <optional>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// In memory of the node: /var/cache is the same on all nodes of the lab.
const std::string rules =
    "return { images = { trusted = { '/srv/images' } }, overlay_size = '64M', "
    "cache = { folder = '/run/berth-cache', quota = '1G' } }";
const std::string unpacked = "srun -w n1 --container=own.sqsh --container-backend=unpack ";

std::size_t entries() {
  const auto end = root_on("n1", "ls -d /run/berth-cache/*/*/root 2>/dev/null");
  return end.out.empty() ? 0 : split(line(end.out), '\n').size();
}

class Unpack : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (!IsSkipped())
      site_.emplace("n1", cover(), "umount /etc/berth/site.lua; rm -rf /run/berth-cache");
  }
  void TearDown() override { site_.reset(); }

 private:
  static std::string cover() {
    return "cat >/run/berth-cover <<'END'\n" + rules +
           "\nEND\nchmod 644 /run/berth-cover; mount --bind /run/berth-cover /etc/berth/site.lua";
  }
  std::optional<changed_node> site_;
};

TEST_F(Unpack, TheImageIsTheRootAndTheUsersFilesAreHis) {
  const auto end = shell(unpacked +
                         "sh -c 'grep ^ID= /etc/os-release; echo x >/var/tmp/x && "
                         "stat -c %u /usr/bin; id -u'");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  const auto lines = split(line(end.out), '\n');
  ASSERT_EQ(lines.size(), 3U) << end.out;
  EXPECT_EQ(lines[0], "ID=berth");
  EXPECT_EQ(lines[1], lines[2]);
}

TEST_F(Unpack, AUsersErofsImageIsUnpackedWithoutBeingAskedFor) {
  ASSERT_EQ(shell("berth convert --force own.sqsh own.erofs").exit_code, 0);
  const auto end = shell("srun -w n1 --container=own.erofs grep ^ID= /etc/os-release");
  EXPECT_EQ(end.out, "ID=berth\n") << end.err;
  EXPECT_EQ(end.err, "");
  EXPECT_EQ(entries(), 1U);
  EXPECT_THAT(shell("srun --container=own.erofs --container-explain hostname").out,
              HasSubstr("unpack: no FUSE server reads EROFS, and the kernel may not: others than "
                        "root can change"));
  const auto fuse = shell("srun -w n1 --container=own.erofs --container-backend=fuse true");
  EXPECT_NE(fuse.exit_code, 0);
  EXPECT_THAT(fuse.err, HasSubstr("leave the option out, and it is unpacked"));
}

TEST_F(Unpack, AnErofsImageThatDoesNotFitNamesTheOtherWay) {
  ASSERT_EQ(shell("berth convert --force own.sqsh own.erofs").exit_code, 0);
  const auto small = covered("n1", "/etc/berth/site.lua",
                             "return { cache = { folder = '/run/berth-cache', quota = '1M' } }");
  const auto end = shell("srun -w n1 --container=own.erofs true");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("own.erofs\": an EROFS image that is not trusted must be "
                                       "unpacked: "),
                             HasSubstr("berth convert IMAGE NEW.sqsh")));
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Unpack, StepsThatStartTogetherShareOneCopy) {
  const auto end = shell("salloc -Q -w n1 -n1 bash -c 'for i in 1 2 3 4; do " + unpacked +
                         "--overlap -n1 grep ^ID= /etc/os-release & done; wait'");
  EXPECT_EQ(end.out, "ID=berth\nID=berth\nID=berth\nID=berth\n") << end.err;
  EXPECT_EQ(end.err, "");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Unpack, ACopyInUseIsNotRemoved) {
  shell("rm -f go; (" + unpacked +
        "sh -c 'until test -e go; do sleep 0.1; done; cat /etc/os-release' >used.txt 2>&1; "
        "echo $? >>used.txt) >/dev/null 2>&1 &");
  ASSERT_TRUE(comes_true([] { return entries() == 1; }));
  ASSERT_TRUE(comes_true([] { return !shell("squeue -h -t R").out.empty(); }));
  const auto pruned = root_on("n1", "berth cache prune --all --folder /run/berth-cache");
  EXPECT_EQ(pruned.exit_code, 0) << pruned.err;
  EXPECT_EQ(entries(), 1U) << pruned.out;
  shell("touch go");
  ASSERT_TRUE(comes_true([] { return shell("tail -1 used.txt").out == "0\n"; }));
  EXPECT_THAT(shell("cat used.txt").out, HasSubstr("ID=berth"));
  // The lease ends with the step.
  ASSERT_TRUE(comes_true([] {
    root_on("n1", "berth cache prune --all --folder /run/berth-cache");
    return entries() == 0;
  }));
}

TEST_F(Unpack, ACopyThatOnlyExecUsesIsNotRemoved) {
  shell("rm -f ready go over joined finish");
  const auto job = line(
      shell(
          "sbatch --parsable -o exec.out -w n1 -n1",
          "#!/bin/bash\n" + unpacked +
              "sh -c 'touch ready; until test -e go; do sleep 0.05; done'\ntouch over\nsleep 1000")
          .out);
  const std::shared_ptr<void> end(nullptr, [&](void*) { shell("scancel " + job); });
  ASSERT_TRUE(comes_true([] { return shell("ls ready").exit_code == 0; }));
  shell("(berth exec " + job +
        ".0 -- sh -c 'touch joined; until test -e finish; do sleep 0.05; done; "
        "cat /etc/os-release' >joined.txt 2>&1; echo $? >>joined.txt) >/dev/null 2>&1 &");
  ASSERT_TRUE(comes_true([] { return shell("ls joined").exit_code == 0; }));
  shell("touch go");
  ASSERT_TRUE(comes_true([] { return shell("ls over").exit_code == 0; }));
  // srun has ended; its slurmstepd lets go a moment later.
  ASSERT_TRUE(comes_true(
      [&] { return root_on("n1", "pgrep -f '^slurmstepd: .*" + job + ".0]'").exit_code == 1; }));
  const auto pruned = root_on("n1", "berth cache prune --all --folder /run/berth-cache");
  EXPECT_EQ(pruned.exit_code, 0) << pruned.err;
  EXPECT_EQ(entries(), 1U) << pruned.out;
  shell("touch finish");
  ASSERT_TRUE(comes_true([] { return shell("tail -1 joined.txt").out == "0\n"; }));
  EXPECT_THAT(shell("cat joined.txt").out, HasSubstr("ID=berth"));
  // And the command's lease ends with it.
  EXPECT_TRUE(comes_true([] {
    root_on("n1", "berth cache prune --all --folder /run/berth-cache");
    return entries() == 0;
  }));
}

TEST_F(Unpack, AnImageLargerThanTheQuotaIsOneLine) {
  const auto small = covered("n1", "/etc/berth/site.lua",
                             "return { cache = { folder = '/run/berth-cache', quota = '1M' } }");
  const auto end = shell(unpacked + "true");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("berth: node n1: image \""), HasSubstr("own.sqsh")));
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Unpack, ACancelledJobDoesNotWaitForIt) {
  // An unpacker that never ends.
  const std::string unpack = "/opt/berth/libexec/berth/berth-unpack";
  const changed_node endless("n1",
                             "printf '#!/bin/sh\\nexec sleep 86399\\n' >/run/endless; "
                             "chmod 755 /run/endless; mount --bind /run/endless " +
                                 unpack,
                             "umount " + unpack);
  shell("(" + unpacked + "-J endless true; echo $?) >cancelled.txt 2>&1 &");
  const auto unpackers = [] { return root_on("n1", "pgrep -cf '^sleep 86399' || true").out; };
  ASSERT_TRUE(comes_true([&] { return unpackers() == "1\n"; }));
  shell("scancel --name=endless");
  EXPECT_TRUE(comes_true([&] { return unpackers() == "0\n"; })) << unpackers();
  EXPECT_TRUE(comes_true([] { return shell("squeue -h --name=endless").out.empty(); }));
  EXPECT_TRUE(
      comes_true([] { return !shell("tail -1 cancelled.txt | grep -v '^0'").out.empty(); }));
}

TEST_F(Unpack, NobodyElseEntersTheCache) {
  ASSERT_EQ(shell(unpacked + "true").exit_code, 0);
  const auto end = shell("srun -w n1 ls /run/berth-cache");
  EXPECT_THAT(end.err, HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace berth::test
