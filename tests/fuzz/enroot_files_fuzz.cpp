#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "container/image_fstab.hpp"
#include "image/enroot_files.hpp"

// What is accepted keeps its form and its bounds, whatever the references stand for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::image;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_environment(text);
  if (file.entries.size() > 256) std::abort();
  const auto expanded =
      expand_references(file.entries, [](const std::string& name) { return name + "=${A}"; });
  for (const auto& entry : expanded) {
    if (entry.find('=') == std::string::npos || entry.find('\0') != std::string::npos) std::abort();
  }
  const auto lines = parse_fstab(text);
  if (!lines) return 0;
  if (references_of(*lines).size() > 256) std::abort();
  const auto mounts = berth::container::fstab_mounts(
      *lines, "/jobs", [](const std::string& name) { return "/" + name + "/../${A}"; }, {});
  if (!mounts) return 0;
  for (const auto& [mount, required] : *mounts) {
    if (!mount.target.starts_with('/') || mount.target == "/" ||
        mount.target.starts_with("/proc/") || mount.target.find("/../") != std::string::npos) {
      std::abort();
    }
    if (mount.kind == berth::container::mount_kind::bind && !mount.source.starts_with('/')) {
      std::abort();
    }
  }
  return 0;
}
