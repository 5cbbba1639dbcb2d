#include "data/writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "common/hdf5_attributes.hpp"
#include "data/writer_file.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;
using values = std::vector<double>;

class Writer : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  [[nodiscard]] std::string path() const { return folder.file("out.h5"); }
  [[nodiscard]] values stored(const char* name) const {
    const auto file = open_hdf5(path());
    const hdf5_dataset dataset(H5Dopen2(file->get(), name, H5P_DEFAULT));
    const hdf5_space space(H5Dget_space(dataset.get()));
    values all(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
    H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data());
    return all;
  }
  temporary_folder folder;
  communicator alone = communicator::alone();
};

dataset_layout layout(std::int64_t rows, std::int64_t features) {
  dataset_layout made;
  made.rows = rows;
  made.features = features;
  return made;
}

TEST_F(Writer, PanelsOfAnySizeInAnyOrderFillTheChunks) {
  auto writer = dataset_writer::create(alone, path(), layout(10'000, 100));
  ASSERT_TRUE(writer) << writer.error().text();
  EXPECT_EQ(writer->chunk_rows(), (1 << 20) / 800);
  values x(1'000'000);
  std::iota(x.begin(), x.end(), 0.5);
  for (const auto& [first, count] : {std::pair{5000, 5000}, {0, 1}, {1, 1309}, {1310, 3690}}) {
    ASSERT_TRUE(writer->write_features(
        first, std::span<const double>(x).subspan(static_cast<std::size_t>(first) * 100,
                                                  static_cast<std::size_t>(count) * 100)));
  }
  ASSERT_TRUE(writer->commit());
  EXPECT_TRUE(stored("X") == x);
  EXPECT_EQ(folder.entries(), std::set<std::string>{"out.h5"});
}

TEST_F(Writer, ConvertsToThePrecisionOfTheLayout) {
  auto narrow = layout(2, 1);
  narrow.values = precision::f32;
  narrow.weights = true;
  narrow.targets = {{"a", {}}, {"b", {}}};
  auto writer = dataset_writer::create(alone, path(), narrow);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->write_features(0, std::span<const double>(values{0.1})));
  ASSERT_TRUE(writer->write_features(1, std::span<const float>(std::vector<float>{0.2F})));
  ASSERT_TRUE(writer->write_targets(0, values{1, 2, 3, 0.1}));
  ASSERT_TRUE(writer->write_weights(0, values{0.1, 5}));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(stored("X"), (values{0.1F, 0.2F}));
  EXPECT_EQ(stored("y"), (values{1, 2, 3, 0.1}));
  EXPECT_EQ(stored("weights"), (values{0.1, 5}));
}

TEST_F(Writer, SparseRowsKnowWhereTheyBegin) {
  auto sparse = layout(4, 5);
  sparse.sparse = true;
  sparse.entries = 3;
  auto writer = dataset_writer::create(alone, path(), sparse);
  ASSERT_TRUE(writer) << writer.error().text();
  const std::vector<std::int64_t> late_starts{0, 1, 1}, late_columns{3};
  const std::vector<std::int64_t> early_starts{0, 0, 2}, early_columns{0, 4};
  ASSERT_TRUE(writer->write_features<double>(2, 2, {late_starts, late_columns, values{7}}));
  ASSERT_TRUE(writer->write_features<double>(0, 0, {early_starts, early_columns, values{5, 6}}));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(stored("X/data"), (values{5, 6, 7}));
  EXPECT_EQ(stored("X/indices"), (values{0, 4, 3}));
  EXPECT_EQ(stored("X/indptr"), (values{0, 0, 2, 3, 3}));
}

TEST_F(Writer, NothingIsLeftWithoutACommit) {
  folder.write("out.h5", "before");
  {
    auto writer = dataset_writer::create(alone, path(), layout(3, 3));
    ASSERT_TRUE(writer);
  }
  EXPECT_EQ(folder.entries(), std::set<std::string>{"out.h5"});
  EXPECT_EQ(std::filesystem::file_size(path()), 6U);
}

TEST_F(Writer, RefusesWhatCannotBeWritten) {
  const auto refusal = [&](const std::string& output, const dataset_layout& wanted,
                           const std::vector<std::string>& inputs = {}) {
    const auto made = dataset_writer::create(alone, output, wanted, inputs);
    return made ? std::string("accepted") : made.error().text();
  };
  EXPECT_THAT(refusal(path(), layout(0, 3)), HasSubstr("at least one row"));
  EXPECT_THAT(refusal(path(), layout(3, std::int64_t{1} << 30)), HasSubstr("make it sparse"));
  EXPECT_THAT(refusal(path(), layout(std::int64_t{1} << 40, 1000)), HasSubstr("are free"));
  EXPECT_THAT(refusal(folder.file("no/out.h5"), layout(3, 3)), HasSubstr("cannot write"));
  const auto input = folder.write("in.h5", "");
  EXPECT_THAT(refusal(input, layout(3, 3), {input}), HasSubstr("is the input too"));
}

TEST(RowsPerChunk, FillOneMegabyteWithWholeRows) {
  EXPECT_EQ(rows_per_chunk(1'000'000, 8), 131'072);
  EXPECT_EQ(rows_per_chunk(10, 8), 10);
  EXPECT_EQ(rows_per_chunk(10, 1 << 21), 1);
}

}  // namespace
}  // namespace berth::apps
