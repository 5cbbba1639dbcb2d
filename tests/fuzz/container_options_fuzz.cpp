#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "container/container_options.hpp"

// Whatever users say about mounts is refused, or is absolute, out of /proc, and means the same when
// it is written down and read again elsewhere.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::container;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const choices given{{"CONTAINER_MOUNTS", text}, {"CONTAINER_WORKDIR", text}};
  static_cast<void>(parse_options(given, "/jobs"));
  static_cast<void>(parse_options({{"CONTAINER_ENV", text}}, "/jobs"));
  const auto mounts = parse_mounts(text, "/jobs");
  if (!mounts) return 0;
  for (const auto& mount : *mounts) {
    if (!mount.target.starts_with('/') || mount.target.find("/../") != std::string::npos ||
        mount.target.ends_with("/..") || mount.target == "/proc" ||
        mount.target.starts_with("/proc/") || mount.target == "/") {
      std::abort();
    }
    if (mount.kind == mount_kind::bind && !mount.source.starts_with('/')) std::abort();
  }
  const auto again = parse_mounts(format_mounts(*mounts), "/elsewhere");
  if (!again || *again != *mounts) std::abort();
  return 0;
}
