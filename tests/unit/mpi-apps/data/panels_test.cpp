#include "data/panels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/hdf5_attributes.hpp"
#include "data/file_bytes.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

class Panels : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  // x[i, j] = 10 i + j, in chunks of `chunk_rows` x `chunk_columns`.
  dataset make(std::int64_t rows, std::int64_t columns, hsize_t chunk_rows, hsize_t chunk_columns,
               bool deflate) {
    const auto path = folder.file("d.h5");
    {
      const hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
      const hsize_t extent[] = {static_cast<hsize_t>(rows), static_cast<hsize_t>(columns)};
      const hsize_t chunk[] = {chunk_rows, chunk_columns};
      const hdf5_space space(H5Screate_simple(2, extent, nullptr));
      const hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
      H5Pset_chunk(creation.get(), 2, chunk);
      if (deflate) H5Pset_deflate(creation.get(), 1);
      const hdf5_dataset x(H5Dcreate2(file.get(), "X", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                      creation.get(), H5P_DEFAULT));
      std::vector<double> values;
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) {
          values.push_back(static_cast<double>(10 * i + j));
        }
      }
      H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    auto data = open_dataset(path, {{}, {}, {}, target_use::ignored, false});
    EXPECT_TRUE(data) << data.error().text();
    return std::move(*data);
  }

  temporary_folder folder;
};

TEST_F(Panels, DecodeEveryChunkOnceHoweverPanelsCutThem) {
  const auto data = make(1000, 5, 300, 2, true);
  std::int64_t stored = 0;
  for (const auto& chunk : data.x.chunks) stored += chunk.bytes;
  auto source = panel_source<double>::open(data, {1 << 20, 2, true, true});
  ASSERT_TRUE(source);
  panel<double> rows;
  for (std::int64_t first = 0; first < 1000; first += 70) {
    const auto count = std::min<std::int64_t>(70, 1000 - first);
    ASSERT_TRUE(source->fill({first, count}, rows));
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_EQ(rows.x[static_cast<std::size_t>(5 * i + 4)],
                static_cast<double>(10 * (first + i) + 4));
    }
  }
  EXPECT_EQ(source->stored_bytes(), stored);
}

TEST_F(Panels, HoldNoMoreThanTheirMemory) {
  const auto data = make(20000, 50, 100, 50, true);
  constexpr std::int64_t memory = 1 << 20;
  auto stream = panel_stream<double>::open(data, {0, 20000}, {memory, 1, true, false});
  ASSERT_TRUE(stream);
  int panels = 0;
  for (;;) {
    const auto got = stream->next();
    ASSERT_TRUE(got);
    if (*got == nullptr) break;
    ++panels;
    EXPECT_LE(8 * (*got)->range.count * 50, memory / 2);
    EXPECT_EQ((*got)->range.first % 100, 0) << "panels begin with a chunk";
  }
  EXPECT_GT(panels, 10);
}

TEST_F(Panels, HaveTheSameStatisticsBitByBitForAnyThreads) {
  const auto data = make(30000, 7, 64, 3, false);
  const auto mean = [&](int threads) {
    auto source = panel_source<double>::open(data, {1 << 20, threads, true, true});
    panel<double> rows;
    EXPECT_TRUE(source->fill({0, 30000}, rows));
    return source->feature_statistics().columns()[6];
  };
  const auto one = mean(1);
  EXPECT_EQ(one.finite, 30000);
  EXPECT_DOUBLE_EQ(one.mean, 10 * 29999 / 2.0 + 6);
  for (const int threads : {2, 5}) {
    EXPECT_EQ(mean(threads).mean, one.mean);
    EXPECT_EQ(mean(threads).squares, one.squares);
  }
}

TEST_F(Panels, AnErrorWhileReadingAheadComesFromNext) {
  const auto data = make(1000, 50, 10, 50, true);
  const auto& chunk = data.x.chunks[99];
  {
    std::fstream file(folder.file("d.h5"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(chunk.address));
    file << std::string(chunk.bytes, 'z');
  }
  auto stream = panel_stream<double>::open(data, {0, 1000}, {1 << 15, 2, true, true});
  ASSERT_TRUE(stream);
  result<const panel<double>*> got = nullptr;
  std::int64_t rows = 0;
  for (got = stream->next(); got && *got != nullptr; got = stream->next()) {
    rows += (*got)->range.count;
  }
  ASSERT_FALSE(got);
  EXPECT_GT(rows, 0);
  EXPECT_THAT(got.error().text(), HasSubstr("/X: chunk of rows 991 to 1000, columns 1 to 50"));
  EXPECT_EQ(got.error().exit_code(), 2);
  EXPECT_FALSE(stream->next()) << "it stays an error";
}

TEST_F(Panels, AFileThatIsCutMeanwhileIsAnError) {
  const auto data = make(1000, 5, 10, 5, false);
  std::filesystem::resize_file(folder.file("d.h5"), 4096);
  auto source = panel_source<double>::open(data, {});
  ASSERT_TRUE(source);
  panel<double> rows;
  const auto ok = source->fill({0, 1000}, rows);
  ASSERT_FALSE(ok);
  EXPECT_THAT(ok.error().text(), HasSubstr("ends before byte"));
}

TEST_F(Panels, StopWhenNobodyWantsThemAnyMore) {
  const auto data = make(5000, 5, 10, 5, false);
  auto stream = panel_stream<double>::open(data, {0, 5000}, {1 << 12, 1, true, true});
  ASSERT_TRUE(stream);
  ASSERT_TRUE(stream->next());
}

TEST_F(Panels, AnEmptyRangeHasNone) {
  const auto data = make(10, 5, 10, 5, true);
  auto stream = panel_stream<float>::open(data, {10, 0});
  ASSERT_TRUE(stream);
  const auto got = stream->next();
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, nullptr);
}

}  // namespace
}  // namespace berth::apps
