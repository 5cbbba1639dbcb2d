#include "container/fs_context.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/statvfs.h>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(FsContext, AMountIsHeldByItsDescriptorAlone) {
  const auto mount = mount_detached("tmpfs", {{"source", "berth"}, {"size", "1048576"}}, false);
  ASSERT_TRUE(mount) << mount.error().text();
  const unique_fd file(::openat(mount->get(), "file", O_CREAT | O_RDWR | O_CLOEXEC, 0644));
  EXPECT_TRUE(file);
  struct statvfs info {};
  ASSERT_EQ(::fstatvfs(mount->get(), &info), 0);
  EXPECT_EQ(info.f_blocks * info.f_frsize, 1048576U);
  EXPECT_EQ(info.f_flag & (ST_NOSUID | ST_NODEV), unsigned{ST_NOSUID | ST_NODEV});
}

TEST(FsContext, AReadOnlyMountRefusesWriters) {
  const auto mount = mount_detached("tmpfs", {}, true);
  ASSERT_TRUE(mount);
  EXPECT_EQ(::openat(mount->get(), "file", O_CREAT | O_RDWR | O_CLOEXEC, 0644), -1);
  EXPECT_EQ(errno, EROFS);
}

TEST(FsContext, ErrorsCarryTheKernelsOwnWords) {
  const auto unknown = mount_detached("tmpfs", {{"colour", "green"}}, false);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().text(),
              AllOf(HasSubstr("tmpfs option colour=green"), HasSubstr("Unknown parameter")));
  const auto odd = mount_detached("tmpfs", {{"size", "large"}}, false);
  ASSERT_FALSE(odd);
  EXPECT_THAT(odd.error().text(), HasSubstr("Bad value for 'size'"));
}

TEST(FsContext, AnUnknownFileSystemIsNamed) {
  const auto mount = mount_detached("nosuchfs", {}, true);
  ASSERT_FALSE(mount);
  EXPECT_THAT(mount.error().text(), HasSubstr("cannot use file system \"nosuchfs\""));
}

}  // namespace
}  // namespace berth::container
