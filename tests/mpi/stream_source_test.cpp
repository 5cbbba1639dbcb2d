#include "models/stream_source.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <optional>
#include <set>
#include <thread>

#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "models/metered.hpp"
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

TEST(StreamSource, EveryShareHasAThreadOfItsOwn) {
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
  stream_options options;
  options.threads = 3;
  auto stream = stream_source::create(world(), *data, options);
  ASSERT_TRUE(stream) << stream.error().text();
  auto source = stream->rows();
  const auto shares = shares_of(source);
  ASSERT_EQ(shares.size(), 3U);
  std::vector<std::int64_t> next;
  for (const auto& each : shares) next.push_back(each.first);
  std::vector<std::thread::id> threads(shares.size());
  // Nobody goes on before all have begun.
  std::barrier begun(3);
  const auto see = [&](std::size_t share, const row_view& rows) {
    if (next[share] == shares[share].first) begun.arrive_and_wait();
    EXPECT_EQ(rows.range.first, next[share]);
    next[share] = rows.range.end();
    threads[share] = std::this_thread::get_id();
  };
  ASSERT_TRUE(source.visit_shares(shares, see));
  for (std::size_t k = 0; k < shares.size(); ++k) {
    EXPECT_EQ(next[k], shares[k].end());
    EXPECT_EQ(next[k], k + 1 < shares.size() ? shares[k + 1].first : source.mine.end());
  }
  EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 3U);
  // Sums that are larger than what they may take leave one thread.
  EXPECT_EQ(shares_of(source, 1e15).size(), 1U);
}

}  // namespace
}  // namespace berth::apps
