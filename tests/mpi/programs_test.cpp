// The programs end to end: from CSV to predictions, on 1, 2 and 4 ranks.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/hdf5_attributes.hpp"
#include "data/dataset.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Programs : public testing::Test {
 protected:
  void import_california() {
    const auto got =
        run_program(folder, {BERTH_DATASET, "import", BERTH_TEST_DATA "/california-housing.csv.gz",
                             "-o", "c.h5", "--target", "median_house_value", "--missing", "drop"});
    ASSERT_EQ(got.code, 0) << got.err;
    EXPECT_THAT(got.out, HasSubstr("20,433 rows, 12 features"));
    EXPECT_THAT(got.out, HasSubstr("dropped 207 rows"));
  }
  void import_default() {
    const auto got =
        run_program(folder, {BERTH_DATASET, "import", BERTH_TEST_DATA "/default.csv.gz", "-o",
                             "d.h5", "--target", "default", "--exclude", "rownames"});
    ASSERT_EQ(got.code, 0) << got.err;
  }
  json train(const std::string& kind, const std::string& data, int ranks) {
    const auto got = run_program(
        folder, {BERTH_TRAIN, kind, data, "--json", "-o", kind + ".model.h5", "-v"}, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_THAT(got.err, HasSubstr("Estimate"));
    return json::parse(got.out);
  }
  void expect_same_on_all_rank_counts(const std::string& kind, const std::string& data) {
    const auto alone = train(kind, data, 0);
    EXPECT_EQ(alone["ranks"], 1);
    for (const int ranks : {1, 2, 4}) {
      const auto got = train(kind, data, ranks);
      EXPECT_EQ(got["ranks"], ranks);
      EXPECT_EQ(got["placement"].size(), static_cast<std::size_t>(ranks));
      ASSERT_EQ(got["coefficients"].size(), alone["coefficients"].size());
      for (std::size_t j = 0; j < got["coefficients"].size(); ++j) {
        for (const char* key : {"estimate", "std_error"}) {
          const double expected = alone["coefficients"][j][key];
          EXPECT_NEAR(got["coefficients"][j][key], expected, 1e-12 * std::abs(expected))
              << got["coefficients"][j]["name"] << " on " << ranks << " ranks";
        }
      }
    }
  }
  std::vector<double> predictions(const std::string& name, const char* dataset) {
    prepare_hdf5();
    const auto file = open_hdf5(folder.file(name));
    EXPECT_TRUE(file) << file.error().text();
    return read_doubles(file->get(), dataset).value_or(std::vector<double>());
  }

  temporary_folder folder;
};

TEST_F(Programs, LinearModelIsTheSameOnAnyNumberOfRanks) {
  import_california();
  expect_same_on_all_rank_counts("linear", "c.h5");
  EXPECT_EQ(folder.entries(), (std::set<std::string>{"c.h5", "linear.model.h5"}));
}

TEST_F(Programs, LogisticModelIsTheSameOnAnyNumberOfRanks) {
  import_default();
  expect_same_on_all_rank_counts("logistic", "d.h5");
}

TEST_F(Programs, JsonKeepsItsKeys) {
  import_default();
  const auto got = train("logistic", "d.h5", 2);
  for (const char* key :
       {"program", "version", "kind", "data", "target", "rows", "features", "ranks", "coefficients",
        "levels", "log_likelihood", "accuracy", "iterations", "phases", "placement", "model"}) {
    EXPECT_TRUE(got.contains(key)) << key;
  }
  EXPECT_EQ(got["coefficients"][0]["name"], "(intercept)");
  EXPECT_NEAR(got["log_likelihood"], -785.7724, 1e-4);
}

// Eighths are whole in single precision: all files hold the same numbers.
TEST_F(Programs, TypesLayoutsAndTheOrderOfRowsDoNotChangeTheAnswer) {
  folder.write(
      "make.py",
      "import h5py, numpy as np\n"
      "r = np.random.default_rng(3); n = 5000\n"
      "X = np.round(8 * r.normal(size=(n, 6))) / 8; X[:, 3] += 100 + X[:, 2]\n"
      "y = np.round(8 * (X @ [1, -2, 0.5, 3, 0, 0.25] + r.normal(size=n))) / 8\n"
      "def write(name, X=X, y=y, **how):\n"
      "  f = h5py.File(name + '.h5', 'w'); f['y'] = y; f.create_dataset('X', data=X, **how)\n"
      "write('plain'); write('single', X.astype('<f4'), y.astype('<f4'))\n"
      "write('big_endian', X.astype('>f8')); write('eighths', X, chunks=(64, 6))\n"
      "write('narrow', chunks=(500, 2))\n"
      "write('gzip', chunks=(250, 6), compression='gzip', shuffle=True)\n"
      "order = r.permutation(n); write('shuffled', X[order], y[order])\n");
  ASSERT_EQ(run_program(folder, {"/usr/bin/python3", "make.py"}).code, 0);
  const auto plain = train("linear", "plain.h5", 0);
  for (const char* name : {"single", "big_endian", "eighths", "narrow"}) {
    const auto got = train("linear", fmt::format("{}.h5", name), 3);
    EXPECT_EQ(got["coefficients"], plain["coefficients"]) << name;
    EXPECT_EQ(got["r2"], plain["r2"]) << name;
  }
  // Here blocks of rows, which are added up one after the other, have other rows.
  for (const char* name : {"gzip", "shuffled"}) {
    const auto got = train("linear", fmt::format("{}.h5", name), 2);
    for (std::size_t j = 0; j < 7; ++j) {
      for (const char* key : {"estimate", "std_error"}) {
        const double expected = plain["coefficients"][j][key];
        EXPECT_NEAR(got["coefficients"][j][key], expected, 0x1p-52 * std::abs(expected)) << name;
      }
    }
  }
}

