#include "container/fs_context.hpp"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>

#include "base/text.hpp"

namespace berth::container {
namespace {

// The kernel queues messages such as "e squashfs: ..." on the context's descriptor.
std::string explanation(int context) {
  std::array<char, 512> buffer;
  const auto n = ::read(context, buffer.data(), buffer.size());
  if (n <= 2) return {};
  return fmt::format(" ({})", trim({buffer.data() + 2, static_cast<std::size_t>(n) - 2}));
}

}  // namespace

result<unique_fd> mount_detached(const std::string& type,
                                 const std::vector<std::pair<std::string, std::string>>& options,
                                 bool read_only) {
  const unique_fd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) return fail_errno(fmt::format("cannot use file system \"{}\"", type));
  for (const auto& [key, value] : options) {
    const auto command = value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    if (::fsconfig(context.get(), command, key.c_str(), value.empty() ? nullptr : value.c_str(),
                   0) != 0) {
      const auto errnum = errno;
      return fail_errno(
          fmt::format("{} option {}={}{}", type, key, value, explanation(context.get())), errnum);
    }
  }
  // Also on the superblock: a block device that is read-only cannot be opened otherwise.
  if (read_only && ::fsconfig(context.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0) != 0) {
    return fail_errno(fmt::format("{} option ro", type));
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    const auto errnum = errno;
    return fail_errno(fmt::format("cannot mount {}{}", type, explanation(context.get())), errnum);
  }
  const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                              (read_only ? static_cast<unsigned>(MOUNT_ATTR_RDONLY) : 0U);
  unique_fd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes));
  if (!mount) return fail_errno(fmt::format("cannot mount {}", type));
  return mount;
}

}  // namespace berth::container
