// synth, check, describe, head and split as a user runs them, alone and on several ranks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "common/hdf5_attributes.hpp"
#include "dataset/head.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using words = std::vector<std::string>;
using values = std::vector<double>;
constexpr double eps = std::numeric_limits<double>::epsilon();

class DatasetVerbs : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  outcome run(words arguments, int ranks = 0, int code = 0) {
    arguments.insert(arguments.begin(), BERTH_DATASET);
    auto got = run_program(folder, arguments, ranks);
    EXPECT_EQ(got.code, code) << got.err;
    return got;
  }
  std::string bytes(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder.file(name), std::ios::binary).rdbuf();
    return text.str();
  }
  // All rows of a dataset.
  row_block rows_of(const std::string& name) {
    dataset_request parts;
    parts.use = target_use::if_present;
    const auto data = open_dataset(folder.file(name), parts);
    EXPECT_TRUE(data) << name;
    auto rows = read_head(*data, std::numeric_limits<std::int64_t>::max());
    EXPECT_TRUE(rows) << name;
    return std::move(*rows);
  }
  values truth(const std::string& name, const char* part) {
    const auto file = open_hdf5(folder.file(name));
    const hdf5_group group(H5Gopen2(file->get(), "truth", H5P_DEFAULT));
    return read_doubles(group.get(), part).value();
  }
  // Rows of [row number, 7, noise, copy of noise], label row % 3 as texts, weights.
  void write_numbered(const std::string& name, std::int64_t rows) {
    auto file = create_hdf5(folder.file(name));
    values x;
    values y;
    values weights;
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto number = static_cast<double>(i);
      x.insert(x.end(), {number, 7, std::sin(number), std::sin(number)});
      y.push_back(static_cast<double>(i % 3));
      weights.push_back(1 + number / 8);
    }
    auto dataset = write_doubles(file->get(), "X", {rows, 4}, x);
    const words names{"row", "seven", "a", "b"};
    ASSERT_TRUE(write_attribute(dataset->get(), "feature_names", std::span(names)));
    const words references{"colour=red"};
    ASSERT_TRUE(write_attribute(dataset->get(), "reference_levels", std::span(references)));
    auto target = write_doubles(file->get(), "y", {rows}, y);
    ASSERT_TRUE(write_attribute(target->get(), "name", std::string("kind")));
    const words levels{"x", "y", "z"};
    ASSERT_TRUE(write_attribute(target->get(), "levels", std::span(levels)));
    ASSERT_TRUE(write_doubles(file->get(), "weights", {rows}, weights));
    ASSERT_TRUE(write_attribute(file->get(), "source", std::string("numbers.csv")));
  }

  temporary_folder folder;
};

TEST_F(DatasetVerbs, SynthMakesTheSameFileOnAnyNumberOfRanks) {
  const std::vector<words> kinds{
      {"--task", "linear", "--condition", "1e6"},
      {"--task", "logistic", "--correlation", "0.9", "--dtype", "f32"},
      {"--task", "multiclass", "--density", "0.05", "--noise", "0.1"},
  };
  for (const auto& kind : kinds) {
    std::string alone;
    for (const int ranks : {0, 3, 4}) {
      words all{"SOURCE_DATE_EPOCH=0", BERTH_DATASET, "synth", "-o", "d.h5"};
      all.insert(all.begin(), "env");
      all.insert(all.end(), {"--rows", "2003", "--features", "31"});
      all.insert(all.end(), kind.begin(), kind.end());
      const auto got = run_program(folder, all, ranks);
      ASSERT_EQ(got.code, 0) << got.err;
      if (ranks == 0) alone = bytes("d.h5");
      EXPECT_TRUE(alone == bytes("d.h5")) << kind[1] << " on " << ranks << " ranks";
    }
  }
}

