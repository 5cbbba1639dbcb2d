// Who asks for a container and cannot have it gets one line that says why, and the command does not
// run: not in the container, and never on the host.

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class BadInput : public ClusterTest {};

// Runs a marker program in the image; it must not run. Returns what the user is told by us.
std::string refused(const std::string& image, const std::string& command = {}) {
  const auto end = shell("rm -f ran; srun -N1 --container=" + image + ' ' +
                         (command.empty() ? "touch " + folder() + "/ran" : command));
  EXPECT_NE(end.exit_code, 0);
  EXPECT_NE(shell("ls ran").exit_code, 0) << "the command ran";
  std::string told;
  for (const auto& one : split(end.err, '\n')) {
    if (one.find("berth: ") != std::string::npos) told += told.empty() ? one : " AND " + one;
  }
  EXPECT_THAT(told, Not(HasSubstr(" AND "))) << "one line, not several";
  EXPECT_NE(told, "") << end.err;
  return told;
}

// Makes a file and removes it, with what `script` did to it.
void make(const std::string& script) {
  const auto end = shell(script);
  ASSERT_EQ(end.exit_code, 0) << end.err;
}

TEST_F(BadInput, AMissingImage) {
  EXPECT_THAT(refused("missing.sqsh"),
              AllOf(HasSubstr("node "), HasSubstr("missing.sqsh"),
                    HasSubstr("No such file or directory"), HasSubstr("give the path")));
}

TEST_F(BadInput, AnImageThatTheUserMayNotRead) {
  make("cp own.sqsh closed.sqsh && chmod 000 closed.sqsh");
  EXPECT_THAT(refused("closed.sqsh"),
              AllOf(HasSubstr("closed.sqsh"), HasSubstr("Permission denied")));
}

TEST_F(BadInput, AFileThatIsNoImage) {
  make("echo hello >text.sqsh; head -c 1M /dev/zero >zero.sqsh");
  EXPECT_THAT(refused("text.sqsh"), AllOf(HasSubstr("text.sqsh"), HasSubstr("squashfs")));
  EXPECT_THAT(refused("zero.sqsh"), AllOf(HasSubstr("zero.sqsh"), HasSubstr("squashfs")));
  EXPECT_THAT(refused("probe"), AllOf(HasSubstr("probe"), HasSubstr("squashfs")));
}

// Root's overlay would read such a folder with root's rights: what /sys and network file systems
// show depends on who opens it, not on modes alone.
TEST_F(BadInput, AFolderOfTheNodeOrTheUser) {
  make("mkdir -p tree/bin");
  for (const std::string folder : {"/", "/sys", "/proc", "/usr", "./tree"}) {
    EXPECT_THAT(refused(folder), AllOf(HasSubstr("is a folder"), HasSubstr("mksquashfs")));
  }
  // Also where the login node did not see what it is.
  make("ln -sfn /run/only-there there.sqsh");
  const changed_node tree("n1", "mkdir /run/only-there", "rmdir /run/only-there");
  EXPECT_THAT(refused("there.sqsh -w n1"), AllOf(HasSubstr("node n1"), HasSubstr("is a folder")));
}

TEST_F(BadInput, AnEmptyFile) {
  make(": >empty.sqsh");
  EXPECT_THAT(refused("empty.sqsh"), HasSubstr("empty.sqsh"));
}

TEST_F(BadInput, ATruncatedImage) {
  make("head -c 1M own.sqsh >half.sqsh");
  EXPECT_THAT(refused("half.sqsh"), AllOf(HasSubstr("half.sqsh"), HasSubstr("truncated")));
}

TEST_F(BadInput, AnImageWithABrokenTable) {
  // The superblock is whole, what it points to is not.
  make(
      "cp own.sqsh broken.sqsh && dd if=/dev/zero of=broken.sqsh bs=1 seek=$(($(stat -c %s "
      "own.sqsh) - 30000)) count=30000 conv=notrunc status=none");
  EXPECT_THAT(refused("broken.sqsh"), HasSubstr("broken.sqsh"));
}

TEST_F(BadInput, AFifo) {
  make("mkfifo fifo.sqsh");
  EXPECT_THAT(refused("fifo.sqsh"), AllOf(HasSubstr("fifo.sqsh"), HasSubstr("not a regular file")));
}

