#include "container/image_mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <optional>
#include <string_view>

#include "container/fs_context.hpp"
#include "container/loop_device.hpp"

namespace berth::container {
namespace {

result<unique_fd> mount_on_loop(const char* type, int image) {
  const auto device = attach_loop(image);
  if (!device) return failure(device.error());
  return mount_detached(type, {{"source", device->path}}, true);
}

// fs/squashfs/super.c: Filesystem uses "lzo" compression. This is not supported
std::optional<std::string> lacking_compressor(const error& reason) {
  constexpr std::string_view before = "Filesystem uses \"";
  constexpr std::string_view after = "\" compression. This is not supported";
  const auto& text = reason.text();
  const auto begin = text.find(before);
  const auto end = text.find(after);
  if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
  const auto name = begin + before.size();
  return text.substr(name, end - name);
}

// The kernel's code is that of a damaged image; its words tell one from the other.
result<unique_fd> mount_squashfs(int image) {
  auto mount = mount_on_loop("squashfs", image);
  const auto lacking = mount ? std::nullopt : lacking_compressor(mount.error());
  if (!lacking) return mount;
  return failure(error(fmt::format("this node's kernel cannot read its compression, {}", *lacking),
                       std::make_error_code(std::errc::not_supported))
                     .with_hint("add --container-backend=fuse, or compress it anew: mksquashfs "
                                "-comp gzip"));
}

// The kernel opens a source by name; this name is the open file itself.
result<unique_fd> mount_erofs(int image) {
  auto mount = mount_detached("erofs", {{"source", fmt::format("/proc/self/fd/{}", image)}}, true);
  if (mount) return mount;
  const auto code = mount.error().code();
  if (code.value() == ENOTBLK) return mount_on_loop("erofs", image);
  if (code != std::errc::no_such_device) return mount;
  return failure(std::move(mount).error().with_hint(
      "load the kernel module: modprobe erofs; or use a squashfs image: berth convert"));
}

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

unique_fd copy_of_mount(int folder) {
  return unique_fd(
      ::open_tree(folder, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE));
}

result<unique_fd> mount_folder(const image_file& image) {
  auto copy = copy_folder(image.fd.get(), image.path);
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  attributes.propagation = MS_PRIVATE;
  if (!copy || ::mount_setattr(copy.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                               sizeof attributes) != 0) {
    return fail_errno("cannot bind the folder");
  }
  return copy;
}

}  // namespace

// A folder opened before this mount namespace was made cannot be copied; its twin here can.
unique_fd copy_folder(int folder, const std::string& path) {
  auto copy = copy_of_mount(folder);
  if (copy || errno != EINVAL) return copy;
  const unique_fd twin(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!twin) return {};
  if (same_file(twin.get(), folder)) return copy_of_mount(twin.get());
  errno = ESTALE;
  return {};
}

result<unique_fd> mount_kernel(const image_file& image) {
  switch (image.kind) {
    case image::kind::squashfs:
      return mount_squashfs(image.fd.get());
    case image::kind::erofs:
      return mount_erofs(image.fd.get());
    case image::kind::folder:
      break;
  }
  return mount_folder(image);
}

}  // namespace berth::container
