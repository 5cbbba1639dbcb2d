#pragma once
// Containers made of every kind of image, in child processes.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "container/fuse_server.hpp"
#include "container/rootfs.hpp"
#include "scene.hpp"

namespace berth::container {

inline const bind proc{"/proc", "/proc", rights::node, false, true, "default"};

/// Everything here is true for images that the kernel reads, for one behind FUSE and for a folder.
class Rootfs : public testing::TestWithParam<const char*> {
 protected:
  Rootfs() {
    folder_.write("root/etc/os-release", "NAME=image\n");
    folder_.write("root/etc/passwd", "the image's\n");
    for (const auto* name : {"root/proc", "root/data", "source"}) folder_.folder(name);
    folder_.write("source/file", "the node's\n");
  }
  [[nodiscard]] bind from_node(const std::string& name, const std::string& target) const {
    return {folder_ / name, target, rights::node, false, true, "test"};
  }
  /// The error of entering a container of the folder `root` with these binds, or what `look`
  /// says in there. Changes no namespace but that of a child process.
  std::string enter(const std::vector<bind>& binds, const std::function<std::string()>& look,
                    std::uint64_t size = 1 << 20) {
    const auto image = open_image(make_image(), "/", {}, nobody());
    if (!image) return image.error().text();
    return in_child([&] {
      auto mount = mount_kernel_or_fuse(*image);
      if (!mount) return mount.error().text();
      auto entered = leave_mount_namespace().and_then([&] {
        return enter_root(std::move(*mount), {binds, size, nobody()});
      });
      return entered ? look() : entered.error().text();
    });
  }
  std::string make_image() const {
    const std::string_view backend(GetParam());
    if (backend == "Folder") return folder_ / "root";
    return backend == "Erofs" ? folder_.pack_erofs("root", "a.erofs")
                              : folder_.pack("root", "a.sqsh");
  }
  static result<unique_fd> mount_kernel_or_fuse(const image_file& image) {
    if (std::string_view(GetParam()) != "Fuse") return mount_kernel(image);
    auto served = mount_fuse(image, nobody(), {}, BERTH_FUSE_SERVER);
    if (!served) return pass(std::move(served));
    return std::move(served->mount);
  }
  [[nodiscard]] std::vector<std::string> names_in(const std::string& folder) const {
    return names_in(folder_, folder);
  }
  static std::vector<std::string> names_in(const scratch& place, const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(place / folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  scratch folder_;
};

inline std::string content(const std::string& path) {
  const auto text = read_file(path, 1 << 20);
  return text ? *text : text.error().text();
}

/// "" when the file can be written, or the reason why not.
inline std::string try_to_write(const std::string& path, const std::string& text) {
  const unique_fd fd(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  if (!fd) return std::strerror(errno);
  const auto done = write_all(fd.get(), text);
  return done ? "" : done.error().code().message();
}

inline std::string nothing() {
  return "entered";
}

}  // namespace berth::container
