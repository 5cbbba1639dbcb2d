#include "dataset/layout_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::apps {
namespace {

using testing::ElementsAre;

array_storage array_of(std::int64_t rows, std::int64_t columns) {
  array_storage array;
  array.path = "/X";
  array.shape = {rows, columns};
  array.element = {element_kind::floating, 8, false, "float64"};
  return array;
}

array_storage chunked(std::int64_t rows, std::int64_t columns, std::int64_t chunk_rows,
                      std::int64_t chunk_columns, std::vector<filter_step> filters = {}) {
  auto array = array_of(rows, columns);
  array.layout = layout_kind::chunked;
  array.chunk_rows = chunk_rows;
  array.chunk_columns = chunk_columns;
  array.filters = std::move(filters);
  return array;
}

std::vector<std::string> ids(const array_storage& array) {
  std::vector<std::string> found;
  for (const auto& each : judge_layout(array, "dataset import x.h5 -o new.h5")) {
    found.push_back(std::string(severity_name(each.level)) + " " + each.id);
    EXPECT_EQ(each.cure, "dataset import x.h5 -o new.h5");
  }
  return found;
}

const filter_step deflate{1, "deflate", {4}};
const filter_step shuffle{2, "shuffle", {}};

TEST(LayoutAdvice, HasNothingToSayOfGoodLayouts) {
  EXPECT_THAT(ids(array_of(1000000, 200)), ElementsAre());
  EXPECT_THAT(ids(chunked(1000000, 200, 4096, 200)), ElementsAre());
}

TEST(LayoutAdvice, LeavesSmallArraysAlone) {
  EXPECT_THAT(ids(chunked(1000, 100, 1, 1)), ElementsAre());
}

TEST(LayoutAdvice, NamesNarrowChunks) {
  EXPECT_THAT(ids(chunked(250000, 200, 3907, 4)), ElementsAre("note narrow-chunks"));
  EXPECT_THAT(ids(chunked(250000, 200, 3907, 4, {shuffle, deflate})),
              ElementsAre("warning narrow-chunks", "note compressed"));
}

TEST(LayoutAdvice, NamesTinyChunks) {
  EXPECT_THAT(ids(chunked(250000, 200, 1, 200)), ElementsAre("warning tiny-chunks"));
}

TEST(LayoutAdvice, NamesChunksThatAreDecodedWhole) {
  EXPECT_THAT(ids(chunked(250000, 200, 250000, 200, {deflate})),
              ElementsAre("warning huge-chunks", "note compressed"));
  EXPECT_THAT(ids(chunked(250000, 200, 250000, 200)), ElementsAre());
}

TEST(LayoutAdvice, NamesWhatOnlyHdf5Reads) {
  auto array = array_of(250000, 200);
  array.layout = layout_kind::indirect;
  array.indirect_kind = "virtual";
  EXPECT_THAT(ids(array), ElementsAre("warning indirect-storage"));
  array = array_of(250000, 200);
  array.element = {element_kind::foreign, 16, false, "float128"};
  EXPECT_THAT(ids(array), ElementsAre("warning foreign-type"));
}

TEST(LayoutText, SaysTypeChunksAndFilters) {
  EXPECT_EQ(layout_text(array_of(10, 2)), "float64, contiguous");
  EXPECT_EQ(layout_text(chunked(250000, 200, 4096, 200, {shuffle, deflate})),
            "float64, chunks [4,096 x 200] (6.55 MB), shuffle, deflate level 4");
}

}  // namespace
}  // namespace berth::apps
