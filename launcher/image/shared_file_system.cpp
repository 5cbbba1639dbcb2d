#include "image/shared_file_system.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <utility>

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

}  // namespace

std::string_view shared_file_system_of(std::uint32_t type) {
  const auto* found = std::find_if(known.begin(), known.end(),
                                   [&](const auto& entry) { return entry.first == type; });
  return found == known.end() ? std::string_view() : found->second;
}

result<std::string_view> shared_file_system(int fd) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0) return fail_errno("cannot ask for the file system");
  return shared_file_system_of(static_cast<std::uint32_t>(info.f_type));
}

}  // namespace berth::image
