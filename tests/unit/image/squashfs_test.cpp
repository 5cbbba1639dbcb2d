#include "image/squashfs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstring>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "image/kind.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;

class Squashfs : public testing::Test {
 protected:
  std::string make(const std::string& method) {
    folder_.write("root/data", std::string(300000, 'x'));
    folder_.write("root/small", "goes into a fragment");
    auto path = folder_ / (method + ".sqsh");
    const auto made = run_ok({{"mksquashfs", folder_ / "root", path, "-quiet", "-no-progress",
                               "-comp", method, "-mkfs-time", "1700000000"},
                              current_environment(),
                              {}});
    EXPECT_TRUE(made) << made.error().text();
    return path;
  }
  static result<superblock> read(const std::string& path) {
    const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    auto content = recognise(fd.get());
    if (!content) return pass(std::move(content));
    return std::get<superblock>(*content);
  }
  scratch folder_;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST_F(Squashfs, ReadsWhatMksquashfsWrites) {
  for (const auto* method : {"gzip", "lzo", "xz", "lz4", "zstd"}) {
    const auto path = make(method);
    const auto block = read(path);
    ASSERT_TRUE(block) << method << ": " << block.error().text();
    EXPECT_EQ(name_of(block->method), method);
    EXPECT_EQ(block->inode_count, 3U);
    EXPECT_EQ(block->block_size, 131072U);
    EXPECT_EQ(block->modified, 1700000000U);
    EXPECT_LE(block->bytes_used, std::filesystem::file_size(path));
    EXPECT_GT(block->bytes_used + 4096, std::filesystem::file_size(path));
  }
}

TEST_F(Squashfs, SaysHowMuchOfATruncatedImageIsThere) {
  const auto path = make("zstd");
  const auto whole = read(path);
  ASSERT_TRUE(whole);
  std::filesystem::resize_file(path, whole->bytes_used);
  EXPECT_TRUE(read(path));
  for (const auto size : {whole->bytes_used - 1, std::uint64_t{96}, std::uint64_t{50}}) {
    std::filesystem::resize_file(path, size);
    const auto block = read(path);
    ASSERT_FALSE(block);
    EXPECT_THAT(block.error().text(), HasSubstr("truncated: has " + std::to_string(size) + " of "));
  }
}

TEST_F(Squashfs, RefusesFieldsThatContradictEachOther) {
  const auto bytes = read_file(make("zstd"), 1 << 20);
  ASSERT_TRUE(bytes);
  ASSERT_TRUE(parse_superblock(bytes_of(*bytes)));
  struct change {
    const char* what;
    std::size_t offset;
    std::string_view value;
    const char* message;
  };
  using namespace std::string_view_literals;
  constexpr auto far = "\xff\xff\xff\xff\xff\xff\xff\x7f"sv;
  const change changes[] = {
      {"no inodes", 4, "\0\0\0\0"sv, "damaged"},
      {"block size", 12, "\x01\0\x02\0"sv, "damaged"},
      {"block size 0", 12, "\0\0\0\0"sv, "damaged"},
      {"block log 63", 22, "\x3f\0"sv, "damaged"},
      {"no compressor", 20, "\0\0"sv, "method 0"},
      {"lzma", 20, "\x02\0"sv, "method 2"},
      {"a later compressor", 20, "\x07\0"sv, "method 7"},
      {"no ids", 26, "\0\0"sv, "damaged"},
      {"version 3.1", 28, "\x03\0\x01\0"sv, "version 3.1"},
      {"version 4.1", 30, "\x01\0"sv, "version 4.1"},
      {"root inode", 32, far, "damaged"},
      {"bytes used 0", 40, "\0\0\0\0\0\0\0\0"sv, "damaged"},
      {"bytes used beyond files", 40, "\xff\xff\xff\xff\xff\xff\xff\xff"sv, "damaged"},
      {"id table", 48, far, "damaged"},
      {"xattr table", 56, far, "damaged"},
      {"inode table", 64, far, "damaged"},
      {"inode table in the header", 64, "\0\0\0\0\0\0\0\0"sv, "damaged"},
      {"folder table", 72, far, "damaged"},
      {"fragment table", 80, far, "damaged"},
      {"export table", 88, far, "damaged"},
  };
  for (const auto& c : changes) {
    auto broken = *bytes;
    broken.replace(c.offset, c.value.size(), c.value);
    const auto block = parse_superblock(bytes_of(broken));
    ASSERT_FALSE(block) << c.what;
    EXPECT_THAT(block.error().text(), HasSubstr(c.message)) << c.what;
  }
}

TEST_F(Squashfs, RefusesOtherContents) {
  for (const std::string_view bytes : {"", "hsq", "hello", "\x1f\x8b\x08"}) {
    EXPECT_THAT(parse_superblock(bytes_of(bytes)).error().text(), HasSubstr("not a squashfs image"))
        << bytes;
  }
}

}  // namespace
}  // namespace berth::image
