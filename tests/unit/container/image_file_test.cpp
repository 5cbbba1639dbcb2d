#include "container/image_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class ImageFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("root/file", std::string(20000, 'x'));
    image_ = folder_.pack("root", "a.sqsh");
  }
  result<image_file> open(const std::string& name, const identity& user = nobody()) {
    return open_image(name, folder_ / "", {}, user);
  }
  scratch folder_;
  std::string image_;
};

TEST_F(ImageFile, IsOpenedWithTheUsersRights) {
  ASSERT_TRUE(open(image_));
  fs::permissions(image_, fs::perms(0600));
  const auto denied = open(image_);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code(), std::errc::permission_denied);
  EXPECT_THAT(denied.error().text(), AllOf(HasSubstr(image_), HasSubstr("read permission")));
  EXPECT_EQ(::geteuid(), 0U);
  ASSERT_EQ(::chown(image_.c_str(), 0, 4244), 0);
  fs::permissions(image_, fs::perms(0640));
  EXPECT_FALSE(open(image_));
  EXPECT_TRUE(open(image_, {65534, 65534, {4244}}));
}

TEST_F(ImageFile, AFolderThatTheUserCannotSearchHidesTheImage) {
  folder_.folder("private");
  folder_.pack("root", "private/a.sqsh");
  ASSERT_TRUE(open("private/a.sqsh"));
  fs::permissions(folder_ / "private", fs::perms(0700));
  EXPECT_EQ(open("private/a.sqsh").error().code(), std::errc::permission_denied);
}

TEST_F(ImageFile, WhatIsNoRegularFileIsRefusedAndNothingHangs) {
  const auto fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0666), 0);
  for (const auto& name : {fifo, std::string("/dev/null")}) {
    EXPECT_THAT(open(name).error().text(), HasSubstr("\"" + name + "\" is not a regular file"));
  }
}

TEST_F(ImageFile, BadFilesAreNamedWithTheReason) {
  const auto cut = folder_ / "cut";
  fs::copy_file(image_, cut);
  fs::resize_file(cut, 200);
  const std::pair<std::string, const char*> cases[] = {
      {folder_ / "absent", "give the path of an image"},
      {folder_.write("text", "hello"), "not a squashfs image"},
      {folder_.write("empty", ""), "empty"},
      {cut, "truncated"},
      {image_ + "/below", "Not a directory"},
  };
  for (const auto& [name, message] : cases) {
    const auto failed = open(name);
    ASSERT_FALSE(failed) << name;
    EXPECT_THAT(failed.error().text(), AllOf(HasSubstr("image \"" + name), HasSubstr(message)));
  }
}

TEST_F(ImageFile, ANameThatWouldWriteALineOfItsOwnIsRefused) {
  for (const auto* name : {"two\nlines", "red\033[31m", "gone\x7f"}) {
    fs::copy_file(image_, folder_ / name);
    const auto refused = open(folder_ / name);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), "image: its name has control characters; rename the file");
  }
}

TEST_F(ImageFile, EveryKindIsRecognised) {
  EXPECT_EQ(open(image_)->kind, image::kind::squashfs);
  EXPECT_EQ(open(folder_.pack_erofs("root", "b"))->kind, image::kind::erofs);
  const auto folder = open("root");
  ASSERT_TRUE(folder) << folder.error().text();
  EXPECT_EQ(folder->kind, image::kind::folder);
  EXPECT_EQ(folder->path, fs::canonical(folder_ / "root"));
  EXPECT_EQ(folder->size, 0U);
}

// In a mount namespace of the user's own, his file has the path of whatever he likes.
TEST_F(ImageFile, IsNotReachedThroughAnotherProcess) {
  for (const auto* link : {"/proc/self/root", "/proc/self/cwd/../../../../../.."}) {
    const auto reached = open(link + image_);
    ASSERT_FALSE(reached) << link;
    EXPECT_THAT(reached.error().text(), HasSubstr("give the file's own path"));
  }
}

