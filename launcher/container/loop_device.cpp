#include "container/loop_device.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

namespace berth::container {
namespace {

// More losses than this in a row mean a broken system, not a race.
constexpr int most_attempts = 256;

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
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    const auto number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return fail_errno("no free loop device");
    loop_device device{{}, fmt::format("/dev/loop{}", number)};
    device.fd.reset(::open(device.path.c_str(), O_RDONLY | O_CLOEXEC));
    // The device may vanish or be taken between the two calls.
    if (!device.fd && (errno == ENOENT || errno == ENXIO || errno == EBUSY)) continue;
    if (!device.fd) return fail_errno(fmt::format("cannot open \"{}\"", device.path));
    if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY) return fail_errno(fmt::format("cannot set up \"{}\"", device.path));
  }
  return fail(fmt::format("lost the race for a loop device {} times", most_attempts));
}

}  // namespace berth::container
