// The mounts that an image asks for itself, in its /etc/fstab, as images of enroot do; and what
// somebody gains who gives another person an image of his.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ImageFstab : public ClusterTest {
 protected:
  /// Makes fstab.sqsh of the tools, with what `script` does to their tree.
  static void make_image(const std::string& script) {
    const auto end = shell(
        "rm -rf tree fstab.sqsh; unsquashfs -q -n -d tree own.sqsh && cd tree && { " + script +
        "; } && cd .. && mksquashfs tree fstab.sqsh -quiet -no-progress -noI -noD -noF -noX "
        "-all-root");
    ASSERT_EQ(end.exit_code, 0) << end.err;
  }
  static void with_lines(const std::string& lines) {
    make_image("printf '" + lines + "' >etc/fstab");
  }
};
class ImageFstabOnLab : public LabTest {};

std::size_t lines_of_ours(const outcome& end) {
  std::size_t count = 0;
  for (const auto& one : split(end.err, '\n')) count += one.find("berth: ") != std::string::npos;
  return count;
}

TEST_F(ImageFstab, ItsLinesAreMounted) {
  ASSERT_EQ(shell("rm -rf in; mkdir in; echo shown >in/file").exit_code, 0);
  with_lines(
      "# of enroot\\n${FROM}/in /mnt/a none x-create=dir,bind,ro\\ntmpfs /fast tmpfs size=1M\\n"
      "${ENROOT_ROOTFS}/srv/vol /srv/vol none x-create=dir,bind,rw,nosuid,nodev\\n"
      "/no/such/place /b none bind,nofail\\nUUID=1 / ext4 defaults 0 1\\n");
  const std::string command =
      " bash -c 'cat /mnt/a/file; >/mnt/a/new; echo x >/fast/x && cat /fast/x; "
      "test -d /srv/vol && test ! -e /b && echo rest'";
  for (const std::string start :
       {"FROM=$PWD srun -N1 --container-image=fstab.sqsh",
        "FROM=$PWD srun -N1 --container-backend=unpack --container-image=fstab.sqsh",
        "FROM=$PWD berth run fstab.sqsh --"}) {
    const auto end = shell(start + command);
    EXPECT_EQ(end.out, "shown\nx\nrest\n") << start << end.err;
    EXPECT_THAT(end.err, HasSubstr("Read-only file system"));
  }
  const auto told = shell("FROM=$PWD srun --container-explain --container-image=fstab.sqsh true");
  EXPECT_THAT(told.out, AllOf(HasSubstr("/in -> /mnt/a (read-only, image)\n"),
                              HasSubstr("tmpfs -> /fast (image)\n"),
                              HasSubstr("folder -> /srv/vol (image)\n")));
}

TEST_F(ImageFstab, TheUsersOwnMountsWin) {
  ASSERT_EQ(shell("rm -rf in; mkdir in; echo own >in/file").exit_code, 0);
  with_lines("/no/such/place /mnt/a none bind\\n");
  const auto refused = shell("srun -N1 --container-image=fstab.sqsh true");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("its /etc/fstab: mount source \"/no/such/place\" (image): No such"),
                    HasSubstr("--container-mounts=tmpfs:/mnt/a starts without it")));
  EXPECT_EQ(lines_of_ours(refused), 1U) << refused.err;
  const auto end =
      shell("srun -N1 --container-image=fstab.sqsh --container-mounts=./in:/mnt/a cat /mnt/a/file");
  EXPECT_EQ(end.out, "own\n") << end.err;
}

TEST_F(ImageFstab, OfANamedContainerIsReadAtEachStep) {
  with_lines("tmpfs /fast\\n");
  const auto end = shell(
      "salloc -Q -N1 bash -c '"
      "srun -n1 --container-image=fstab.sqsh --container-remap-root --container-name=c "
      "bash -c \"echo tmpfs /later >/etc/fstab\"; "
      "srun -n1 --container-name=c --container-remap-root cat /proc/self/mountinfo'");
  EXPECT_THAT(end.out, AllOf(HasSubstr(" /later "), Not(HasSubstr(" /fast ")))) << end.err;
}

