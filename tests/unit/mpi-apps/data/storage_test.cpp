#include "data/storage.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

array_storage grid(std::int64_t rows, std::int64_t columns, const std::string& written) {
  array_storage array;
  array.path = std::string("/X");
  array.shape = {rows, columns};
  array.layout = layout_kind::chunked;
  array.chunk_rows = 10;
  array.chunk_columns = 4;
  for (const char c : written) array.chunks.push_back({1000, c == '+' ? 320U : 0U, 0});
  return array;
}

TEST(Storage, FindsRowsThatWereNeverWritten) {
  using ranges = std::vector<row_range>;
  EXPECT_EQ(unwritten_rows(grid(35, 8, "++++++++")), ranges{});
  EXPECT_EQ(unwritten_rows(grid(35, 8, "++++++-+")), (ranges{{30, 5}})) << "the last is short";
  EXPECT_EQ(unwritten_rows(grid(35, 8, "+--+++++")), (ranges{{0, 20}})) << "neighbours merge";
  EXPECT_EQ(unwritten_rows(grid(35, 8, "--++-+++")), (ranges{{0, 10}, {20, 10}}));
  auto never = grid(35, 8, "--------");
  never.written = false;
  EXPECT_EQ(unwritten_rows(never), (ranges{{0, 35}}));
}

TEST(Storage, CountsChunksAtTheBordersToo) {
  const auto array = grid(35, 9, "");
  EXPECT_EQ(array.bands(), 4);
  EXPECT_EQ(array.chunks_across(), 3);
  EXPECT_EQ(array.chunk_bytes(), 320);
}

TEST(Storage, ArrivesOnOtherRanksAsItWas) {
  auto array = grid(35, 8, "+-++++++");
  array.file = std::string("a.h5");
  array.element = {element_kind::signed_integer, 2, true, "big-endian int16"};
  array.filters = {{2, "shuffle", {2}}, {1, "deflate", {4}}};
  array.external_file = std::string("raw");
  packer to;
  pack(to, array);
  unpacker from(std::move(to).take());
  array_storage got;
  unpack(from, got);
  EXPECT_EQ(got.file, array.file);
  EXPECT_EQ(got.shape, array.shape);
  EXPECT_EQ(got.element.name, array.element.name);
  EXPECT_TRUE(got.element.big_endian);
  EXPECT_EQ(got.filters[1].parameters, array.filters[1].parameters);
  EXPECT_EQ(got.external_file, "raw");
  EXPECT_EQ(unwritten_rows(got), unwritten_rows(array));
}

}  // namespace
}  // namespace berth::apps
