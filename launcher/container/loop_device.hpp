#pragma once
// A read-only loop device over an open image file; loop(4), <linux/loop.h>.

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::container {

struct loop_device {
  unique_fd fd;      ///< while open, the device stays attached; once mounted, the mount holds it
  std::string path;  ///< "/dev/loop3"
};

/// Attaches a free device to the file behind `image_fd` (borrowed), read-only and with autoclear:
/// the kernel detaches it with its last user, so there is nothing to clean up.
/// Steps that start at the same time race for devices: a lost race takes the next one.
result<loop_device> attach_loop(int image_fd);

}  // namespace berth::container
