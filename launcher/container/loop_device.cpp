#include "container/loop_device.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

namespace berth::container {
namespace {

// More losses than this in a row mean a broken system, not a race.
constexpr int most_attempts = 256;

failure none_free(const std::string& last, int errnum) {
  if (last.empty()) {
    auto failed = fail_errno("no free loop device", errnum);
    return failure(std::move(failed.value()).with_hint("see which are taken: losetup --list"));
  }
  auto failed = fail_errno(fmt::format("no free loop device: cannot open \"{}\"", last), errnum);
  return failure(std::move(failed.value())
                     .with_hint("where this node's /dev is no devtmpfs, make more with mknod"));
}

}  // namespace

result<loop_device> attach_loop(int image_fd) {
  const unique_fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) {
    auto failed = fail_errno("cannot open \"/dev/loop-control\"");
    return failure(std::move(failed.value()).with_hint("load the kernel module: modprobe loop"));
  }
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(image_fd);
  config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
  int errnum = 0;
  std::string path;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    const auto number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return none_free({}, errno);
    path = fmt::format("/dev/loop{}", number);
    loop_device device{unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path};
    errnum = errno;
    // The device may vanish or be taken between the two calls.
    if (!device.fd && (errnum == ENOENT || errnum == ENXIO || errnum == EBUSY)) continue;
    if (!device.fd) return fail_errno(fmt::format("cannot open \"{}\"", path), errnum);
    if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
    errnum = errno;
    if (errnum != EBUSY) return fail_errno(fmt::format("cannot set up \"{}\"", path), errnum);
  }
  return none_free(path, errnum);
}

}  // namespace berth::container