TEST_F(Programs, ReportIsOnStdoutWithPhasesAndPlacement) {
  import_california();
  const auto got = run_program(folder, {BERTH_TRAIN, "linear", "c.h5", "--verbose"}, 2);
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.err, "");
  EXPECT_TRUE(got.out.starts_with("rank 0 on ")) << got.out;
  EXPECT_EQ(lines_with(got.out, "rank ").size(), 2U);
  EXPECT_THAT(got.out, HasSubstr("20,433 rows, 12 features, 2 ranks"));
  EXPECT_THAT(got.out, HasSubstr("R-squared: 0.646464"));
  EXPECT_THAT(lines_with(got.out, "Time: ").at(0), HasSubstr("read"));
}

TEST_F(Programs, PredictionsScoreAsTheModelDid) {
  import_california();
  const auto fitted = train("linear", "c.h5", 2);
  const auto got =
      run_program(folder, {BERTH_PREDICT, "linear.model.h5", "c.h5", "--score", "--json"}, 4);
  ASSERT_EQ(got.code, 0) << got.err;
  const auto scores = json::parse(got.out);
  EXPECT_NEAR(scores["r2"], fitted["r2"], 1e-12);
  EXPECT_NEAR(scores["rmse"], fitted["rmse"], 1e-7);
}

TEST_F(Programs, PredictionsAreInRowOrderInEveryFormat) {
  import_default();
  train("logistic", "d.h5", 2);
  const auto csv = run_program(folder, {BERTH_PREDICT, "logistic.model.h5", "d.h5"}, 3);
  ASSERT_EQ(csv.code, 0) << csv.err;
  ASSERT_EQ(run_program(folder, {BERTH_PREDICT, "logistic.model.h5", "d.h5", "-o", "p.csv"}).code,
            0);
  std::ostringstream written;
  written << std::ifstream(folder.file("p.csv")).rdbuf();
  EXPECT_EQ(written.str(), csv.out);
  ASSERT_EQ(run_program(folder, {BERTH_PREDICT, "logistic.model.h5", "d.h5", "-o", "p.h5"}, 4).code,
            0);
  const auto probability = predictions("p.h5", "/probability");
  ASSERT_EQ(probability.size(), 10'000U);
  std::istringstream lines(csv.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "probability,class");
  for (const double expected : probability) {
    std::getline(lines, line);
    ASSERT_EQ(std::stod(line), expected);
    ASSERT_EQ(line.substr(line.find(',') + 1), expected >= 0.5 ? "Yes" : "No");
  }
}

TEST_F(Programs, DatasetRunsUnderMpirunOnAnyNumberOfRanks) {
  folder.write("t.csv", "y,a\n1,2\n3,4\n5,7\n");
  for (const int ranks : {1, 2}) {
    const auto got = run_program(
        folder, {BERTH_DATASET, "import", "t.csv", "-o", "t.h5", "--target", "y"}, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_EQ(lines_with(got.out, "t.h5: 3 rows").size(), 1U) << got.out;
    const auto described =
        run_program(folder, {BERTH_DATASET, "describe", "t.h5", "--json"}, ranks);
    ASSERT_EQ(described.code, 0) << described.err;
    EXPECT_EQ(json::parse(described.out)["rows"], 3);
  }
}

TEST_F(Programs, HelpHasExamplesAndVersionsAgree) {
  for (const char* program : {BERTH_TRAIN, BERTH_PREDICT, BERTH_DATASET}) {
    const auto help = run_program(folder, {program, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr("Examples:"));
    const auto version = run_program(folder, {program, "--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, HasSubstr("(berth) 0."));
    const auto wrong = run_program(folder, {program, "--no-such-option"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_EQ(std::ranges::count(wrong.err, '\n'), 1) << wrong.err;
    EXPECT_THAT(wrong.err, HasSubstr(": error: "));
  }
}

}  // namespace
}  // namespace berth::apps