TEST_F(DatasetVerbs, SynthTellsWhatALeastSquaresFitFinds) {
  run({"synth", "-o", "d.h5", "--rows", "1000", "--features", "8", "--condition", "1000"});
  ASSERT_EQ(run_program(folder, {BERTH_TRAIN, "linear", "d.h5", "-o", "m.h5"}).code, 0);
  const auto model = open_hdf5(folder.file("m.h5"));
  const auto found = read_doubles(model->get(), "coefficients").value();
  const auto errors = read_doubles(model->get(), "std_errors").value();
  const auto b = truth("d.h5", "coefficients");
  const auto se = truth("d.h5", "std_errors");
  // What rounding of the data can move: condition number times epsilon times the norms.
  const double size = std::sqrt(std::inner_product(b.begin(), b.end(), b.begin(), 0.0));
  EXPECT_NEAR(found[0], truth("d.h5", "intercepts")[0], 100 * 1000 * eps * size);
  EXPECT_NEAR(errors[0] / truth("d.h5", "intercept_std_error")[0], 1, 100 * 1000 * eps);
  for (std::size_t j = 0; j < 8; ++j) {
    EXPECT_NEAR(found[j + 1], b[j], 100 * 1000 * eps * size) << j;
    EXPECT_NEAR(errors[j + 1] / se[j], 1, 100 * 1000 * eps) << j;
  }
}

TEST_F(DatasetVerbs, SynthDependsOnItsSeed) {
  run({"synth", "-o", "a.h5", "--rows", "10", "--features", "2"});
  run({"synth", "-o", "b.h5", "--rows", "10", "--features", "2", "--seed", "1"});
  EXPECT_NE(rows_of("a.h5").x, rows_of("b.h5").x);
}

TEST_F(DatasetVerbs, SynthRefusesNonsenseInOneLine) {
  const auto got =
      run({"synth", "-o", "a.h5", "--rows", "10", "--features", "9", "--condition", "10"}, 3, 2);
  EXPECT_EQ(lines_with(got.err, "dataset: error: --condition needs at least 11 rows").size(), 1U);
  EXPECT_EQ(folder.entries().count("a.h5"), 0U);
}

