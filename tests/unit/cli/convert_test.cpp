#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "image/digest.hpp"
#include "program.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Convert : public program_test {
 protected:
  Convert() { fs::permissions(folder_, fs::perms(0777)); }
  ~Convert() override { ::umount2(path("mounted").c_str(), MNT_DETACH); }

  /// Everything that a file system of an image can hold.
  void plant() const {
    fs::create_directories(path("root/locked"));
    fs::create_directories(path("root/a/deep/folder"));
    write("root/file", "content");
    fs::create_hard_link(path("root/file"), path("root/a/hard"));
    fs::create_symlink("../file", path("root/a/link"));
    write("root/with \n newline", "x");
    write("root/large", std::string(300000, 'z') + std::string(5000, 'y'));
    write("root/suid", "s");
    write("root/locked/secret", "hidden");
    const auto at = [&](const char* name) { return path(std::string("root/") + name); };
    ASSERT_EQ(::mknod(at("null").c_str(), S_IFCHR | 0640, makedev(1, 3)), 0);
    ASSERT_EQ(::mknod(at("disk").c_str(), S_IFBLK | 0600, makedev(259, 70000)), 0);
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0644), 0);
    ASSERT_EQ(::lchown(at("suid").c_str(), 7, 8), 0);
    ASSERT_EQ(::lchown(at("a/link").c_str(), 100000, 70000), 0);
    ASSERT_EQ(::chmod(at("suid").c_str(), 06755), 0);
    ASSERT_EQ(::chmod(at("locked/secret").c_str(), 0), 0);
    ASSERT_EQ(::chmod(at("locked").c_str(), 0500), 0);
    const std::string capability("\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    ASSERT_EQ(::setxattr(at("suid").c_str(), "security.capability", capability.data(), 20, 0), 0);
    ASSERT_EQ(::setxattr(at("file").c_str(), "user.mime", "text\0x", 6, 0), 0);
    ASSERT_EQ(::setxattr(at("a").c_str(), "trusted.thing", "1", 1, 0), 0);
    const timespec times[2] = {{981173106, 0}, {981173106, 0}};
    for (const char* name : {"file", "a/link", "a", ""}) {
      ASSERT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
    }
  }

  static std::string attributes(const std::string& file) {
    std::array<char, 4096> names{};
    const auto size = ::llistxattr(file.c_str(), names.data(), names.size());
    std::map<std::string, std::string> sorted;
    for (ssize_t i = 0; i < size;) {
      const std::string name(names.data() + i);
      std::array<char, 4096> value{};
      const auto n = ::lgetxattr(file.c_str(), name.c_str(), value.data(), value.size());
      sorted[name] = std::string(value.data(), n < 0 ? 0 : static_cast<std::size_t>(n));
      i += static_cast<ssize_t>(name.size()) + 1;
    }
    std::string text;
    for (const auto& [name, value] : sorted) text += name + "=" + value + ";";
    return text;
  }
  /// Path -> all that matters of a file; hard links by the first of their names.
  std::map<std::string, std::string> facts(const std::string& top) const {
    std::map<std::string, std::string> all;
    std::map<ino_t, std::string> first;
    std::vector<std::string> paths{top};
    for (const auto& entry : fs::recursive_directory_iterator(top)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& file : paths) {
      struct stat info {};
      EXPECT_EQ(::lstat(file.c_str(), &info), 0);
      const auto name = fs::relative(file, top).string();
      std::string text =
          std::to_string(info.st_mode) + " " + std::to_string(info.st_uid) + ":" +
          std::to_string(info.st_gid) + " " + std::to_string(info.st_rdev) + " " +
          std::to_string(info.st_mtim.tv_sec) + " " + attributes(file) + " " +
          (S_ISDIR(info.st_mode) ? "" : first.try_emplace(info.st_ino, name).first->second);
      if (S_ISLNK(info.st_mode)) text += fs::read_symlink(file).string();
      if (S_ISREG(info.st_mode)) {
        const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
        text += image::sha256_of(fd.get()).value_or("unreadable");
      }
      all[name] = text;
    }
    return all;
  }
  std::map<std::string, std::string> facts_of_image(const std::string& image) const {
    fs::create_directory(path("mounted"));
    const auto done = run({{"mount", "-o", "loop,ro", image, path("mounted")}, environment(), {}});
    EXPECT_EQ(done->exit_code, 0) << done->err;
    auto all = facts(path("mounted"));
    EXPECT_EQ(::umount(path("mounted").c_str()), 0);
    return all;
  }
  std::string squash() const {
    const auto made = run_ok({{"mksquashfs", path("root"), path("a.sqsh"), "-quiet", "-noappend",
                               "-no-progress", "-comp", "gzip"},
                              environment(),
                              {}});
    EXPECT_TRUE(made) << made.error().text();
    return path("a.sqsh");
  }
  /// As somebody without any rights of their own.
  [[nodiscard]] outcome as_nobody(std::vector<std::string> arguments) const {
    std::vector<std::string> argv{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                  BERTH_PROGRAM};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    fs::permissions(path("tmp"), fs::perms(0777));
    auto end = run({std::move(argv), environment(), {}});
    EXPECT_TRUE(end);
    return std::move(*end);
  }
};

