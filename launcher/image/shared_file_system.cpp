#include "image/shared_file_system.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/file.hpp"

namespace berth::image {
namespace {

// From linux/magic.h, and the sources of those outside the kernel.
constexpr std::array<std::pair<std::uint32_t, std::string_view>, 15> known{{
    {0x6969, "NFS"},
    {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"},
    {0x00c36400, "CephFS"},
    {0xaad7aaea, "PanFS"},
    {0x20030528, "OrangeFS"},
    {0x517b, "SMB"},
    {0xfe534d42, "SMB"},
    {0xff534d42, "SMB"},
    {0x01021997, "9P"},
    {0x5346414f, "AFS"},
    {0x6b414653, "AFS"},
    {0x01161970, "GFS2"},
    {0x7461636f, "OCFS2"},
}};

constexpr std::uint32_t fuse = 0x65735546;
constexpr std::size_t mountinfo_limit = std::size_t{16} << 20;

// As their servers name them to the kernel.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> known_servers{{
    {"sshfs", "SSHFS"},
    {"glusterfs", "GlusterFS"},
    {"ceph", "CephFS"},
    {"ceph-fuse", "CephFS"},
    {"juicefs", "JuiceFS"},
    {"mfs", "MooseFS"},
    {"mfsmount", "MooseFS"},
    {"lizardfs", "LizardFS"},
    {"saunafs", "SaunaFS"},
    {"cvmfs2", "CernVM-FS"},
    {"dfuse", "DAOS"},
    {"daos", "DAOS"},
    {"s3fs", "S3"},
    {"goofys", "S3"},
    {"mount-s3", "S3"},
    {"mountpoint-s3", "S3"},
    {"gcsfuse", "GCS"},
    {"blobfuse2", "Azure Blob"},
    {"rclone", "rclone"},
    {"davfs", "WebDAV"},
    {"seaweedfs", "SeaweedFS"},
    {"hadoop-fuse-dfs", "HDFS"},
}};

}  // namespace

std::string_view shared_file_system_of(std::uint32_t type) {
  const auto* found = std::find_if(known.begin(), known.end(),
                                   [&](const auto& entry) { return entry.first == type; });
  return found == known.end() ? std::string_view() : found->second;
}

std::string_view shared_file_system_of(std::string_view mount_type) {
  constexpr std::string_view served = "fuse.";
  if (!mount_type.starts_with(served)) return {};
  mount_type.remove_prefix(served.size());
  const auto* found = std::find_if(known_servers.begin(), known_servers.end(),
                                   [&](const auto& entry) { return entry.first == mount_type; });
  return found == known_servers.end() ? std::string_view() : found->second;
}

std::string_view mount_type(std::string_view mountinfo, std::uint64_t id) {
  const auto begin = fmt::format("{} ", id);
  while (!mountinfo.empty()) {
    const auto line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    // Fields before this mark vary in number; blanks in them are written as octal numbers.
    constexpr std::string_view mark = " - ";
    const auto end = line.find(mark);
    if (!line.starts_with(begin) || end == std::string_view::npos) continue;
    const auto type = line.substr(end + mark.size());
    return type.substr(0, type.find(' '));
  }
  return {};
}

result<std::string_view> shared_file_system(int fd) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0) return fail_errno("cannot ask for the file system");
  const auto type = static_cast<std::uint32_t>(info.f_type);
  if (type != fuse) return shared_file_system_of(type);
  struct statx mount {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &mount) != 0) {
    return fail_errno("cannot ask for the mount");
  }
  const auto mounts = read_file("/proc/self/mountinfo", mountinfo_limit);
  if (!mounts) return failure(mounts.error());
  return shared_file_system_of(mount_type(*mounts, mount.stx_mnt_id));
}

}  // namespace berth::image
