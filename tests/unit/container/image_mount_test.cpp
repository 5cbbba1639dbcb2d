#include "container/image_mount.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class ImageMount : public testing::Test {
 protected:
  ImageMount() { folder_.write("root/etc/os-release", "NAME=image\n"); }
  static image_file open(const std::string& path) {
    auto image = open_image(path, "/", {}, current_identity());
    EXPECT_TRUE(image) << image.error().text();
    return std::move(*image);
  }
  static std::string content(int mount, const char* path = "etc/os-release") {
    const unique_fd fd(::openat(mount, path, O_RDONLY | O_CLOEXEC));
    const auto text = read_all(fd.get(), 4096);
    return text ? *text : text.error().text();
  }
  static bool on_loop_device(int mount) {
    constexpr unsigned loop_major = 7;
    struct stat info {};
    return ::fstat(mount, &info) == 0 && major(info.st_dev) == loop_major;
  }
  scratch folder_;
};

TEST_F(ImageMount, EveryKindIsReadOnlyWithoutSetUserIdAndDevices) {
  for (const auto& path :
       {folder_.pack("root", "a.sqsh"), folder_.pack_erofs("root", "a.erofs"), folder_ / "root"}) {
    const auto mount = mount_kernel(open(path));
    ASSERT_TRUE(mount) << path << ": " << mount.error().text();
    EXPECT_EQ(content(mount->get()), "NAME=image\n") << path;
    struct statvfs info {};
    ASSERT_EQ(::fstatvfs(mount->get(), &info), 0);
    constexpr unsigned long wanted = ST_RDONLY | ST_NOSUID | ST_NODEV;
    EXPECT_EQ(info.f_flag & wanted, wanted) << path;
    EXPECT_EQ(::openat(mount->get(), "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), -1) << path;
  }
}

// No kernel of Linux reads lzma: it refuses such an image as one built without lzo refuses lzo.
TEST_F(ImageMount, ACompressorThatTheKernelLacksIsNoDamage) {
  const auto path = folder_ / "a.sqsh";
  const auto made = run_ok({{"mksquashfs", folder_ / "root", path, "-quiet", "-no-progress",
                             "-noappend", "-comp", "lzma"},
                            current_environment(),
                            {}});
  ASSERT_TRUE(made) << made.error().text();
  image_file image;
  image.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto mount = mount_kernel(image);
  ASSERT_FALSE(mount);
  EXPECT_EQ(mount.error().code(), std::errc::not_supported);
  EXPECT_THAT(mount.error().text(), testing::AllOf(HasSubstr("cannot read its compression, lzma"),
                                                   HasSubstr("--container-backend=fuse")));
}

TEST_F(ImageMount, ADamagedImageIsNotTakenForOneOfAnotherCompressor) {
  const auto path = folder_.pack("root", "a.sqsh");
  const auto image = open(path);
  const unique_fd writable(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  constexpr off_t id_table = 48;  // of the superblock
  const std::uint64_t nowhere = 0x7fffffffffffffff;
  ASSERT_EQ(::pwrite(writable.get(), &nowhere, sizeof nowhere, id_table),
            static_cast<ssize_t>(sizeof nowhere));
  const auto mount = mount_kernel(image);
  ASSERT_FALSE(mount);
  EXPECT_EQ(mount.error().code(), std::errc::invalid_argument) << mount.error().text();
}

TEST_F(ImageMount, ErofsNeedsNoLoopDeviceWhereTheKernelReadsFiles) {
  const auto mount = mount_kernel(open(folder_.pack_erofs("root", "a.erofs")));
  ASSERT_TRUE(mount) << mount.error().text();
  EXPECT_FALSE(on_loop_device(mount->get()));
}

// The kernel cannot read a file of tmpfs by pages, whatever its version.
TEST_F(ImageMount, ErofsTakesALoopDeviceElsewhere) {
  const auto made = folder_.pack_erofs("root", "a.erofs");
  auto pattern = std::string("/dev/shm/berth-erofs-XXXXXX");
  const unique_fd fd(::mkstemp(pattern.data()));
  ASSERT_TRUE(fd);
  fs::copy_file(made, pattern, fs::copy_options::overwrite_existing);
  const auto mount = mount_kernel(open(pattern));
  fs::remove(pattern);
  ASSERT_TRUE(mount) << mount.error().text();
  EXPECT_TRUE(on_loop_device(mount->get()));
  EXPECT_EQ(content(mount->get()), "NAME=image\n");
}

TEST_F(ImageMount, WhatWasCheckedIsMountedWhateverLiesAtItsPathNow) {
  for (const auto* name : {"a.erofs", "a.sqsh", "root"}) {
    folder_.pack("root", "a.sqsh");
    folder_.pack_erofs("root", "a.erofs");
    const auto image = open(folder_ / name);
    folder_.write("evil/etc/os-release", "NAME=evil\n");
    fs::rename(folder_ / name, folder_ / "aside");
    const auto replacement = std::string(name) == "root"      ? folder_ / "evil"
                             : std::string(name) == "a.erofs" ? folder_.pack_erofs("evil", "e")
                                                              : folder_.pack("evil", "e");
    fs::rename(replacement, folder_ / name);
    const auto mount = mount_kernel(image);
    ASSERT_TRUE(mount) << name << ": " << mount.error().text();
    EXPECT_EQ(content(mount->get()), "NAME=image\n") << name;
    fs::remove_all(folder_ / name);
    fs::rename(folder_ / "aside", folder_ / name);
  }
}

TEST_F(ImageMount, AFolderThatWasSwappedIsNotBoundInANewNamespace) {
  const auto image = open(folder_ / "root");
  const auto bound = in_child([&] {
    if (auto left = ::unshare(CLONE_NEWNS); left != 0) return std::string("unshare");
    const auto mount = mount_kernel(image);
    return mount ? content(mount->get()) : mount.error().text();
  });
  EXPECT_EQ(bound, "NAME=image\n");
  fs::rename(folder_ / "root", folder_ / "aside");
  folder_.write("root/etc/os-release", "NAME=evil\n");
  const auto swapped = in_child([&] {
    if (auto left = ::unshare(CLONE_NEWNS); left != 0) return std::string("unshare");
    return complaint(mount_kernel(image));
  });
  EXPECT_THAT(swapped, HasSubstr("cannot bind the folder"));
}

TEST_F(ImageMount, ADamagedErofsImageIsAnErrorOfTheKernel) {
  const auto path = folder_.pack_erofs("root", "a.erofs");
  const auto image = open(path);
  const unique_fd writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(writer.get(), "XXXX", 4, 1024), 4);
  const auto mount = mount_kernel(image);
  ASSERT_FALSE(mount);
  EXPECT_THAT(mount.error().text(), HasSubstr("cannot mount erofs"));
}

}  // namespace
}  // namespace berth::container
