#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "base/file.hpp"
#include "container/image_fstab.hpp"
#include "container/mount_points.hpp"

namespace berth::container {
namespace {

// Nothing where it is no file, whatever a pipe, a device or a broken link may be called.
result<std::optional<std::string>> text_of(int root) {
  const auto found = open_inside(root, image::fstab_path, O_PATH);
  struct stat info {};
  if (!found || ::fstat(found.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  // What was looked at is what is read, unless it is replaced now: then it still cannot block.
  const auto file = open_inside(root, image::fstab_path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return fail_errno("cannot open");
  auto text = read_all(file.get(), image::enroot_file_limit);
  if (!text) return pass(std::move(text));
  return std::optional(std::move(*text));
}

}  // namespace

result<std::vector<image::fstab_line>> read_fstab(int root, const identity& user) {
  const auto guard = user_rights::take(user);
  if (!guard) return failure(guard.error());
  const auto text = text_of(root);
  if (!text) return failure(text.error());
  if (!*text) return std::vector<image::fstab_line>{};
  return image::parse_fstab(**text);
}

}  // namespace berth::container
