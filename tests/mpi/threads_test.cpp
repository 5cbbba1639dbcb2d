// The same bits on any number of ranks, with any number of threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/hdf5_attributes.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using words = std::vector<std::string>;

constexpr std::int64_t rows = 12'000;
constexpr std::int64_t features = 9;

// Chunks of 700 rows: neither blocks nor panels end where vectors of 128 rows do.
void write_rows(const std::string& path) {
  const auto file = create_hdf5(path);
  const hsize_t extent[] = {rows, features};
  const hsize_t chunk[] = {700, features};
  const hdf5_space space(H5Screate_simple(2, extent, nullptr));
  const hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(creation.get(), 2, chunk);
  H5Pset_deflate(creation.get(), 1);
  const hdf5_dataset x(H5Dcreate2(file->get(), "X", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                  creation.get(), H5P_DEFAULT));
  std::vector<double> values;
  std::vector<double> y;
  std::vector<double> firms;
  for (std::int64_t i = 0; i < rows; ++i) {
    y.push_back(0.1 * static_cast<double>(i % 17));
    firms.push_back(static_cast<double>(i % 40));
    for (std::int64_t j = 0; j < features; ++j) {
      values.push_back(1 / (1 + static_cast<double>((i * (7 + 3 * j) + j) % (101 + 2 * j))));
      y.back() += values.back() * static_cast<double>(j - 3);
    }
  }
  ASSERT_GE(H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  ASSERT_TRUE(write_doubles(file->get(), "y", {rows}, y));
  std::vector<double> weights(firms.size());
  for (std::size_t i = 0; i < firms.size(); ++i) weights[i] = 1 / (1 + firms[i]);
  ASSERT_TRUE(write_doubles(file->get(), "weights", {rows}, weights));
}

// What the data determine; the rest says how the run went.
std::string answer_of(const std::string& printed) {
  auto out = json::parse(printed);
  for (const char* key : {"ranks", "speed", "phases", "provenance", "origin"}) out.erase(key);
  return out.dump(1);
}

TEST(Threads, ChangeNoBitOnAnyNumberOfRanks) {
  const temporary_folder folder;
  prepare_hdf5();
  write_rows(folder.file("d.h5"));
  const words fits[] = {{"--solver", "exact", "--errors", "hc3", "--loo"},
                        {"--solver", "normal", "--weights", "weights"},
                        {"--folds", "4", "--l2", "0.5", "--weights", "weights"}};
  for (const auto& fit : fits) {
    std::string expected;
    for (const int ranks : {1, 2, 3}) {
      for (const char* threads : {"1", "2", "4"}) {
        words command{BERTH_TRAIN, "linear", "d.h5", "--json", "--threads", threads};
        command.insert(command.end(), fit.begin(), fit.end());
        const auto got = run_program(folder, command, ranks);
        ASSERT_EQ(got.code, 0) << got.err;
        if (expected.empty()) expected = answer_of(got.out);
        EXPECT_EQ(answer_of(got.out), expected) << ranks << " ranks, threads: " << threads;
      }
    }
  }
}

// Their factors differ in the last bits.
TEST(Threads, OfFactorsGiveTheSameAnswer) {
  const temporary_folder folder;
  prepare_hdf5();
  write_rows(folder.file("d.h5"));
  const auto expected = run_program(folder, {BERTH_TRAIN, "linear", "d.h5", "--json"}, 1);
  ASSERT_EQ(expected.code, 0) << expected.err;
  const auto truth = json::parse(expected.out)["coefficients"];
  for (const char* solver : {"tsqr", "scalapack", "svd", "cholqr2"}) {
    const auto got = run_program(
        folder, {BERTH_TRAIN, "linear", "d.h5", "--json", "--solver", solver, "--threads", "3"}, 2);
    ASSERT_EQ(got.code, 0) << got.err;
    const auto out = json::parse(got.out)["coefficients"];
    for (std::size_t j = 0; j < truth.size(); ++j) {
      EXPECT_DOUBLE_EQ(out[j]["estimate"], truth[j]["estimate"]) << solver;
      const double error = out[j]["std_error"];
      EXPECT_NEAR(error / truth[j]["std_error"].get<double>(), 1, 1e-10) << solver;
    }
  }
}

}  // namespace
}  // namespace berth::apps
