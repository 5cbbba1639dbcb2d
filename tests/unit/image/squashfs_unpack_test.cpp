#include "image/squashfs_unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <random>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/unique_fd.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t plenty = std::uint64_t{1} << 30;

std::string noise(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() % 7);
  return bytes;
}

class SquashfsUnpack : public testing::Test {
 protected:
  SquashfsUnpack() { fs::create_directory(folder_ / "root"); }

  std::string pack(std::vector<std::string> options = {}) const {
    const auto image = folder_ / "a.sqsh";
    fs::remove(image);
    std::vector<std::string> argv{"mksquashfs", folder_ / "root", image,
                                  "-quiet",     "-no-progress",   "-no-xattrs"};
    argv.insert(argv.end(), options.begin(), options.end());
    const auto made = run_ok({argv, current_environment(), {}});
    EXPECT_TRUE(made) << made.error().text();
    return image;
  }
  result<void> unpack(const std::string& image, std::uint64_t limit = plenty,
                      unsigned threads = 2) const {
    fs::remove_all(folder_ / "out");
    fs::create_directory(folder_ / "out");
    const unique_fd file(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
    const unique_fd target(::open((folder_ / "out").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return unpack_squashfs(file.get(), target.get(), limit, threads);
  }
  /// Of an image whose tables are not compressed.
  void replace(const std::string& image, const std::string& what, std::string_view by) const {
    auto bytes = *read_file(image, plenty);
    const auto at = bytes.find(what);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, by.size(), by);
    std::ofstream(image, std::ios::binary) << bytes;
  }
  /// Every path with type, permissions, size, time and target, and the content of files.
  static std::map<std::string, std::string> tree(const fs::path& top) {
    std::map<std::string, std::string> all;
    const auto add = [&](const fs::path& path) {
      struct stat info {};
      EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
      auto& facts = all[path.lexically_relative(top)];
      facts = fmt::format("{:o} {} {} ", info.st_mode, info.st_mtim.tv_sec,
                          S_ISDIR(info.st_mode) ? 0 : info.st_size);
      if (S_ISLNK(info.st_mode)) facts += fs::read_symlink(path).string();
      if (S_ISREG(info.st_mode)) facts += *read_file(path, plenty);
    };
    add(top);
    for (const auto& entry : fs::recursive_directory_iterator(top)) add(entry.path());
    return all;
  }
  scratch folder_;
};

TEST_F(SquashfsUnpack, EverythingIsAsItWas) {
  folder_.write("root/empty", "");
  folder_.write("root/small", "a few bytes");
  folder_.write("root/block", noise(131072));
  folder_.write("root/large/data", noise(5000000));
  for (unsigned i = 0; i < 300; ++i) folder_.write(fmt::format("root/many/{}", i), noise(1000 + i));
  folder_.write("root/name with \xc3\xa4 and\nnewline", "x");
  folder_.write("root/locked/inside", "x");
  fs::create_symlink("../nowhere at all", folder_ / "root/link");
  ASSERT_EQ(::mkfifo((folder_ / "root/fifo").c_str(), 0640), 0);
  ASSERT_EQ(::mknod((folder_ / "root/socket").c_str(), S_IFSOCK | 0600, 0), 0);
  ASSERT_EQ(::chmod((folder_ / "root/small").c_str(), 0), 0);
  ASSERT_EQ(::chmod((folder_ / "root/locked").c_str(), 0555), 0);
  ASSERT_EQ(::chmod((folder_ / "root/many").c_str(), 01777), 0);
  const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
  for (const auto* name : {"root/many", "root/link", "root/large/data", "root/fifo"}) {
    ::utimensat(AT_FDCWD, (folder_ / name).c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
  for (const auto* method : {"gzip", "lzo", "xz", "lz4", "zstd"}) {
    const auto image = pack({"-comp", method});
    for (const unsigned threads : {1U, 2U, 5U}) {
      const auto done = unpack(image, plenty, threads);
      ASSERT_TRUE(done) << method << ": " << done.error().text();
      EXPECT_EQ(tree(folder_ / "out"), tree(folder_ / "root")) << method << " " << threads;
    }
  }
}

TEST_F(SquashfsUnpack, HolesStayHolesWhereverTheyAre) {
  const auto path = folder_.write("root/holes", "begin");
  const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(fd.get(), "middle", 6, 30 << 20), 6);
  ASSERT_EQ(::ftruncate(fd.get(), 60 << 20), 0);
  ASSERT_TRUE(unpack(pack({"-no-fragments"}), 1 << 20));
  EXPECT_EQ(tree(folder_ / "out"), tree(folder_ / "root"));
  struct stat info {};
  ASSERT_EQ(::stat((folder_ / "out/holes").c_str(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
}

TEST_F(SquashfsUnpack, HardLinksAreOneFile) {
  folder_.write("root/a/one", "shared");
  fs::create_directory(folder_ / "root/b");
  fs::create_hard_link(folder_ / "root/a/one", folder_ / "root/b/two");
  fs::create_hard_link(folder_ / "root/a/one", folder_ / "root/three");
  ASSERT_TRUE(unpack(pack()));
  EXPECT_EQ(tree(folder_ / "out"), tree(folder_ / "root"));
  EXPECT_EQ(fs::hard_link_count(folder_ / "out/three"), 3U);
}

TEST_F(SquashfsUnpack, SetUserIdAndDevicesAreLeftOut) {
  folder_.write("root/tool", "#!");
  ASSERT_EQ(::chmod((folder_ / "root/tool").c_str(), 06755), 0);
  ASSERT_EQ(::mknod((folder_ / "root/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  ASSERT_TRUE(unpack(pack()));
  struct stat info {};
  ASSERT_EQ(::stat((folder_ / "out/tool").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U);
  EXPECT_FALSE(fs::exists(folder_ / "out/null"));
}

TEST_F(SquashfsUnpack, WhatDoesNotFitIsNotWritten) {
  folder_.write("root/data", noise(4 << 20));
  const auto image = pack();
  constexpr std::uint64_t name = 512;
  EXPECT_TRUE(unpack(image, (4 << 20) + name));
  const auto refused = unpack(image, (4 << 20) + name - 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), std::errc::file_too_large);
  // Files without content take room too.
  for (int i = 0; i < 100; ++i) fs::create_symlink("x", folder_ / fmt::format("root/l{}", i));
  EXPECT_FALSE(unpack(pack(), (4 << 20) + 50 * 4096));
}

// Millions of them are some kilobytes in an image, and all of a disk's inodes.
TEST_F(SquashfsUnpack, EmptyFilesHolesAndHardLinksTakeRoom) {
  constexpr int files = 200;
  const std::function<void(const std::string&)> makers[] = {
      [&](const std::string& name) { folder_.write(name, ""); },
      [&](const std::string& name) { fs::resize_file(folder_.write(name, ""), 1 << 20); },
      [&](const std::string& name) { fs::create_hard_link(folder_ / "first", folder_ / name); }};
  folder_.write("first", "x");
  for (const auto& make : makers) {
    fs::remove_all(folder_ / "root");
    fs::create_directory(folder_ / "root");
    for (int i = 0; i < files; ++i) make(fmt::format("root/{}", i));
    const auto image = pack();
    EXPECT_TRUE(unpack(image, files * 512 + 4096));
    EXPECT_FALSE(unpack(image, files * 512 - 1));
  }
}

TEST_F(SquashfsUnpack, AFileThatSaysToBeEndlessIsRefusedInNoTime) {
  folder_.write("root/data", noise(131072));
  const auto image = pack({"-noI", "-no-fragments"});
  // The inode: type 2, start of its blocks, no fragment, offset 0, size.
  const auto announced = std::string("\xff\xff\xff\xff\0\0\0\0\0\0\2\0", 12);
  replace(image, announced, std::string("\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff", 12));
  EXPECT_FALSE(unpack(image));
}

TEST_F(SquashfsUnpack, NamesThatLeadElsewhereAreDamage) {
  folder_.write("root/qqqq", "x");
  for (const std::string_view name : {"../q", "q/qq", "/qqq", "q\0qq"}) {
    const auto image = pack({"-noI"});
    replace(image, "qqqq", name.size() == 4 ? name : std::string_view("q\0qq", 4));
    const auto done = unpack(image);
    ASSERT_FALSE(done) << name;
    EXPECT_THAT(done.error().text(), HasSubstr("damaged")) << name;
    EXPECT_TRUE(fs::is_empty(folder_ / "out")) << name;
  }
  fs::remove(folder_ / "root/qqqq");
  for (const std::string_view name : {"..", "."}) {
    fs::create_directory(folder_ / fmt::format("root/{:q<{}}", "", name.size()));
    const auto image = pack({"-noI"});
    replace(image, std::string(name.size(), 'q'), name);
    EXPECT_FALSE(unpack(image)) << name;
    fs::remove(folder_ / fmt::format("root/{:q<{}}", "", name.size()));
  }
}

TEST_F(SquashfsUnpack, ANameLongerThanAnyIsDamage) {
  folder_.write("root/qqqq", "x");
  const auto image = pack({"-noI"});
  // The type of a file, the length of its name less one.
  replace(image, std::string("\2\0\3\0qqqq", 8), std::string_view("\2\0\xff\xffqqqq", 8));
  EXPECT_FALSE(unpack(image));
}

TEST_F(SquashfsUnpack, AFragmentThatIsNotThereIsDamage) {
  folder_.write("root/data", "x");
  const auto image = pack({"-noI"});
  // Of a file of one byte: the number of its fragment, the offset there, the size.
  replace(image, std::string("\0\0\0\0\0\0\0\0\1\0\0\0", 12),
          std::string_view("\xff\xff\xff\x7f\0\0\0\0\1\0\0\0", 12));
  EXPECT_FALSE(unpack(image));
}

TEST_F(SquashfsUnpack, ALinkAndAFileOfOneNameAreNotMixed) {
  folder_.write("root/bqqq", "through the link");
  fs::create_symlink(folder_ / "victim", folder_ / "root/aqqq");
  const auto image = pack({"-noI"});
  replace(image, "bqqq", "aqqq");
  EXPECT_FALSE(unpack(image));
  EXPECT_FALSE(fs::exists(folder_ / "victim"));
}

TEST_F(SquashfsUnpack, AFolderInItselfIsDamage) {
  folder_.write("root/outer/inner/file", "x");
  const auto image = pack({"-noI"});
  auto bytes = *read_file(image, plenty);
  // A folder's entry: offset of the inode in its block, number, type, length of the name, name.
  const auto inner = bytes.find("inner") - 8;
  const auto outer = bytes.find("outer") - 8;
  bytes.replace(inner, 2, bytes, outer, 2);
  std::ofstream(image, std::ios::binary) << bytes;
  const auto done = unpack(image);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("\"/outer/inner\": the image is damaged there"));
}

TEST_F(SquashfsUnpack, FoldersWithoutEndAreRefused) {
  std::string path = "root";
  for (int i = 0; i < 300; ++i) path += "/d";
  fs::create_directories(folder_ / path);
  EXPECT_THAT(unpack(pack()).error().text(), HasSubstr("deeper than 256"));
}

TEST_F(SquashfsUnpack, AnImageCutOffOrOverwrittenIsRefused) {
  folder_.write("root/data", noise(3 << 20));
  const auto image = pack({"-nopad"});
  const auto whole = *read_file(image, plenty);
  for (const std::size_t at : {std::size_t{100}, whole.size() / 2, whole.size() - 100}) {
    auto bytes = whole;
    bytes.replace(at, 64, std::string(64, '\x5a'));
    std::ofstream(image, std::ios::binary) << bytes;
    EXPECT_FALSE(unpack(image)) << at;
    std::ofstream(image, std::ios::binary) << whole.substr(0, at);
    EXPECT_FALSE(unpack(image)) << at;
  }
}

}  // namespace
}  // namespace berth::image