TEST_F(Convert, ThereAndBackNothingChangesAndNoRightsAreNeeded) {
  plant();
  const auto image = squash();
  const auto there = as_nobody({"convert", image, path("b.erofs")});
  ASSERT_EQ(there.exit_code, 0) << there.err;
  EXPECT_THAT(there.out, HasSubstr("b.erofs: EROFS, "));
  EXPECT_EQ(there.err, "");
  const auto back = as_nobody({"convert", path("b.erofs"), path("c.sqsh")});
  ASSERT_EQ(back.exit_code, 0) << back.err;
  const auto expected = facts(path("root"));
  EXPECT_EQ(facts_of_image(image), expected);
  EXPECT_EQ(facts_of_image(path("b.erofs")), expected);
  EXPECT_EQ(facts_of_image(path("c.sqsh")), expected);
  EXPECT_TRUE(fs::is_empty(path("tmp")));
}

TEST_F(Convert, TheFormatComesFromContentSuffixAndOption) {
  fs::create_directory(path("root"));
  write("root/file", "x");
  const auto image = squash();
  const auto format = [&](const std::string& name) {
    return nlohmann::json::parse(berth({"inspect", "--json", path(name)}).out)["format"];
  };
  const auto created = [&](const std::string& name) {
    return nlohmann::json::parse(berth({"inspect", "--json", path(name)}).out)["created"];
  };
  fs::rename(image, path("misleading.erofs"));
  EXPECT_EQ(berth({"convert", path("misleading.erofs"), path("plain")}).exit_code, 0);
  EXPECT_EQ(format("plain"), "erofs");
  EXPECT_EQ(berth({"convert", path("plain"), path("x.sqfs")}).exit_code, 0);
  EXPECT_EQ(format("x.sqfs"), "squashfs");
  EXPECT_EQ(created("x.sqfs"), created("plain"));
  const auto json =
      berth({"convert", "--json", path("x.sqfs"), path("y.img"), "--format", "erofs"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["format"], "erofs");
  EXPECT_EQ(format("y.img"), "erofs");
  const auto same = berth({"convert", path("x.sqfs"), path("z.sqsh")});
  EXPECT_EQ(same.exit_code, 2);
  EXPECT_THAT(same.err, HasSubstr("is squashfs already"));
}

TEST_F(Convert, WhatExistsIsKeptAndBadInputIsOneLine) {
  fs::create_directory(path("root"));
  const auto image = squash();
  const std::pair<std::vector<std::string>, const char*> calls[] = {
      {{"convert", image, write("there.erofs", "mine")}, "exists already; --force replaces it"},
      {{"convert", path("absent"), path("o.erofs")}, "cannot open: No such file"},
      {{"convert", path("root"), path("o.erofs")}, "is a folder"},
      {{"convert", write("text", "hello"), path("o.erofs")}, "not a squashfs image, an EROFS"},
  };
  for (const auto& [arguments, message] : calls) {
    const auto end = berth(arguments);
    EXPECT_EQ(end.exit_code, 2) << message;
    EXPECT_THAT(end.err, AllOf(HasSubstr("berth: error: "), HasSubstr(message)));
    EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
  }
  EXPECT_EQ(*read_file(path("there.erofs"), 100), "mine");
  EXPECT_EQ(berth({"convert", "--force", image, path("there.erofs")}).exit_code, 0);
  EXPECT_FALSE(fs::exists(path("o.erofs")));
}

TEST_F(Convert, ADamagedImageLeavesNothing) {
  fs::create_directory(path("root"));
  write("root/large", std::string(3000000, 'q'));
  const auto image = squash();
  const unique_fd fd(::open(image.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(fd.get(), std::string(300, 'Z').data(), 300, 100), 300);
  const auto end = berth({"convert", image, path("o.erofs")});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.err, HasSubstr("failed"));
  EXPECT_FALSE(fs::exists(path("o.erofs")));
  EXPECT_TRUE(fs::is_empty(path("tmp")));
}

}  // namespace
}  // namespace berth::cli
