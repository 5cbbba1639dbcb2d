#include "image/erofs_reader.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <map>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class ErofsReader : public testing::Test {
 protected:
  /// An image of the folder `root`, changed by `damage` after it was made.
  erofs_reader read(const std::vector<std::string>& options = {"-zlz4hc"}) {
    const auto path = folder_ / "a.erofs";
    std::vector<std::string> argv{"mkfs.erofs", "--quiet"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {path, folder_ / "root"});
    const auto made = run_ok({std::move(argv), current_environment(), {}});
    EXPECT_TRUE(made) << made.error().text();
    bytes_ = *read_file(path, 16 << 20);
    fd_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    block_ = *parse_erofs(std::as_bytes(std::span(bytes_.data(), bytes_.size())));
    return {fd_.get(), block_};
  }
  /// The byte offset of an inode in the image.
  [[nodiscard]] off_t place(std::uint64_t number) const {
    return static_cast<off_t>(std::uint64_t{block_.inode_block} * block_.block_size + number * 32);
  }
  void overwrite(off_t at, std::string_view value) const {
    ASSERT_EQ(::pwrite(fd_.get(), value.data(), value.size(), at),
              static_cast<ssize_t>(value.size()));
  }
  scratch folder_;
  std::string bytes_;
  unique_fd fd_;
  erofs_superblock block_;
};

std::vector<std::string> names(const erofs_reader& image, const erofs_inode& folder) {
  std::vector<std::string> all;
  const auto entries = image.list(folder);
  EXPECT_TRUE(entries);
  for (const auto& entry : *entries) all.push_back(entry.name);
  return all;
}

TEST_F(ErofsReader, ReadsNamesFactsAndContents) {
  folder_.write("root/etc/os-release", "NAME=x\n");
  folder_.write("root/plain", std::string(10000, 'p'));
  fs::create_symlink("etc/os-release", folder_ / "root/link");
  fs::create_hard_link(folder_ / "root/plain", folder_ / "root/hard");
  fs::permissions(folder_ / "root/plain", fs::perms(0640));
  const auto image = read({});
  const auto root = image.inode(image.root());
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_TRUE(S_ISDIR(root->mode));
  EXPECT_THAT(names(image, *root), UnorderedElementsAre("etc", "plain", "link", "hard"));
  const auto file = image.find("/etc/os-release");
  ASSERT_TRUE(file);
  EXPECT_EQ(*image.content(*file, 100), "NAME=x\n");
  EXPECT_EQ(image.content(*file, 3).error().text(), "is larger than 3 bytes");
  const auto plain = image.find("plain");
  EXPECT_EQ(plain->mode, mode_t{S_IFREG | 0640});
  EXPECT_EQ(plain->links, 2U);
  EXPECT_EQ(plain->number, image.find("hard")->number);
  EXPECT_EQ(*image.content(*plain, 20000), std::string(10000, 'p'));
  EXPECT_EQ(*image.content(*image.find("link"), 100), "etc/os-release");
  EXPECT_EQ(image.find("/etc/absent").error().code(), std::errc::no_such_file_or_directory);
  EXPECT_FALSE(image.find("/plain/below"));
}

TEST_F(ErofsReader, AFolderOfManyBlocksIsReadWhole) {
  for (int i = 0; i < 1000; ++i) folder_.write("root/a-rather-long-name-" + std::to_string(i), "");
  const auto image = read();
  EXPECT_EQ(names(image, *image.inode(image.root())).size(), 1000U);
}

TEST_F(ErofsReader, CompressedContentsAreLeftToOthers) {
  folder_.write("root/large", std::string(200000, 'z'));
  const auto image = read();
  EXPECT_EQ(image.content(*image.find("large"), 1 << 20).error().text(), "is compressed");
}

TEST_F(ErofsReader, ReadsOwnAndSharedAttributes) {
  // Attributes that several files have are stored once.
  for (const auto* name : {"root/a", "root/b", "root/c", "root/d"}) {
    const auto file = folder_.write(name, name);
    ASSERT_EQ(::setxattr(file.c_str(), "user.shared", "same\0value", 10, 0), 0);
  }
  ASSERT_EQ(::setxattr((folder_ / "root/a").c_str(), "user.own", "1", 1, 0), 0);
  const auto image = read({"-x2"});
  const auto attributes = image.attributes(*image.find("a"));
  ASSERT_TRUE(attributes) << attributes.error().text();
  const std::map<std::string, std::string> found(attributes->begin(), attributes->end());
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"user.shared", {"same\0value", 10}},
                                                       {"user.own", "1"}}));
}

TEST_F(ErofsReader, DamageIsAnErrorNotARead) {
  folder_.write("root/file", "content");
  const auto file = folder_ / "root/file";
  ASSERT_EQ(::setxattr(file.c_str(), "user.a", "b", 1, 0), 0);
  using namespace std::string_view_literals;
  struct change {
    const char* what;
    bool of_root;
    off_t offset;
    std::string_view value;
  };
  const change changes[] = {
      {"another type", false, 4, "\0\0"sv},
      {"larger than the image", false, 8, "\xff\xff\xff\x7f"sv},
      {"attributes beyond the image", false, 2, "\xff\xff"sv},
      {"a folder with a size of 5", true, 8, "\x05\0\0\0"sv},
  };
  for (const auto& c : changes) {
    const auto image = read({});
    const auto number = c.of_root ? image.root() : image.find("file")->number;
    overwrite(place(number) + c.offset, c.value);
    const auto damaged = image.inode(number);
    const bool readable = damaged && image.content(*damaged, UINT64_MAX) &&
                          image.attributes(*damaged) && (!c.of_root || image.list(*damaged));
    EXPECT_FALSE(readable) << c.what;
  }
  const auto image = read({});
  EXPECT_THAT(image.inode(UINT64_MAX / 2).error().text(), HasSubstr("beyond its end"));
}

TEST_F(ErofsReader, ImpossibleNamesAreRefused) {
  folder_.write("root/abcdefgh", "x");
  for (const std::string_view name : {"../../ab", "a/bcdefg", "/abcdefg"}) {
    const auto image = read({});
    const auto at = bytes_.find("abcdefgh");
    ASSERT_NE(at, std::string::npos);
    overwrite(static_cast<off_t>(at), name);
    EXPECT_THAT(image.list(*image.inode(image.root())).error().text(),
                HasSubstr("impossible name"));
  }
}

}  // namespace
}  // namespace berth::image
