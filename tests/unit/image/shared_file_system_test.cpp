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

TEST(SharedFileSystem, IsAskedOfAnOpenFile) {
  const unique_fd proc(::open("/proc/self/status", O_PATH | O_CLOEXEC));
  const auto name = shared_file_system(proc.get());
  ASSERT_TRUE(name) << name.error().text();
  EXPECT_EQ(*name, "");
  EXPECT_FALSE(shared_file_system(-1));
}

}  // namespace
}  // namespace berth::image