TEST_F(BadInput, ANameOfTwoLines) {
  make("cp own.sqsh $'two\\nlines.sqsh'");
  EXPECT_THAT(refused("$'two\\nlines.sqsh'"), HasSubstr("control characters"));
  // Whether there is such a file or not.
  EXPECT_THAT(refused("$'two\\nlines'"), HasSubstr("control characters"));
}

TEST_F(BadInput, AnEmptyName) {
  EXPECT_NE(shell("rm -f ran; srun --container-image= touch ran").exit_code, 0);
  EXPECT_NE(shell("ls ran").exit_code, 0);
}

TEST_F(BadInput, ACommandThatTheImageLacks) {
  const auto bare = shell("srun there-is-no-such-command").exit_code;
  const auto end = shell("srun --container=own.sqsh there-is-no-such-command");
  EXPECT_EQ(end.exit_code, bare);
  EXPECT_THAT(refused("own.sqsh", "there-is-no-such-command"),
              AllOf(HasSubstr("node "), HasSubstr("own.sqsh"),
                    HasSubstr("\"there-is-no-such-command\""), HasSubstr("PATH=/")));
}

TEST_F(BadInput, ACommandThatOnlyTheHostHas) {
  EXPECT_EQ(shell("srun sed --version >/dev/null").exit_code, 0);
  EXPECT_THAT(refused("own.sqsh", "sed --version"), HasSubstr("command \"sed\""));
  EXPECT_THAT(refused("own.sqsh", "/usr/bin/sed --version"), HasSubstr("\"/usr/bin/sed\""));
}

TEST_F(BadInput, ACommandThatIsNotExecutable) {
  make("echo data >plain; chmod 644 plain");
  const auto bare = shell("srun ./plain").exit_code;
  EXPECT_EQ(shell("srun --container=own.sqsh ./plain").exit_code, bare);
  EXPECT_THAT(refused("own.sqsh", "./plain"), HasSubstr("chmod +x"));
}

TEST_F(BadInput, AProgramForAnotherArchitecture) {
  // Byte 18 of an ELF file names the machine: 183 is AArch64, 62 x86-64. `berth pack` refuses such
  // a program, so the image is made without it.
  make(
      "mkdir -p tree/usr/bin && cp \"$(type -P true)\" tree/usr/bin/foreign && "
      "if [ $(od -An -tu1 -j18 -N1 tree/usr/bin/foreign) = 183 ]; then m='\\x3e'; else m='\\xb7'; "
      "fi "
      "&& printf \"$m\" | dd of=tree/usr/bin/foreign bs=1 seek=18 conv=notrunc status=none && "
      "mksquashfs tree foreign.sqsh -quiet -no-progress -all-root");
  EXPECT_THAT(refused("foreign.sqsh", "foreign"),
              AllOf(HasSubstr("foreign.sqsh"), HasSubstr("/usr/bin/foreign")));
}

TEST_F(BadInput, AJobFailsAndIsNotRunOnTheHost) {
  const auto end = shell(
      "sbatch --wait --quiet -o out.txt --container=missing.sqsh --wrap "
      "'srun touch ran-in-job'; echo $?; cat out.txt");
  EXPECT_NE(split(end.out, '\n').front(), "0");
  EXPECT_THAT(end.out, HasSubstr("missing.sqsh"));
  EXPECT_NE(shell("ls ran-in-job").exit_code, 0);
}

TEST_F(BadInput, OneBadNodeEndsTheWholeStep) {
  // The image is in one node's /tmp only: the others' tasks must not wait for it in MPI_Init.
  const auto start = std::chrono::steady_clock::now();
  const auto end = shell(
      "srun -N1 -w $(sinfo -h -o %n | head -1) dd if=own.sqsh "
      "of=/tmp/berth-only-here.sqsh status=none; "
      "srun -N2 -n2 --container=/tmp/berth-only-here.sqsh probe; "
      "code=$?; srun -N1 -w $(sinfo -h -o %n | head -1) rm "
      "/tmp/berth-only-here.sqsh; exit $code");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("berth-only-here.sqsh"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

}  // namespace
}  // namespace berth::test