TEST_F(ImageFile, ALinkIsFollowedToTheRealPath) {
  fs::create_symlink("a.sqsh", folder_ / "link");
  const auto opened = open("link");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->path, fs::canonical(image_));
}

class Trust : public testing::Test {
 protected:
  // Not below the temporary folder, which everybody can write.
  Trust() {
    auto pattern = std::string("/root/berth-trust-XXXXXX");
    folder_ = ::mkdtemp(pattern.data());
    fs::create_directories(folder_ / "images/deep");
    const auto image = scratch_.write("root/file", "x");
    fs::copy_file(scratch_.pack("root", "a.sqsh"), path_ = folder_ / "images/deep/a.sqsh");
  }
  ~Trust() override { fs::remove_all(folder_); }
  bool trusted(const std::vector<std::string>& folders = {"/"}) {
    auto image = open_image(path_, "/", {}, current_identity());
    EXPECT_TRUE(image);
    return is_trusted(*image, folders);
  }
  scratch scratch_;
  fs::path folder_;
  fs::path path_;
};

TEST_F(Trust, RootsImageInRootsFoldersIsTrusted) {
  EXPECT_TRUE(trusted());
}

TEST_F(Trust, OnlyBelowTheFoldersOfTheSite) {
  const auto images = folder_ / "images";
  EXPECT_TRUE(trusted({"/absent", images}));
  EXPECT_TRUE(trusted({images.string() + "/"}));
  for (const std::string& other :
       {images.string() + "/dee", images.string() + "/shallow", std::string("/srv"),
        std::string("relative"), (images / "deep/a.sqsh/x").string()}) {
    EXPECT_FALSE(trusted({other})) << other;
  }
  EXPECT_FALSE(trusted({}));
}

TEST_F(Trust, WhatOthersCanWriteIsNotTrusted) {
  for (const auto& part : {path_, path_.parent_path(), folder_ / "images", folder_}) {
    const auto before = fs::status(part).permissions();
    for (const auto extra : {fs::perms::group_write, fs::perms::others_write}) {
      fs::permissions(part, before | extra);
      EXPECT_FALSE(trusted()) << part;
    }
    fs::permissions(part, before);
    ASSERT_EQ(::chown(part.c_str(), nobody().uid, 0), 0);
    EXPECT_FALSE(trusted()) << part;
    ASSERT_EQ(::chown(part.c_str(), 0, 0), 0);
    EXPECT_TRUE(trusted()) << part;
  }
}

TEST_F(Trust, AStickyFolderOfEverybodyIsNotTrusted) {
  ASSERT_EQ(::chmod((folder_ / "images").c_str(), 01777), 0);
  EXPECT_FALSE(trusted());
  path_ = scratch_ / "a.sqsh";
  EXPECT_FALSE(trusted());
}

TEST_F(Trust, ALinkIsJudgedByWhereItLeads) {
  const auto good = path_;
  const auto link = scratch_ / "link.sqsh";
  fs::create_symlink(good, link);
  path_ = link;
  EXPECT_TRUE(trusted());
  path_ = folder_ / "images/away.sqsh";
  fs::create_symlink(scratch_ / "a.sqsh", path_);
  EXPECT_FALSE(trusted());
}

TEST_F(Trust, AnotherFileAtThePathIsNotTheOneThatWasOpened) {
  auto image = open_image(path_, "/", {}, current_identity());
  ASSERT_TRUE(image);
  ASSERT_TRUE(is_trusted(*image, {"/"}));
  fs::rename(path_, folder_ / "moved");
  EXPECT_FALSE(is_trusted(*image, {"/"}));
  fs::copy_file(folder_ / "moved", path_);
  EXPECT_FALSE(is_trusted(*image, {"/"}));
  fs::remove(path_);
  fs::create_symlink(folder_ / "moved", path_);
  EXPECT_FALSE(is_trusted(*image, {"/"}));
}

}  // namespace
}  // namespace berth::container
