#include "models/stream_source.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "temporary_folder.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

// Numbers that do not compress to nothing, in compressed chunks of 300 x 2.
void write_compressed(const std::string& path, std::int64_t rows) {
  const auto file = create_hdf5(path);
  const hsize_t extent[] = {static_cast<hsize_t>(rows), 3};
  const hsize_t chunk[] = {300, 2};
  const hdf5_space space(H5Screate_simple(2, extent, nullptr));
  const hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(creation.get(), 2, chunk);
  H5Pset_deflate(creation.get(), 1);
  const hdf5_dataset x(H5Dcreate2(file->get(), "X", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                  creation.get(), H5P_DEFAULT));
  std::vector<double> values;
  for (std::int64_t i = 0; i < 3 * rows; ++i) values.push_back(1 / (1 + static_cast<double>(i)));
  EXPECT_GE(H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  values.resize(static_cast<std::size_t>(rows));
  EXPECT_TRUE(write_doubles(file->get(), "y", {rows}, values));
}

TEST(StreamSource, RanksDecodeNoChunkTwice) {
  prepare_hdf5();
  std::optional<temporary_folder> folder;
  std::string path;
  if (world().is_root()) {
    path = folder.emplace().file("d.h5");
    write_compressed(path, 20'000);
  }
  world().broadcast(path);
  const auto data = open_dataset(world(), path);
  ASSERT_TRUE(data) << data.error().text();
  auto stream = stream_source::create(world(), *data, {});
  ASSERT_TRUE(stream) << stream.error().text();
  std::int64_t rows = 0;
  ASSERT_TRUE(stream->rows().visit([&](const row_view& view) { rows += view.range.count; }));
  EXPECT_EQ(world().sum(static_cast<double>(rows)), 20'000);
  std::int64_t stored = 20'000 * 8;
  for (const auto& chunk : data->x.chunks) stored += chunk.bytes;
  EXPECT_EQ(world().sum(static_cast<double>(stream->facts().stored_bytes)),
            static_cast<double>(stored));
}

}  // namespace
}  // namespace berth::apps
