#include "container/unpack.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t plenty = std::uint64_t{1} << 30;

class Unpack : public testing::Test {
 protected:
  Unpack() {
    folder_.write("root/etc/os-release", "NAME=image\n");
    folder_.write("root/bin/tool", "#!", 04755);
    folder_.write("root/secret", "root's own", 0600);
    ::mknod((folder_ / "root/null").c_str(), S_IFCHR | 0666, makedev(1, 3));
    auto pattern = std::string("/root/berth-unpack-XXXXXX");
    top_ = ::mkdtemp(pattern.data());
  }
  ~Unpack() override { fs::remove_all(top_); }
  image::node_cache cache(std::uint64_t quota = plenty) const {
    auto opened = image::node_cache::open(top_ / "cache", quota);
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  static image_file open(const std::string& path) {
    auto image = open_image(path, "/", {}, nobody());
    EXPECT_TRUE(image) << image.error().text();
    return std::move(*image);
  }
  scratch folder_;
  fs::path top_;
};

TEST_F(Unpack, EveryFormatBecomesTheUsersFiles) {
  auto store = cache();
  for (const auto& path : {folder_.pack("root", "a.sqsh"), folder_.pack_erofs("root", "a.erofs")}) {
    const auto tree = unpack_image(store, open(path), nobody());
    ASSERT_TRUE(tree) << path << ": " << tree.error().text();
    EXPECT_TRUE(tree->filled);
    struct stat info {};
    ASSERT_EQ(::fstatat(tree->folder.get(), "secret", &info, 0), 0) << path;
    EXPECT_EQ(info.st_uid, nobody().uid) << path;
    EXPECT_NE(::fstatat(tree->folder.get(), "null", &info, 0), 0) << path;
    EXPECT_FALSE(unpack_image(store, open(path), nobody())->filled);
  }
}

TEST_F(Unpack, TheMountIsReadOnlyWithoutSetUserIdAndDevices) {
  auto store = cache();
  const auto tree = unpack_image(store, open(folder_.pack("root", "a.sqsh")), nobody());
  ASSERT_TRUE(tree);
  const auto mount = mount_tree(*tree);
  ASSERT_TRUE(mount) << mount.error().text();
  struct statvfs info {};
  ASSERT_EQ(::fstatvfs(mount->get(), &info), 0);
  constexpr unsigned long wanted = ST_RDONLY | ST_NOSUID | ST_NODEV;
  EXPECT_EQ(info.f_flag & wanted, wanted);
  EXPECT_EQ(::openat(mount->get(), "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), -1);
}

TEST_F(Unpack, TheSameBytesUnderAnotherNameAreFound) {
  auto store = cache();
  const auto image = folder_.pack("root", "a.sqsh");
  ASSERT_TRUE(unpack_image(store, open(image), nobody())->filled);
  fs::copy_file(image, folder_ / "copy.sqsh");
  EXPECT_FALSE(unpack_image(store, open(folder_ / "copy.sqsh"), nobody())->filled);
}

TEST_F(Unpack, AnImageThatIsLargerThanTheCacheIsNotRead) {
  auto store = cache();
  const auto image = folder_.pack("root", "a.sqsh");
  fs::resize_file(image, std::uintmax_t{1} << 42);
  const auto tree = unpack_image(store, open(image), nobody());
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().text(), HasSubstr("4398046511104 bytes are more than the 1073741824"));
}

TEST_F(Unpack, AnImageThatUnpacksToMoreThanTheCacheHoldsIsStoppedOnTheWay) {
  folder_.write("root/zeros", std::string(8 << 20, 'x'));
  auto store = cache(4 << 20);
  const auto tree = unpack_image(store, open(folder_.pack("root", "a.sqsh")), nobody());
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().text(), HasSubstr("its files take more than there is room for"));
  EXPECT_TRUE(store.list()->empty());
}

TEST_F(Unpack, AChangedImageIsUnpackedAnew) {
  auto store = cache();
  ASSERT_TRUE(unpack_image(store, open(folder_.pack("root", "a.sqsh")), nobody())->filled);
  folder_.write("root/more", "more");
  const auto tree = unpack_image(store, open(folder_.pack("root", "a.sqsh")), nobody());
  ASSERT_TRUE(tree);
  EXPECT_TRUE(tree->filled);
  EXPECT_EQ(::faccessat(tree->folder.get(), "more", F_OK, 0), 0);
}

TEST_F(Unpack, ADamagedImageIsRefusedAndNothingIsKept) {
  folder_.write("root/data", std::string(1 << 20, 'x'));
  for (const auto& path : {folder_.pack("root", "a.sqsh"), folder_.pack_erofs("root", "a.erofs")}) {
    const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const auto size = static_cast<off_t>(fs::file_size(path));
    for (off_t at = 4096; at < size; at += 64) {
      if (::pwrite(fd.get(), "damaged!", 8, at) < 0) FAIL();
    }
    if (path.ends_with("sqsh")) {
      ASSERT_EQ(::pwrite(fd.get(), std::string(200, 'Z').data(), 200, 100), 200);
    }
    auto store = cache();
    const auto tree = unpack_image(store, open(path), nobody());
    ASSERT_FALSE(tree) << path;
    EXPECT_THAT(tree.error().text(),
                AnyOf(HasSubstr("failed with exit code"), HasSubstr("damaged")))
        << path;
    EXPECT_TRUE(store.list()->empty());
  }
}

TEST_F(Unpack, AFullDiskNamesTheCure) {
  folder_.write("root/data", std::string(1 << 20, 'x'));
  const auto image = open(folder_.pack("root", "a.sqsh"));
  fs::create_directory(top_ / "cache");
  fs::permissions(top_ / "cache", fs::perms(0700));
  const auto place = (top_ / "cache").string();
  ASSERT_EQ(::mount("none", place.c_str(), "tmpfs", 0, "size=400k,mode=700"), 0);
  {
    auto store = cache();
    const auto tree = unpack_image(store, image, nobody());
    ASSERT_FALSE(tree);
    EXPECT_THAT(tree.error().text(),
                AllOf(HasSubstr("No space left"), HasSubstr("berth cache prune")));
    EXPECT_TRUE(store.list()->empty());
  }
  EXPECT_EQ(::umount(place.c_str()), 0);
}

TEST_F(Unpack, TheUnpackerHasNothingButTheUsersRights) {
  // An image's own attempt to write elsewhere: a link, then a file "through" it.
  auto store = cache();
  const auto tree = unpack_image(store, open(folder_.pack("root", "a.sqsh")), nobody());
  ASSERT_TRUE(tree);
  struct stat info {};
  ASSERT_EQ(::stat(tree->path.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, nobody().uid);
  ASSERT_EQ(::stat((fs::path(tree->path).parent_path() / "entry.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(Unpack, AFolderNeedsNoUnpacking) {
  auto store = cache();
  EXPECT_THAT(unpack_image(store, open(folder_ / "root"), nobody()).error().text(),
              HasSubstr("is a folder already"));
}

}  // namespace
}  // namespace berth::container
