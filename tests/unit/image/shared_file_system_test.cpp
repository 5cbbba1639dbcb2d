#include "image/shared_file_system.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>

#include "base/unique_fd.hpp"

namespace berth::image {
namespace {

TEST(SharedFileSystem, IsNamedByItsMagicNumber) {
  const std::pair<std::uint32_t, std::string_view> types[] = {
      {NFS_SUPER_MAGIC, "NFS"}, {0x0bd00bd0, "Lustre"},       {0x47504653, "GPFS"},
      {0x19830326, "BeeGFS"},   {CEPH_SUPER_MAGIC, "CephFS"}, {SMB2_SUPER_MAGIC, "SMB"},
      {EXT4_SUPER_MAGIC, ""},   {XFS_SUPER_MAGIC, ""},        {TMPFS_MAGIC, ""},
      {SQUASHFS_MAGIC, ""},     {FUSE_SUPER_MAGIC, ""},
  };
  for (const auto& [type, name] : types) EXPECT_EQ(shared_file_system_of(type), name) << type;
}

TEST(SharedFileSystem, IsNamedByItsFuseServer) {
  const std::pair<std::string_view, std::string_view> types[] = {
      {"fuse.sshfs", "SSHFS"},
      {"fuse.glusterfs", "GlusterFS"},
      {"fuse.ceph-fuse", "CephFS"},
      {"fuse", ""},
      {"fuse.squashfuse_ll", ""},
      {"fuseblk", ""},
      {"sshfs", ""},
      {"fuse.sshfs2", ""},
      {"", ""},
  };
  for (const auto& [type, name] : types) EXPECT_EQ(shared_file_system_of(type), name) << type;
}

TEST(SharedFileSystem, MountsAreFoundByTheirNumber) {
  constexpr std::string_view mounts =
      "21 1 0:20 / /proc rw - proc proc rw\n"
      "211 21 0:52 / /a\\040-\\040b rw,nosuid shared:7 master:1 - fuse.sshfs host:/x rw\n"
      "3 21 broken\n"
      "4 21 0:53 / /c rw - ext4 /dev/sda rw";
  EXPECT_EQ(mount_type(mounts, 21), "proc");
  EXPECT_EQ(mount_type(mounts, 211), "fuse.sshfs");
  EXPECT_EQ(mount_type(mounts, 3), "");
  EXPECT_EQ(mount_type(mounts, 4), "ext4");
  EXPECT_EQ(mount_type(mounts, 2), "");
  EXPECT_EQ(mount_type("", 1), "");
}

TEST(SharedFileSystem, IsAskedOfAnOpenFile) {
  const unique_fd proc(::open("/proc/self/status", O_PATH | O_CLOEXEC));
  const auto name = shared_file_system(proc.get());
  ASSERT_TRUE(name) << name.error().text();
  EXPECT_EQ(*name, "");
  EXPECT_FALSE(shared_file_system(-1));
}

}  // namespace
}  // namespace berth::image