TEST_F(DatasetVerbs, CheckFindsTheSameOnAnyNumberOfRanks) {
  write_numbered("d.h5", 1000);
  {
    const hdf5_file file(H5Fopen(folder.file("d.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const hdf5_dataset x(H5Dopen2(file.get(), "X", H5P_DEFAULT));
    const hdf5_space space(H5Dget_space(x.get()));
    // NaN at rows 334, 335 (the border of ranks 0 and 1 of 3) and 999, column "a".
    const hsize_t at[] = {333, 2, 334, 2, 998, 2};
    H5Sselect_elements(space.get(), H5S_SELECT_SET, 3, at);
    const hsize_t count = 3;
    const hdf5_space memory(H5Screate_simple(1, &count, nullptr));
    const values nans(3, NAN);
    ASSERT_GE(
        H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, nans.data()),
        0);
  }
  std::string alone;
  for (const int ranks : {0, 1, 3, 4}) {
    const auto got = run({"check", "--json", "d.h5"}, ranks, 1);
    auto report = nlohmann::json::parse(got.out);
    report.erase("seconds");
    if (ranks == 0) alone = report.dump();
    EXPECT_EQ(report.dump(), alone) << ranks;
  }
  const auto report = nlohmann::json::parse(alone);
  EXPECT_EQ(report["errors"], 2);
  EXPECT_EQ(report["findings"][0]["id"], "missing-values");
  EXPECT_THAT(report["findings"][0]["rows"], ElementsAre(334, 335, 999));
  EXPECT_EQ(report["findings"][1]["id"], "constant-columns");
  EXPECT_THAT(report["findings"][1]["columns"], ElementsAre("seven"));
}

TEST_F(DatasetVerbs, CheckExitsByWhatItFinds) {
  write_numbered("d.h5", 50);
  const auto found = run({"check", "d.h5"}, 0, 1);
  EXPECT_THAT(found.out, HasSubstr("columns \"a\", \"b\" are equal in every row\n"
                                   "    cure: dataset import d.h5 -o new.h5 --exclude b\n"));
  EXPECT_EQ(found.err, "dataset: error: dataset \"d.h5\": 2 problems found\n");
  run({"synth", "-o", "good.h5", "--rows", "50", "--features", "3"});
  EXPECT_THAT(run({"check", "good.h5"}).out, HasSubstr("0 errors, 0 warnings, 1 note\n"));
  EXPECT_EQ(run({"check", "--strict", "good.h5"}).err, "");
  EXPECT_EQ(run({"check", "none.h5"}, 0, 2).out, "");
}

// Whatever is wrong with the values, doing what check says mends it.
TEST_F(DatasetVerbs, CuresOfCheckCure) {
  write_numbered("d.h5", 50);
  values x;
  for (int i = 0; i < 50; ++i) x.insert(x.end(), {i * 0.5, std::sqrt(i), 7.0});
  x[10] = std::numeric_limits<double>::quiet_NaN();
  x[27] = std::numeric_limits<double>::infinity();
  {
    const auto file = create_hdf5(folder.file("gaps.h5"));
    ASSERT_TRUE(write_doubles(file->get(), "X", {50, 3}, x));
  }
  int cured = 0;
  for (std::string name : {"d.h5", "gaps.h5"}) {
    for (int round = 0; round < 4; ++round) {
      const auto report =
          nlohmann::json::parse(run_program(folder, {BERTH_DATASET, "check", name, "--json"}).out);
      if (report["errors"] == 0) break;
      const auto& bad = report["findings"][0];
      ASSERT_EQ(bad["severity"], "error");
      const auto cure = bad["cure"].get<std::string>();
      ASSERT_TRUE(cure.starts_with("dataset import ")) << cure;
      const auto done = run_program(folder, {"/bin/sh", "-c", BERTH_DATASET + cure.substr(7)});
      ASSERT_EQ(done.code, 0) << cure << '\n' << done.err;
      name = "cured" + std::to_string(++cured) + ".h5";
      std::filesystem::rename(folder.file("new.h5"), folder.file(name));
    }
    run({"check", name}, 0, 0);
  }
  const auto once = open_hdf5(folder.file("cured1.h5"));
  const hdf5_dataset features(H5Dopen2(once->get(), "X", H5P_DEFAULT));
  EXPECT_EQ(read_texts(features.get(), "reference_levels").value_or(words()), words{"colour=red"});
}

TEST_F(DatasetVerbs, CheckCountsWarningsOnlyWhenStrict) {
  {
    auto file = create_hdf5(folder.file("d.h5"));
    ASSERT_TRUE(write_doubles(file->get(), "X", {6, 1}, values{1, 2, 3, 4, 5, 6}));
    ASSERT_TRUE(write_doubles(file->get(), "y", {6}, values{1, 2, 3, 4, 5, 6}));
  }
  EXPECT_THAT(run({"check", "d.h5"}).out, HasSubstr("warning: \"x1\" equals the target \"y\""));
  run({"check", "--strict", "d.h5"}, 0, 1);
  run({"check", "--strict", "d.h5"}, 3, 1);
}

TEST_F(DatasetVerbs, SplitSendsEveryRowToOnePartOnAnyNumberOfRanks) {
  write_numbered("d.h5", 1000);
  std::vector<values> alone;
  for (const int ranks : {0, 3}) {
    const auto got =
        run({"split", "d.h5", "--test", "0.2", "--validation", "0.1", "--stratify"}, ranks);
    EXPECT_EQ(got.out, "d-train.h5: 700 rows\nd-test.h5: 201 rows\nd-validation.h5: 99 rows\n");
    std::vector<values> parts;
    std::vector<int> seen(1000, 0);
    for (const char* part : {"d-train.h5", "d-test.h5", "d-validation.h5"}) {
      const auto rows = rows_of(part);
      std::vector<int> classes(3, 0);
      values numbers;
      for (std::int64_t i = 0; i < rows.range.count; ++i) {
        const double number = rows.row(i)[0];
        const auto at = static_cast<std::size_t>(i);
        numbers.push_back(number);
        ++seen.at(static_cast<std::size_t>(number));
        ++classes.at(static_cast<std::size_t>(rows.y[at]));
        EXPECT_EQ(rows.row(i)[2], std::sin(number));
        EXPECT_EQ(rows.y[at], std::fmod(number, 3));
        EXPECT_EQ(rows.weights[at], 1 + number / 8);
      }
      EXPECT_TRUE(std::ranges::is_sorted(numbers));
      // 1000 rows have 334, 333 and 333 of the classes: a third of each part, but for rounding.
      for (const int count : classes) {
        EXPECT_NEAR(count, static_cast<double>(rows.range.count) / 3, 1);
      }
      parts.push_back(std::move(numbers));
    }
    EXPECT_THAT(seen, testing::Each(1));
    if (ranks == 0) alone = parts;
    EXPECT_EQ(parts, alone);
  }
}

TEST_F(DatasetVerbs, SplitKeepsNamesAndOrigin) {
  write_numbered("d.h5", 30);
  run({"split", "d.h5", "--test", "0.5", "--seed", "4", "-o", "half"});
  const auto test = open_dataset(folder.file("half-test.h5"));
  ASSERT_TRUE(test);
  EXPECT_THAT(test->info.names, ElementsAre("row", "seven", "a", "b"));
  EXPECT_EQ(test->info.target, "kind");
  EXPECT_THAT(test->info.levels, ElementsAre("x", "y", "z"));
  const auto file = open_hdf5(folder.file("half-test.h5"));
  EXPECT_EQ(read_text(file->get(), "source").value(), "numbers.csv");
  EXPECT_EQ(read_text(file->get(), "split").value(), "d.h5 --test 0.5 --seed 4");
  const hdf5_dataset x(H5Dopen2(file->get(), "X", H5P_DEFAULT));
  EXPECT_THAT(read_texts(x.get(), "reference_levels").value(), ElementsAre("colour=red"));
}

TEST_F(DatasetVerbs, SplitMakesFoldsOfSparseRows) {
  run({"synth", "-o", "d.h5", "--rows", "100", "--features", "40", "--density", "0.1", "--task",
       "logistic"});
  const auto whole = rows_of("d.h5");
  for (const int ranks : {0, 4}) {
    run({"split", "d.h5", "--folds", "3"}, ranks);
    std::multiset<values> tested;
    for (const std::string fold : {"1", "2", "3"}) {
      const auto test = rows_of("d-" + fold + "-test.h5");
      const auto train = rows_of("d-" + fold + "-train.h5");
      EXPECT_EQ(test.range.count + train.range.count, 100);
      for (std::int64_t i = 0; i < test.range.count; ++i) {
        const auto row = test.row(i);
        tested.insert(values(row.begin(), row.end()));
      }
    }
    std::multiset<values> all;
    for (std::int64_t i = 0; i < 100; ++i) {
      const auto row = whole.row(i);
      all.insert(values(row.begin(), row.end()));
    }
    EXPECT_EQ(tested, all) << ranks;
  }
}

TEST_F(DatasetVerbs, SplitRefusesClassesThatAreNone) {
  run({"synth", "-o", "d.h5", "--rows", "2000", "--features", "2"});
  const auto got = run({"split", "d.h5", "--test", "0.2", "--stratify"}, 2, 2);
  EXPECT_EQ(lines_with(got.err, "dataset: error: ").size(), 1U) << got.err;
  EXPECT_THAT(got.err, HasSubstr("has more than 1000 values; --stratify is for classes"));
  EXPECT_EQ(folder.entries().count("d-test.h5"), 0U);
}

TEST_F(DatasetVerbs, DescribeSaysTheSameOnAnyNumberOfRanks) {
  write_numbered("d.h5", 100);
  const auto alone = run({"describe", "d.h5"}).out;
  EXPECT_THAT(alone, HasSubstr("d.h5: 100 rows, 4 features\nfeatures /X: float64, contiguous\n"));
  EXPECT_THAT(alone, HasSubstr("target /y: kind, float64, contiguous\n    0 = x\n"));
  EXPECT_THAT(alone, HasSubstr("weights /weights: sum 718.75"));
  EXPECT_THAT(alone, HasSubstr("source: numbers.csv\n"));
  EXPECT_THAT(alone,
              HasSubstr("row               0         49.5           99      29.0115        0"));
  EXPECT_EQ(run({"describe", "d.h5"}, 3).out, alone);
}

TEST_F(DatasetVerbs, HeadPrintsTheFirstRowsInEachForm) {
  write_numbered("d.h5", 30);
  EXPECT_EQ(run({"head", "-n", "2", "d.h5"}).out,
            "kind  weights  row  seven         a         b\n"
            "   x        1    0      7         0         0\n"
            "   y    1.125    1      7  0.841471  0.841471\n");
  EXPECT_EQ(run({"head", "-n", "1", "--csv", "d.h5"}).out,
            "row,seven,a,b,kind,weights\n0,7,0,0,x,1\n");
  const auto table = nlohmann::json::parse(run({"head", "-n", "2", "--json", "d.h5"}).out);
  EXPECT_EQ(table["head"].size(), 2U);
  EXPECT_EQ(table["head"][1]["a"], std::sin(1.0));
  EXPECT_EQ(table["head"][1]["kind"], "y");
  EXPECT_EQ(std::ranges::count(run({"head", "-n", "99", "d.h5"}).out, '\n'), 31);
}

}  // namespace
}  // namespace berth::apps
