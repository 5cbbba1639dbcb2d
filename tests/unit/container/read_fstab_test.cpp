#include <sys/stat.h>

#include "container/image_fstab.hpp"
#include "rootfs_scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

/// An /etc/fstab of whatever kind, in every kind of image.
class ReadFstab : public Rootfs {
 protected:
  ReadFstab() { folder_.write("outside", "tmpfs /outside\n"); }
  /// The targets that it asks for, or the error.
  std::string read() {
    const auto image = open_image(make_image(), "/", {}, nobody());
    if (!image) return image.error().text();
    return in_child([&] {
      const auto mount = mount_kernel_or_fuse(*image);
      if (!mount) return mount.error().text();
      const auto lines = read_fstab(mount->get(), nobody());
      if (!lines) return lines.error().text();
      std::string targets;
      for (const auto& line : *lines) targets += line.target + ";";
      return targets;
    });
  }
  [[nodiscard]] std::string fstab() const { return folder_ / "root/etc/fstab"; }
};

TEST_P(ReadFstab, ReadsTheImagesLines) {
  EXPECT_THAT(read(), IsEmpty());
  folder_.write("root/etc/fstab", "tmpfs /a\n/data /b none bind\n");
  EXPECT_EQ(read(), "/a;/b;");
}

TEST_P(ReadFstab, LinksStayWithinTheImage) {
  folder_.write("root/data/table", "tmpfs /inside\n");
  for (const auto& [link, found] : {std::pair<std::string, const char*>{"/data/table", "/inside;"},
                                    {"../data/table", "/inside;"},
                                    {"../../../../../../../../../../data/table", "/inside;"},
                                    {folder_ / "outside", ""},
                                    {"../../outside", ""},
                                    {"/proc/self/root" + (folder_ / "outside"), ""},
                                    {"fstab", ""}}) {
    fs::remove(fstab());
    fs::create_symlink(link, fstab());
    EXPECT_EQ(read(), found) << link;
  }
}

TEST_P(ReadFstab, WhatIsNoFileIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(fstab().c_str(), 0666), 0);
  EXPECT_THAT(read(), IsEmpty());
  fs::remove(fstab());
  fs::create_directory(fstab());
  EXPECT_THAT(read(), IsEmpty());
}

TEST_P(ReadFstab, IsReadWithTheUsersRightsAndALimit) {
  folder_.write("root/etc/fstab", "tmpfs /secret\n");
  fs::permissions(fstab(), fs::perms(0600));
  EXPECT_THAT(read(), HasSubstr("Permission denied"));
  folder_.write("root/etc/fstab", std::string(image::enroot_file_limit + 1, '#'));
  fs::permissions(fstab(), fs::perms(0644));
  EXPECT_THAT(read(), HasSubstr("65536"));
}

INSTANTIATE_TEST_SUITE_P(Backends, ReadFstab, testing::Values("Kernel", "Erofs", "Fuse", "Folder"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace berth::container
