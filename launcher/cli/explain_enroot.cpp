#include "cli/explain_enroot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/subprocess.hpp"
#include "container/environment.hpp"
#include "image/enroot_files.hpp"
#include "image/find.hpp"

namespace berth::cli {
namespace {

using names = std::vector<std::string>;

bool holds(const names& found, std::string_view path) {
  return std::find(found.begin(), found.end(), path) != found.end();
}

// Empty with a warning where it cannot be read.
std::string text_of(const image_facts& image, int fd, const char* path, names& warnings) {
  auto text = read_inside(image, fd, path, image::enroot_file_limit);
  if (!text) {
    warnings.push_back(fmt::format("the image's {}: {}", path, text.error().text()));
    return {};
  }
  return std::move(*text).value_or("");
}

void warn(names& warnings, const char* path, const names& problems) {
  for (const auto& problem : problems) {
    warnings.push_back(fmt::format("the image's {}: {}", path, problem));
  }
}

result<std::vector<container::fstab_mount>> mounts_of(
    const std::string& text, const std::vector<container::mount_request>& asked) {
  const auto lines = image::parse_fstab(text);
  if (!lines) return failure(lines.error());
  const auto environment = current_environment();
  return container::fstab_mounts(
      *lines, std::filesystem::current_path(),
      [&](const std::string& name) { return container::find_variable(environment, name); }, asked);
}

}  // namespace

enroot_files read_enroot_files(const image_facts& image, int fd,
                               const std::vector<container::mount_request>& asked) {
  constexpr std::array<std::string_view, 3> places{"/etc/rc", image::environment_path,
                                                   image::fstab_path};
  enroot_files files;
  const auto found = image::find_files(fd, image.path, image.content, places);
  if (!found) {
    files.warnings.push_back(found.error().text());
    return files;
  }
  files.script = holds(*found, "/etc/rc");
  if (holds(*found, image::environment_path)) {
    auto parsed =
        image::parse_environment(text_of(image, fd, image::environment_path, files.warnings));
    files.templates = std::move(parsed.entries);
    warn(files.warnings, image::environment_path, parsed.problems);
  }
  if (!holds(*found, image::fstab_path)) return files;
  auto mounts = mounts_of(text_of(image, fd, image::fstab_path, files.warnings), asked);
  if (mounts) {
    files.mounts = std::move(*mounts);
  } else {
    files.warnings.push_back(fmt::format("the container would be refused: the image's {}: {}",
                                         image::fstab_path, mounts.error().text()));
  }
  return files;
}

}  // namespace berth::cli
