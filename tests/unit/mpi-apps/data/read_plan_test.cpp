#include "data/read_plan.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

array_storage contiguous() {
  array_storage array;
  array.shape = {1000, 200};
  return array;
}

array_storage chunked(std::int64_t rows, std::int64_t columns,
                      std::vector<filter_step> filters = {}) {
  auto array = contiguous();
  array.layout = layout_kind::chunked;
  array.chunk_rows = rows;
  array.chunk_columns = columns;
  array.filters = std::move(filters);
  return array;
}

const filter_step deflate{H5Z_FILTER_DEFLATE, "deflate", {1}};
const filter_step scale_offset{H5Z_FILTER_SCALEOFFSET, "scaleoffset", {}};

TEST(ReadPlan, FollowsTheLayout) {
  struct expectation {
    array_storage array;
    read_mode mode;
    std::int64_t row_multiple;
    std::string text;
  };
  auto virtual_one = contiguous();
  virtual_one.layout = layout_kind::indirect;
  virtual_one.indirect_kind = "virtual";
  auto foreign = contiguous();
  foreign.element = {element_kind::foreign, 16, false, "float128 of 80 bits"};
  auto labels = chunked(64, 200);
  labels.element = {element_kind::text, 16, false, "string"};
  const expectation all[] = {
      {contiguous(), read_mode::direct, 1, "direct, independent: contiguous float64"},
      {chunked(64, 200), read_mode::direct, 1, "direct, independent: chunks [64 x 200] float64"},
      {chunked(64, 4), read_mode::gathered, 1,
       "gathered, independent: chunks [64 x 4] narrower than the 200 columns float64"},
      {chunked(64, 256), read_mode::gathered, 1,
       "gathered, independent: chunks [64 x 256] float64"},
      {chunked(64, 200, {deflate}), read_mode::decoded, 64,
       "decoded, independent: chunks [64 x 200] with deflate float64"},
      {chunked(64, 4, {deflate}), read_mode::decoded, 64,
       "decoded, independent: chunks [64 x 4] with deflate float64"},
      {chunked(64, 4, {scale_offset}), read_mode::library, 64,
       "HDF5 library, independent: chunks [64 x 4] with scaleoffset float64"},
      {virtual_one, read_mode::library, 1, "HDF5 library, independent: virtual"},
      {foreign, read_mode::library, 1, "HDF5 library, independent: float128 of 80 bits"},
      {labels, read_mode::library, 1, "HDF5 library, independent: string"},
  };
  for (const auto& each : all) {
    const auto plan = plan_read(each.array);
    EXPECT_EQ(plan.mode, each.mode) << each.text;
    EXPECT_EQ(plan.row_multiple, each.row_multiple) << each.text;
    EXPECT_EQ(plan_text(plan), each.text);
  }
}

TEST(ReadPlan, GivesPanelsThatFitTheMemoryAndTheChunks) {
  EXPECT_EQ(panel_rows(1 << 20, 1600, 1), 655);
  EXPECT_EQ(panel_rows(1 << 20, 1600, 64), 640);
  EXPECT_EQ(panel_rows(1 << 20, 1600, 1000), 655) << "a chunk that does not fit";
  EXPECT_EQ(panel_rows(1000, 1600, 1), 1) << "a row that does not fit";
  EXPECT_EQ(panel_rows(std::int64_t{1} << 40, 1 << 10, 1), 1 << 20) << "1 GiB at most";
}

}  // namespace
}  // namespace berth::apps
