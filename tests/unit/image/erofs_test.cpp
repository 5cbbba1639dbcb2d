#include "image/erofs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;
using namespace std::string_view_literals;

class Erofs : public testing::Test {
 protected:
  std::string make(const std::vector<std::string>& options = {"-zlz4hc"}) {
    folder_.write("root/data", std::string(300000, 'x'));
    folder_.write("root/small", "lies beside its inode");
    auto path = folder_ / "a.erofs";
    std::vector<std::string> argv{"mkfs.erofs", "--quiet", "-T1700000000"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {path, folder_ / "root"});
    const auto made = run_ok({std::move(argv), current_environment(), {}});
    EXPECT_TRUE(made) << made.error().text();
    const auto bytes = read_file(path, 1 << 20);
    EXPECT_TRUE(bytes);
    return *bytes;
  }
  scratch folder_;
};

result<erofs_superblock> parse(std::string_view text) {
  return parse_erofs(std::as_bytes(std::span(text.data(), text.size())));
}

/// The image without a checksum, for changes that are to be judged by themselves.
std::string unsummed(std::string bytes) {
  bytes[1024 + 8] = static_cast<char>(bytes[1024 + 8] & ~1);
  return bytes;
}

TEST_F(Erofs, ReadsWhatMkfsWrites) {
  const std::pair<std::vector<std::string>, const char*> made[] = {
      {{}, "none"},
      {{"-zlz4hc"}, "lz4"},
      {{"-zlz4", "-C65536"}, "lz4"},
      {{"-zlz4hc", "-Eztailpacking"}, "lz4"},
  };
  for (const auto& [options, algorithm] : made) {
    const auto bytes = make(options);
    const auto block = parse(bytes);
    ASSERT_TRUE(block) << block.error().text();
    EXPECT_EQ(block->inode_count, 3U);
    EXPECT_EQ(block->block_size, 4096U);
    EXPECT_EQ(block->created, 1700000000U);
    EXPECT_EQ(block->block_count * block->block_size, bytes.size());
    EXPECT_EQ(algorithm_names(*block), algorithm);
  }
}

TEST_F(Erofs, NamesEveryAlgorithmOfTheList) {
  auto bytes = unsummed(make({"-zlz4", "-C65536"}));
  bytes[1024 + 84] = 0xf;
  const auto block = parse(bytes);
  ASSERT_TRUE(block);
  EXPECT_EQ(algorithm_names(*block), "lz4, lzma, deflate, zstd");
}

TEST_F(Erofs, ABitFlippedInTheFirstBlockIsSeen) {
  const auto bytes = make();
  for (const std::size_t at : {1040U, 1100U, 1151U, 1200U, 4095U}) {
    auto flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    const auto block = parse(flipped);
    ASSERT_FALSE(block) << at;
    EXPECT_THAT(block.error().text(), HasSubstr("checksum is wrong")) << at;
  }
}

TEST_F(Erofs, RefusesFieldsThatContradictEachOther) {
  const auto bytes = unsummed(make({"-zlz4", "-C65536"}));
  ASSERT_TRUE(parse(bytes));
  struct change {
    const char* what;
    std::size_t offset;
    std::string_view value;
    const char* message;
  };
  const change changes[] = {
      {"magic", 0, "\0"sv, "is not an EROFS image"},
      {"blocks of 256 bytes", 12, "\x08"sv, "block size"},
      {"blocks of 128 KiB", 12, "\x11"sv, "block size"},
      {"root beyond the end", 14, "\xff\xff"sv, "contradicts"},
      {"no inodes", 16, "\0\0\0\0\0\0\0\0"sv, "contradicts"},
      {"made after 2106", 24, "\0\0\0\0\x01"sv, "contradicts"},
      {"no blocks", 36, "\0\0\0\0"sv, "contradicts"},
      {"inodes beyond the end", 40, "\xff\xff\xff\xff"sv, "contradicts"},
      {"attributes beyond the end", 44, "\xff\xff\xff\xff"sv, "contradicts"},
      {"later features", 80, "\0\x01"sv, "features (0x100)"},
      {"a later algorithm", 84, "\x10"sv, "method"},
      {"a device", 86, "\x01"sv, "data in other files"},
  };
  for (const auto& c : changes) {
    auto broken = bytes;
    broken.replace(1024 + c.offset, c.value.size(), c.value);
    const auto block = parse(broken);
    ASSERT_FALSE(block) << c.what;
    EXPECT_THAT(block.error().text(), HasSubstr(c.message)) << c.what;
  }
}

TEST_F(Erofs, AddressesOf48BitsDoNotOverflow) {
  auto bytes = unsummed(make({}));
  bytes[1024 + 80] = static_cast<char>(0x80);
  bytes.replace(1024 + 112, 8, "\x24\0\0\0\0\0\0\0"sv);
  bytes.replace(1024 + 14, 2, "\0\0"sv);
  const auto small = parse(bytes);
  ASSERT_TRUE(small) << small.error().text();
  EXPECT_EQ(small->root_inode, 0x24U);
  bytes.replace(1024 + 14, 2, "\xff\xff"sv);
  EXPECT_FALSE(parse(bytes));
  bytes.replace(1024 + 14, 2, "\xff\x7f"sv);
  const auto huge = parse(bytes);
  ASSERT_TRUE(huge);
  EXPECT_FALSE(check_complete(*huge, bytes.size()));
}

TEST_F(Erofs, SaysHowMuchOfATruncatedImageIsThere) {
  const auto bytes = make();
  const auto header = parse(std::string_view(bytes).substr(0, 1151));
  ASSERT_FALSE(header);
  EXPECT_THAT(header.error().text(), HasSubstr("truncated: has 1151 of the 1152"));
  const auto block = parse(bytes);
  ASSERT_TRUE(block);
  EXPECT_TRUE(check_complete(*block, bytes.size()));
  const auto cut = check_complete(*block, bytes.size() - 1);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().text(), HasSubstr("truncated: has"));
}

}  // namespace
}  // namespace berth::image