TEST_F(ImageFstab, WhatTheUserCouldNotMountIsRefusedInOneLine) {
  const std::pair<const char*, const char*> lines[] = {
      {"/etc/shadow /x none bind", nullptr},  // the user may show it, but still not read it
      {"/root/x /x none bind", "Permission denied"},
      {"/proc/1/root /x none bind", "mount source"},
      {"/proc/self/root /x none bind", "mount source"},
      {"/x /proc/sys none bind", "the container's own"},
      {"/tmp /a/../../proc none bind", "holds"},
      {"/dev/loop0 /x squashfs ro", "file system of type"},
      {"none /proc none x-detach", "x-detach"},
      {"/tmp /x\\\\012slurmd:\\\\033[31m none bind", "control character"},
      {"${HOME}\\\\302\\\\2331m /x none bind", "control character"},
  };
  for (const auto& [line, why] : lines) {
    with_lines(std::string(line) + "\\n");
    const auto end = shell("srun -N1 --container-image=fstab.sqsh cat /x");
    EXPECT_NE(end.exit_code, 0) << line;
    EXPECT_EQ(end.out, "") << line;
    if (why == nullptr) continue;
    EXPECT_EQ(lines_of_ours(end), 1U) << end.err;
    EXPECT_THAT(end.err, AllOf(HasSubstr("its /etc/fstab: "), HasSubstr(why),
                               Not(HasSubstr("\033")), Not(HasSubstr("\xc2\x9b"))))
        << line;
  }
}

TEST_F(ImageFstab, ALinkInItsPlaceReadsNothingOfTheNode) {
  ASSERT_EQ(shell("echo 'tmpfs /leaked' >table").exit_code, 0);
  for (const auto& link : {folder() + "/table", std::string("/proc/self/fd/3"),
                           "../../../../../../../../.." + folder() + "/table"}) {
    make_image("ln -sf " + link + " etc/fstab");
    const auto end = shell("srun -N1 --container-image=fstab.sqsh cat /proc/self/mountinfo");
    EXPECT_EQ(end.exit_code, 0) << end.err;
    EXPECT_THAT(end.out, Not(HasSubstr("/leaked")));
  }
}

TEST_F(ImageFstab, APipeInItsPlaceAndATooLongOneHangNobody) {
  make_image("mkfifo etc/fstab");
  EXPECT_EQ(shell("srun -N1 --container-image=fstab.sqsh bash -c 'echo ran'").out, "ran\n");
  make_image("head -c 100000 /dev/zero | tr '\\0' '#' >etc/fstab");
  const auto end = shell("srun -N1 --container-image=fstab.sqsh true");
  EXPECT_THAT(end.err, HasSubstr("its /etc/fstab: "));
  EXPECT_EQ(lines_of_ours(end), 1U) << end.err;
}

TEST_F(ImageFstab, ItDoesNotShowAHomeThatIsHidden) {
  with_lines("${HOME} /mnt/home none rbind\\n");
  EXPECT_EQ(shell("srun -N1 --container-image=fstab.sqsh bash -c 'cd /mnt/home && echo shown'").out,
            "shown\n");
  const auto end =
      shell("srun -N1 --no-container-mount-home --container-image=fstab.sqsh bash -c 'echo ran'");
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err, HasSubstr("--no-container-mount-home hides"));
}

TEST_F(ImageFstabOnLab, TheSitesRulesHold) {
  const auto rules = covered("n1", "/etc/berth/site.lua",
                             "return { user_mounts = { forbidden = { '/usr/share' } } }");
  ASSERT_EQ(shell("echo '/usr /mnt/usr none rbind' >table; "
                  "berth pack bash ls --force --no-mpi --file table:/etc/fstab -o rules.sqsh")
                .exit_code,
            0);
  const auto end = shell("srun -w n1 --container-image=rules.sqsh bash -c 'echo ran'");
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err, AllOf(HasSubstr("its /etc/fstab: "), HasSubstr("the site forbids")));
  EXPECT_EQ(shell("srun -w n2 --container-image=rules.sqsh bash -c 'ls -d /mnt/usr/share'").out,
            "/mnt/usr/share\n");
}

TEST_F(ImageFstab, StrangeLinesOfAnEnvironmentAreOneWarning) {
  make_image("printf 'A=1\\nstrange\\nworse still\\n' >etc/environment");
  for (const std::string start :
       {"srun -N2 --container-image=fstab.sqsh", "berth run fstab.sqsh --"}) {
    const auto end = shell(start + " bash -c 'echo $A'");
    EXPECT_THAT(end.out, HasSubstr("1\n"));
    EXPECT_EQ(lines_of_ours(end), 1U) << end.err;
    EXPECT_THAT(end.err,
                HasSubstr("/etc/environment: line 2 is not NAME=VALUE (and 1 more like it), "
                          "ignoring"));
  }
}

}  // namespace
}  // namespace berth::test
