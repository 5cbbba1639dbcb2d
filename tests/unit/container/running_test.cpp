#include "container/running.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace berth::container {
namespace {

// As Linux 6.18 shows it in a container of a step.
constexpr const char* captured =
    "1104 1096 0:79 /root / rw,nosuid,nodev,relatime - overlay berth:fuse:/home/alice/own.sqsh "
    "rw,lowerdir=/tmp/image,upperdir=/tmp/upper,workdir=/tmp/work,volatile,userxattr\n"
    "1105 1104 0:78 / /proc rw,nosuid,nodev,noexec,relatime shared:12 master:3 - proc proc rw\n"
    "1106 1104 0:24 / /sys rw,nosuid - sysfs berth:kernel:/not/the/root rw\n";

TEST(Running, TheRootNamesItsImage) {
  EXPECT_EQ(marked_root(captured), (root_mark{"fuse", "/home/alice/own.sqsh"}));
}

TEST(Running, NamesAreReadAsTheyWereWritten) {
  const root_mark odd{"kernel", "/srv/a b:c\\d\n\t\xc3\xa9.sqsh"};
  EXPECT_EQ(
      marked_root("1 1 0:1 / / rw - overlay berth:kernel:/srv/a\\040b:c\\134d\\012\\011\xc3\xa9"
                  ".sqsh rw\n"),
      odd);
  EXPECT_EQ(mark_of(odd), "berth:kernel:" + odd.image);
}

TEST(Running, LongNamesKeepTheirEnd) {
  const auto path = "/" + std::string(300, 'd') + "/i.sqsh";
  const auto mark = mark_of({"unpack", path});
  EXPECT_EQ(mark.size(), 255U);
  EXPECT_TRUE(mark.starts_with("berth:unpack:...ddd"));
  EXPECT_TRUE(mark.ends_with("/i.sqsh"));
}

TEST(Running, OtherRootsAreNotOurs) {
  for (const auto* text :
       {"", "1 1 0:1 / / rw - ext4 berth:kernel:/a rw\n", "1 1 0:1 / / rw - overlay overlay rw\n",
        "1 1 0:1 / /mnt rw - overlay berth:kernel:/a rw\n", "1 1 0:1 / / rw - overlay berth: rw\n",
        "1 1 0:1 / / rw overlay berth:kernel:/a rw\n", "1 1 - overlay berth:kernel:/a",
        // Something else lies on top.
        "1 1 0:1 / / rw - overlay berth:kernel:/a rw\n2 1 0:2 / / rw - tmpfs t rw\n"}) {
    EXPECT_EQ(marked_root(text), std::nullopt) << text;
  }
}

TEST(Running, TheStartIsReadBehindAnyName) {
  EXPECT_EQ(
      start_in_stat("7 (a) b) 1 (x) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9\n"),
      4711U);
  for (const auto* text : {"", "7 (a", "7 (a)", "7 (a) S 1 2"}) {
    EXPECT_EQ(start_in_stat(text), std::nullopt) << text;
  }
}

TEST(Running, TheNodesOwnProcessesAreInNoContainer) {
  const auto proc = open_proc();
  ASSERT_TRUE(proc);
  int found = 0;
  const auto done = visit_contained(proc->get(), ::getuid(), [&](contained_process&& process) {
    found += process.pid == ::getpid() ? 1 : 0;
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(found, 0);
}

TEST(Running, AProcessTellsItsEnvironmentAndStart) {
  const unique_fd self(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto environment = environment_of_process(self.get());
  ASSERT_TRUE(environment);
  EXPECT_EQ(std::count_if(environment->begin(), environment->end(),
                          [](const auto& entry) { return entry.starts_with("PATH="); }),
            1);
  EXPECT_TRUE(start_of_process(self.get()));
}

}  // namespace
}  // namespace berth::container
