// Image files as hostile as a person with an account can make them: what is no file at all, files
// of holes, superblocks that lie, and files that shrink while a step reads them.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class AttackImage : public LabTest {
 protected:
  // The node as it was: in service, and it starts containers.
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_TRUE(comes_true([] { return shell("sinfo -h -n n1 -o %T | sort -u").out == "idle\n"; }))
        << shell("sinfo -R; squeue").out;
    EXPECT_EQ(shell("srun -w n1 --container=own.sqsh grep ^ID= /etc/os-release").out, "ID=berth\n");
  }
};

outcome step(const std::string& image, const std::string& command = "true") {
  return shell(fmt::format("timeout 60 srun -w n1 --container={} {}", image, command));
}

// In one line, at once, and the command does not run.
void expect_refused(const std::string& image, const std::string& reason) {
  const auto end = step(image, "touch " + folder() + "/ran");
  EXPECT_NE(end.exit_code, 0) << image;
  EXPECT_NE(end.exit_code, 124) << image;
  EXPECT_THAT(our_lines(end), ::testing::ElementsAre(HasSubstr(reason))) << image;
  EXPECT_NE(shell("ls ran").exit_code, 0) << image;
}

constexpr const char* bind_socket =
    "/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' ";

TEST_F(AttackImage, WhatIsNoFileIsRefused) {
  ASSERT_EQ(shell(std::string("rm -rf s.sqsh ring up; ") + bind_socket +
                  "s.sqsh; ln -s ring ring; mkdir up; ln -s .. up/up")
                .exit_code,
            0);
  expect_refused("./s.sqsh", "cannot open");
  expect_refused("/dev/null", "not a regular file");
  expect_refused("/dev/zero", "not a regular file");
  expect_refused("/dev/tty", "");
  expect_refused("./ring", "Too many levels of symbolic links");
  expect_refused("./up/up/up/" + std::string(5000, 'x'), "File name too long");
  expect_refused("/proc/self/fd/0", "");
  expect_refused("/proc/self/root/etc/passwd", "");
}

// The login node sees nothing there: the compute node has to find out.
TEST_F(AttackImage, WhatIsNoFileOnTheNodeIsRefusedThere) {
  const changed_node odd("n1",
                         std::string("mkdir /run/odd; cd /run/odd; mkfifo fifo; mknod -m 666 "
                                     "device c 1 5; ln -s ring ring; ") +
                             bind_socket +
                             "socket; chmod 666 socket fifo; mkdir up; "
                             "ln -s /proc/1/root/etc/passwd magic",
                         "rm -r /run/odd");
  expect_refused("/run/odd/fifo", "not a regular file");
  expect_refused("/run/odd/device", "not a regular file");
  expect_refused("/run/odd/socket", "cannot open");
  expect_refused("/run/odd/ring", "Too many levels of symbolic links");
  expect_refused("/run/odd/magic", "cannot open");
  expect_refused("/run/odd/up", "is a folder");
}

// 7 EiB, of which no disk holds a block.
TEST_F(AttackImage, AFileOfHolesCostsNothing) {
  const changed_node huge("n1",
                          fmt::format("cd /tmp; cp {} huge.sqsh; truncate -s 7E huge.sqsh "
                                      "zeros.sqsh; chmod 644 huge.sqsh zeros.sqsh",
                                      own_image()),
                          "rm /tmp/huge.sqsh /tmp/zeros.sqsh");
  EXPECT_EQ(step("/tmp/huge.sqsh", "grep ^ID= /etc/os-release").out, "ID=berth\n");
  expect_refused("/tmp/zeros.sqsh", "is not a squashfs image");
  expect_refused("/tmp/huge.sqsh --container-backend=unpack", "of the whole cache");
}

// Superblock of squashfs 4.0: offset and width of each field.
struct field {
  const char* name;
  int offset;
  int bytes;
};
constexpr field fields[] = {
    {"magic", 0, 4},          {"inode count", 4, 4},  {"block size", 12, 4},
    {"fragments", 16, 4},     {"compression", 20, 2}, {"log of block size", 22, 2},
    {"flags", 24, 2},         {"ids", 26, 2},         {"major version", 28, 2},
    {"root inode", 32, 8},    {"bytes used", 40, 8},  {"id table", 48, 8},
    {"xattr table", 56, 8},   {"inode table", 64, 8}, {"directory table", 72, 8},
    {"fragment table", 80, 8}};

TEST_F(AttackImage, SuperblocksThatLieAreOneLineOrHarmless) {
  for (const auto& one : fields) {
    // The largest number with a sign and without one.
    for (const auto* last : {"\\377", "\\177"}) {
      std::string bytes;
      for (int i = 1; i < one.bytes; ++i) bytes += "\\377";
      ASSERT_EQ(shell(fmt::format("cp own.sqsh lie.sqsh && printf '{}{}' | dd of=lie.sqsh bs=1 "
                                  "seek={} conv=notrunc status=none",
                                  bytes, last, one.offset))
                    .exit_code,
                0);
      const auto end = step("./lie.sqsh");
      EXPECT_NE(end.exit_code, 124) << one.name;
      EXPECT_THAT(our_lines(end), SizeIs(end.exit_code == 0 ? 0 : 1)) << one.name << end.err;
    }
  }
}

// What was read before it shrank may go on; nothing that is gone is taken for whole.
TEST_F(AttackImage, AnImageThatShrinksInUseEndsItsStepAlone) {
  const auto& trusted = trusted_image();
  const auto shrinking = trusted + ".shrinks";
  const changed_node copy("login", fmt::format("install -m 644 {} {}", trusted, shrinking),
                          "rm " + shrinking);
  ASSERT_EQ(shell("cp own.sqsh shrinks.sqsh").exit_code, 0);
  for (const auto& image : {folder() + "/shrinks.sqsh", shrinking}) {
    const auto started = shell(fmt::format(
        "rm -f up go code; {{ timeout 60 srun -w n1 --container={} bash -c 'touch up; until test "
        "-e go; do sleep 0.05; done; cat /usr/bin/* >/dev/null && echo whole'; echo $? >code; }} "
        ">told 2>&1 & until test -e up; do sleep 0.05; done",
        image));
    ASSERT_EQ(root_on("login", "truncate -s 8192 " + image).exit_code, 0) << started.err;
    shell("touch go");
    ASSERT_TRUE(comes_true([] { return shell("test -s code").exit_code == 0; }));
    const auto code = line(shell("cat code").out);
    EXPECT_NE(code, "0") << image;
    EXPECT_NE(code, "124") << image;
    EXPECT_THAT(shell("cat told").out, Not(HasSubstr("whole"))) << image;
  }
}

}  // namespace
}  // namespace berth::test
