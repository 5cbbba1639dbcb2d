#include "data/filters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace berth::apps {
namespace {

using testing::HasSubstr;
using bytes = std::vector<std::byte>;

bytes counting(std::size_t size) {
  bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 37 + i / 256);
  return out;
}

// As HDF5 does it: plane after plane, and what is no whole element at the end.
bytes shuffled(const bytes& data, std::size_t size) {
  bytes out(data);
  const std::size_t count = data.size() / size;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t b = 0; b < size; ++b) out[b * count + i] = data[i * size + b];
  }
  return out;
}

TEST(Filters, UndoShufflesOfElementsOfAnySizeAndCount) {
  for (const std::size_t size : {1U, 2U, 3U, 4U, 8U, 16U}) {
    for (const std::size_t length : {0U, 7U, 64U, 127U, 128U, 129U, 1000U, 4099U}) {
      const auto data = counting(length);
      bytes out(length);
      unshuffle(shuffled(data, size), size, out);
      EXPECT_EQ(out, data) << length << " bytes of elements of " << size;
    }
  }
}

TEST(Filters, ChecksumsAsFletcherDefinesThem) {
  const auto of = [](const std::string& text) {
    return fletcher32(std::as_bytes(std::span(text)));
  };
  // Sums modulo 65535 of the 16-bit words "ab" "cd" "ef": 0x2926 and 0x5450 + ... by hand.
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (const std::uint32_t word : {0x6162U, 0x6364U, 0x6566U}) {
    first = (first + word) % 65535;
    second = (second + first) % 65535;
  }
  EXPECT_EQ(of("abcdef"), second << 16 | first);
  EXPECT_NE(of("abcdef"), of("abcdfe"));
  EXPECT_EQ(of("abcde"), of(std::string("abcde\0", 6)));
}

array_storage one_chunk(std::vector<filter_step> filters, std::int64_t elements) {
  array_storage array;
  array.shape = {elements};
  array.layout = layout_kind::chunked;
  array.chunk_rows = elements;
  array.chunk_columns = 1;
  array.filters = std::move(filters);
  return array;
}

TEST(Filters, LeaveOutTheStepsThatAWriterSkipped) {
  const auto array =
      one_chunk({{H5Z_FILTER_SHUFFLE, "shuffle", {8}}, {H5Z_FILTER_DEFLATE, "deflate", {1}}}, 4);
  filter_decoder decoder(array);
  const auto data = counting(32);
  EXPECT_TRUE(std::ranges::equal(*decoder.decode(data, 3), data));
  EXPECT_TRUE(std::ranges::equal(*decoder.decode(shuffled(data, 8), 2), data));
}

TEST(Filters, SayWhatIsWrongWithDamagedChunks) {
  const auto data = counting(32);
  const auto message = [&](filter_step step, const bytes& stored) {
    const auto array = one_chunk({std::move(step)}, 4);
    const auto got = filter_decoder(array).decode(stored, 0);
    return got ? "decoded" : got.error().text();
  };
  EXPECT_THAT(message({H5Z_FILTER_DEFLATE, "deflate", {1}}, data),
              HasSubstr("deflate cannot decode"));
  EXPECT_THAT(message({32000, "lzf", {}}, bytes(32, std::byte{0xff})),
              HasSubstr("LZF cannot decode"));
  EXPECT_THAT(message({H5Z_FILTER_FLETCHER32, "fletcher32", {}}, data), HasSubstr("checksum"));
  EXPECT_THAT(message({H5Z_FILTER_FLETCHER32, "fletcher32", {}}, bytes(2)), HasSubstr("damaged"));
  EXPECT_THAT(message({H5Z_FILTER_SHUFFLE, "shuffle", {8}}, bytes(24)),
              HasSubstr("has 24 bytes after decoding instead of 32"));
  EXPECT_THAT(message({H5Z_FILTER_SHUFFLE, "shuffle", {8}}, bytes(64)), HasSubstr("damaged"));
}

TEST(Filters, KnowWhichOnesCanBeUndone) {
  EXPECT_EQ(support_of(filter_step{H5Z_FILTER_DEFLATE, "", {}}), filter_support::native);
  EXPECT_EQ(support_of(filter_step{H5Z_FILTER_SCALEOFFSET, "", {}}), filter_support::library);
  EXPECT_EQ(support_of(filter_step{32001, "blosc", {}}), filter_support::missing);
  const std::vector<filter_step> mixed{{H5Z_FILTER_SHUFFLE, "", {8}}, {32015, "zstd", {}}};
  EXPECT_EQ(support_of(mixed), filter_support::missing);
  // HDF5 would have to undo both, and does not have LZF.
  const std::vector<filter_step> odd{{H5Z_FILTER_SCALEOFFSET, "", {}}, {32000, "lzf", {}}};
  EXPECT_EQ(support_of(odd), filter_support::missing);
  EXPECT_THAT(missing_filter_text({32015, "zstd", {}}), HasSubstr("filter 32015 (Zstandard)"));
  EXPECT_THAT(missing_filter_text({4242, "mine", {}}), HasSubstr("filter 4242 (mine)"));
}

}  // namespace
}  // namespace berth::apps
