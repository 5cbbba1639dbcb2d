// train linear against R: tests/data/r-reference.json was made by r-reference.R beside it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common/hdf5_attributes.hpp"
#include "data/dataset.hpp"
#include "dataset/head.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using words = std::vector<std::string>;

// Digits of R's numbers, which come from a QR factor in doubles. Longley's columns are the worst:
// R keeps 12 or 13 digits of its coefficients.
constexpr double ten_digits = 1e-10;

json load_reference() {
  std::ifstream file(BERTH_TEST_DATA "/r-reference.json");
  return json::parse(file);
}

void expect_close(const json& got, const json& expected, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(got.is_null(), expected.is_null()) << what;
  if (got.is_null()) return;
  const double value = expected;
  EXPECT_NEAR(got.get<double>(), value, tolerance * std::abs(value)) << what;
}

json column(const json& fitted, const char* key) {
  json values = json::array();
  for (const auto& each : fitted["coefficients"]) values.push_back(each[key]);
  return values;
}

void expect_all_close(const json& got, const json& expected, double tolerance,
                      const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    expect_close(got[i], expected[i], tolerance, fmt::format("{} {}", what, i));
  }
}

class Inference : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  void write_longley() {
    std::ifstream file(BERTH_TEST_DATA "/nist/Longley.dat");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      if (line.find_first_not_of(" \r") != std::string::npos) lines.push_back(line);
    }
    std::vector<double> x;
    std::vector<double> y;
    for (auto line = lines.end() - 16; line != lines.end(); ++line) {
      std::istringstream numbers(*line);
      double value = 0;
      for (int k = 0; numbers >> value; ++k) (k == 0 ? y : x).push_back(value);
    }
    auto out = create_hdf5(folder.file("longley.h5"));
    ASSERT_TRUE(write_doubles(out->get(), "X", {16, 6}, x));
    ASSERT_TRUE(write_doubles(out->get(), "y", {16}, y));
    ASSERT_TRUE(write_doubles(
        out->get(), "w", {16},
        std::vector<double>{1, 2, 0.5, 3, 1, 0, 1.25, 1, 2, 0.75, 1, 4, 1, 0, 1.5, 1}));
    write_groups(*out);
  }
  void write_groups(const hdf5_file& file) {
    const hsize_t rows = 16;
    const hdf5_space space(H5Screate_simple(1, &rows, nullptr));
    const hdf5_type text(H5Tcopy(H5T_C_S1));
    H5Tset_size(text.get(), H5T_VARIABLE);
    std::vector<const char*> groups;
    for (int i = 0; i < 4; ++i) groups.insert(groups.end(), {"north", "east", "south", "west"});
    const hdf5_dataset made(H5Dcreate2(file.get(), "groups", text.get(), space.get(), H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_GE(H5Dwrite(made.get(), text.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, groups.data()), 0);
  }
  void import_housing() {
    const auto got = run_program(
        folder, {BERTH_DATASET, "import", BERTH_TEST_DATA "/california-housing.csv.gz", "-o",
                 "housing.h5", "--target", "median_house_value", "--missing", "drop"});
    ASSERT_EQ(got.code, 0) << got.err;
  }
  // The column as a dataset of integers beside X.
  void copy_ages() {
    const auto data = open_dataset(folder.file("housing.h5"));
    ASSERT_TRUE(data);
    const auto rows = read_head(*data, data->info.rows);
    ASSERT_TRUE(rows);
    std::vector<int> ages;
    for (std::size_t i = 2; i < rows->x.size(); i += 12) {
      ages.push_back(static_cast<int>(rows->x[i]));
    }
    const hdf5_file file(H5Fopen(folder.file("housing.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const auto count = static_cast<hsize_t>(ages.size());
    const hdf5_space space(H5Screate_simple(1, &count, nullptr));
    const hdf5_dataset made(H5Dcreate2(file.get(), "age", H5T_STD_I16BE, space.get(), H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_GE(H5Dwrite(made.get(), H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, ages.data()), 0);
  }
  outcome run(const words& options, int ranks = 0) {
    words all{BERTH_TRAIN, "linear", "--json"};
    all.insert(all.end(), options.begin(), options.end());
    return run_program(folder, all, ranks);
  }
  json train(const words& options, int ranks = 0) {
    const auto got = run(options, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    return got.code == 0 ? json::parse(got.out) : json();
  }
  void expect_summary(const json& got, const json& expected, double tolerance) {
    for (const char* key : {"estimate", "std_error", "t", "ci_low", "ci_high"}) {
      expect_all_close(column(got, key), expected[key], tolerance, key);
    }
    // p of a t beyond 100 has two digits less than t; R rounds p-values below 1e-300 to zero.
    expect_all_close(column(got, "p"), expected["p"], 1e4 * tolerance, "p");
    for (const char* key : {"residual_std_error", "df", "r2", "adjusted_r2", "f_statistic",
                            "log_likelihood", "aic", "bic"}) {
      expect_close(got[key], expected[key], tolerance, key);
    }
    const auto& residuals = got["residuals"];
    expect_all_close(
        {residuals["min"], residuals["q1"], residuals["median"], residuals["q3"], residuals["max"]},
        expected["residuals"], 100 * tolerance, "residuals");
  }
  // R leaves out rows of weight zero: `ignored`.
  void expect_rows(const std::string& file, const json& expected, double tolerance,
                   const std::set<std::size_t>& ignored = {}) {
    dataset_request request;
    request.use = target_use::ignored;
    const auto data = open_dataset(folder.file(file), request);
    ASSERT_TRUE(data) << data.error().text();
    EXPECT_EQ(data->info.names, (words{"fitted", "residual", "leverage", "standardised_residual",
                                       "studentised_residual", "cooks_distance"}));
    const auto rows = read_head(*data, data->info.rows);
    ASSERT_TRUE(rows);
    const std::pair<const char*, std::size_t> columns[] = {
        {"leverage", 2}, {"standardised", 3}, {"studentised", 4}, {"cooks_distance", 5}};
    for (const auto& [name, at] : columns) {
      json got = json::array();
      for (std::size_t i = 0; i < rows->x.size() / 6; ++i) {
        if (!ignored.contains(i)) got.push_back(rows->x[i * 6 + at]);
      }
      expect_all_close(got, expected[name], tolerance, name);
    }
  }

  temporary_folder folder;
  json reference = load_reference();
};

TEST_F(Inference, CaliforniaHousingIsRsToTenDigits) {
  import_housing();
  const auto got = train({"housing.h5", "--level", "0.99"});
  expect_summary(got, reference["housing"], ten_digits);
  auto vif = column(got, "vif");
  vif.erase(0);
  expect_all_close(vif, reference["housing_vif"], ten_digits, "vif");
  expect_close(got["durbin_watson"], reference["housing_dw"], ten_digits, "durbin_watson");
}

TEST_F(Inference, RobustErrorsOfCaliforniaHousingAreThoseOfSandwich) {
  import_housing();
  copy_ages();
  const auto& expected = reference["housing_robust"];
  for (const char* kind : {"hc0", "hc1", "hc2", "hc3"}) {
    const auto got = train({"housing.h5", "--errors", kind}, 2);
    expect_all_close(column(got, "std_error"), expected[kind], ten_digits, kind);
    EXPECT_EQ(got["errors"], kind);
    if (std::string(kind) == "hc1") {
      expect_close(got["f_statistic"], expected["hc1_f"], ten_digits, "F");
    }
  }
  const auto got = train({"housing.h5", "--cluster", "age"}, 2);
  expect_all_close(column(got, "std_error"), expected["clustered"], ten_digits, "clustered");
  EXPECT_EQ(got["clusters"], 52);
  EXPECT_EQ(got["df_errors"], 51);
}

TEST_F(Inference, LongleyAndItsRowsAreThoseOfR) {
  write_longley();
  const auto got = train({"longley.h5", "--level", "0.99", "--diagnostics", "rows.h5"});
  EXPECT_THAT(run_program(folder, {"h5dump", "-a", "created_by", "rows.h5"}).out,
              HasSubstr("\"berth train "));
  expect_summary(got, reference["longley"], 1e-9);
  expect_rows("rows.h5", reference["longley_influence"], 1e-8);
  auto vif = column(got, "vif");
  vif.erase(0);
  expect_all_close(vif, reference["longley_vif"], 1e-9, "vif");
  expect_close(got["durbin_watson"], reference["longley_dw"], 1e-9, "durbin_watson");
  expect_close(got["press"], reference["longley_press"], 1e-9, "press");
}

// sandwich multiplies matrices whose condition number is the square of that of X: 8 digits remain
// here, as 60-digit arithmetic shows.
TEST_F(Inference, RobustErrorsOfLongleyAreThoseOfSandwich) {
  write_longley();
  constexpr double eight_digits = 5e-8;
  const auto& expected = reference["longley_robust"];
  for (const char* kind : {"hc0", "hc1", "hc2", "hc3"}) {
    const auto got = train({"longley.h5", "--errors", kind});
    expect_all_close(column(got, "std_error"), expected[kind], eight_digits, kind);
  }
  const auto got = train({"longley.h5", "--cluster", "/groups"});
  expect_all_close(column(got, "std_error"), expected["clustered"], eight_digits, "clustered");
  EXPECT_TRUE(got["f_statistic"].is_null()) << "four clusters cannot test six features";
}

TEST_F(Inference, WeightsCountAsInR) {
  write_longley();
  const auto got = train({"longley.h5", "--weights", "w", "--columns", "x1,x2,x3", "--level",
                          "0.99", "--diagnostics", "rows.h5"});
  expect_summary(got, reference["weighted"], ten_digits);
  auto vif = column(got, "vif");
  vif.erase(0);
  expect_all_close(vif, reference["weighted_vif"], ten_digits, "vif");
  expect_rows("rows.h5", reference["weighted_influence"], ten_digits, {5, 13});
}

TEST_F(Inference, WithoutAConstantR2AndFAreAboutZero) {
  write_longley();
  const auto got =
      train({"longley.h5", "--no-intercept", "--columns", "x1,x2,x3", "--level", "0.99"});
  expect_summary(got, reference["through_zero"], ten_digits);
}

TEST_F(Inference, EverythingHasTheSameBitsOnAnyNumberOfRanks) {
  import_housing();
  copy_ages();
  std::vector<json> results;
  std::vector<buffer<double>> files;
  for (const int ranks : {0, 2, 4}) {
    auto got = train({"housing.h5", "--cluster", "age", "--diagnostics", "rows.h5"}, ranks);
    for (const char* key : {"ranks", "phases", "speed"}) got.erase(key);
    results.push_back(std::move(got));
    dataset_request request;
    request.use = target_use::ignored;
    const auto data = open_dataset(folder.file("rows.h5"), request);
    ASSERT_TRUE(data);
    files.push_back(read_head(*data, data->info.rows)->x);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  EXPECT_EQ(files[0].size(), 20433U * 6);
  EXPECT_EQ(files[0], files[1]);
  EXPECT_EQ(files[0], files[2]);
  EXPECT_TRUE(results[0]["press"].is_number());
}

TEST_F(Inference, EachTargetHasATableOfItsOwn) {
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> third;
  for (int i = 0; i < 600; ++i) {
    x.insert(x.end(), {std::sin(i), std::cos(2.5 * i)});
    third.push_back(2 * std::sin(i) + std::cos(17.0 * i));
    y.insert(y.end(), {std::cos(7.0 * i), 3.0 * i, third.back(), 5 - std::sin(i), 1.0 / (i + 1),
                       std::sin(i * i)});
  }
  const words names{"a", "b", "c", "d", "e", "f"};
  {
    auto file = create_hdf5(folder.file("six.h5"));
    ASSERT_TRUE(write_doubles(file->get(), "X", {600, 2}, x));
    auto made = write_doubles(file->get(), "y", {600, 6}, y);
    ASSERT_TRUE(write_attribute(made->get(), "name", std::span(names)));
    ASSERT_TRUE(write_doubles(file->get(), "other", {600, 6}, y));
    ASSERT_TRUE(write_doubles(file->get(), "c", {600}, third));
  }
  const auto alone = train({"six.h5", "--target", "c", "--errors", "hc3", "--loo"});
  for (const char* solver : {"exact", "normal"}) {
    const auto got =
        train({"six.h5", "--solver", solver, "--errors", "hc3", "--loo"}, 2)["targets"];
    ASSERT_EQ(got.size(), 6U);
    for (std::size_t t = 0; t < 6; ++t) EXPECT_EQ(got[t]["target"], names[t]);
    for (const char* key : {"estimate", "std_error", "p"}) {
      expect_all_close(column(got[2], key), column(alone, key), 1e-11, key);
    }
    for (const char* key : {"r2", "f_statistic", "durbin_watson", "press", "log_likelihood"}) {
      expect_close(got[2][key], alone[key], 1e-11, key);
    }
  }
  EXPECT_EQ(train({"six.h5", "--target", "other"})["targets"][5]["target"], "other6");
}

TEST_F(Inference, WhatIsNotDefinedIsSaid) {
  write_longley();
  const std::pair<words, const char*> wrong[] = {
      {{"--errors", "hc4"}, R"("hc4" is none of classic, hc0, hc1, hc2, hc3)"},
      {{"--errors", "hc1", "--l2", "1"}, "there are no standard errors with --l2"},
      {{"--errors", "hc1", "--cluster", "groups"}, "--errors excludes --cluster"},
      {{"--cluster", "nothing"}, "nothing"},
      {{"--cluster", "w"}, "--cluster /w is of type float64; ids are integers or texts"},
      {{"--cluster", "X"},
       "--cluster /X has 16 rows and 6 columns; it takes one id for each of 16"},
      {{"--level", "1"}, "--level"},
      {{"--diagnostics", "longley.h5"}, "longley.h5"},
      {{"--loo", "--solver", "svd", "--rank-deficient", "min-norm", "--columns", "x1,x1"},
       "gives no leverages; use --solver exact"}};
  for (const auto& [options, message] : wrong) {
    words all{"longley.h5"};
    all.insert(all.end(), options.begin(), options.end());
    const auto got = run(all, 2);
    EXPECT_EQ(got.code, 2) << message;
    EXPECT_THAT(got.err, HasSubstr(message));
    EXPECT_EQ(lines_with(got.err, "train: error").size(), 1U) << got.err;
  }
}

}  // namespace
}  // namespace berth::apps
