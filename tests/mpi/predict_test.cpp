// predict: intervals, encodings, several targets, streams, and models in other programs' formats.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/hdf5_attributes.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Columns of a CSV with a header.
std::vector<std::vector<double>> columns_of(const std::string& csv) {
  std::vector<std::vector<double>> columns;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::size_t k = 0;
    for (std::string field; std::getline(fields, field, ','); ++k) {
      if (columns.size() <= k) columns.emplace_back();
      columns[k].push_back(std::stod(field));
    }
  }
  return columns;
}

class Predict : public testing::Test {
 protected:
  outcome run(const std::vector<std::string>& words, int ranks = 0) {
    auto got = run_program(folder, words, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    return got;
  }
  void import_table(const std::string& name, const std::string& csv,
                    const std::vector<std::string>& more = {"--target", "y"}) {
    folder.write(name + ".csv", csv);
    std::vector<std::string> words{BERTH_DATASET, "import", name + ".csv", "-o", name + ".h5"};
    words.insert(words.end(), more.begin(), more.end());
    run(words);
  }
  void write_matrices(const std::string& name, const std::vector<std::int64_t>& x_shape,
                      const std::vector<double>& x, const std::vector<std::int64_t>& y_shape,
                      const std::vector<double>& y) {
    prepare_hdf5();
    const auto file = create_hdf5(folder.file(name));
    ASSERT_TRUE(write_doubles(file->get(), "X", x_shape, x));
    ASSERT_TRUE(write_doubles(file->get(), "y", y_shape, y));
  }
  std::vector<double> read(const std::string& name, const char* dataset,
                           const std::vector<std::int64_t>& shape) {
    prepare_hdf5();
    const auto file = open_hdf5(folder.file(name));
    auto values = read_doubles(file->get(), dataset, shape);
    EXPECT_TRUE(values) << values.error().text();
    return values.value_or(std::vector<double>());
  }

  temporary_folder folder;
};

// R: x <- c(1,2,3,4,6); y <- c(2.1,3.9,6.2,7.8,12.4)
//    predict(lm(y ~ x), data.frame(x = c(0, 5)), interval = "prediction", level = 0.9)
// by the closed form of simple regression: s^2 (1 + 1/n + (x - mean)^2 / Sxx), t(0.95, 3).
TEST_F(Predict, IntervalsAreThoseOfSimpleRegression) {
  const std::vector<double> x{1, 2, 3, 4, 6};
  const std::vector<double> y{2.1, 3.9, 6.2, 7.8, 12.4};
  import_table("t", "y,x\n2.1,1\n3.9,2\n6.2,3\n7.8,4\n12.4,6\n");
  import_table("new", "x\n0\n5\n", {"--no-target"});
  run({BERTH_TRAIN, "linear", "t.h5", "-o", "m.h5"});
  double sx = 0, sy = 0, sxx = 0, sxy = 0, rss = 0;
  for (std::size_t i = 0; i < 5; ++i) sx += x[i] / 5, sy += y[i] / 5;
  for (std::size_t i = 0; i < 5; ++i) {
    sxx += (x[i] - sx) * (x[i] - sx);
    sxy += (x[i] - sx) * (y[i] - sy);
  }
  const double b = sxy / sxx;
  for (std::size_t i = 0; i < 5; ++i) {
    rss += std::pow(y[i] - sy - b * (x[i] - sx), 2);
  }
  constexpr double t90 = 2.3533634348018264;  // qt(0.95, 3)
  for (const auto& [kind, own] : {std::pair("prediction", 1.0), std::pair("confidence", 0.0)}) {
    const auto got =
        run({BERTH_PREDICT, "m.h5", "new.h5", "--interval", kind, "--level", "0.9"}, 2);
    EXPECT_TRUE(got.out.starts_with("prediction,lower,upper\n")) << got.out;
    const auto columns = columns_of(got.out);
    ASSERT_EQ(columns.size(), 3U);
    for (std::size_t i = 0; i < 2; ++i) {
      const double at = i == 0 ? 0 : 5;
      const double fit = sy + b * (at - sx);
      const double half = t90 * std::sqrt(rss / 3 * (own + 0.2 + (at - sx) * (at - sx) / sxx));
      EXPECT_NEAR(columns[0][i], fit, 1e-13);
      EXPECT_NEAR(columns[1][i], fit - half, 1e-12) << kind;
      EXPECT_NEAR(columns[2][i], fit + half, 1e-12) << kind;
    }
  }
}

// Rows of Longley's table, and others far from it.
TEST_F(Predict, IntervalsAreThoseOfR) {
  folder.write("fit.R",
               "d <- longley; names(d) <- c('x1','x2','x3','x4','x5','x6','y')\n"
               "new <- rbind(d[c(1, 9, 16), 1:6], 1.1 * d[16, 1:6])\n"
               "write.csv(format(d, digits = 15), 't.csv', row.names = FALSE, quote = FALSE)\n"
               "write.csv(format(new, digits = 15), 'new.csv', row.names = FALSE, quote = FALSE)\n"
               "m <- lm(y ~ ., d)\n"
               "for (kind in c('confidence', 'prediction')) {\n"
               "  p <- predict(m, new, interval = kind, level = 0.9)\n"
               "  cat('fit,lwr,upr\\n', file = paste0(kind, '.csv'))\n"
               "  write.table(format(p, digits = 15), paste0(kind, '.csv'), append = TRUE,\n"
               "    sep = ',', row.names = FALSE, col.names = FALSE, quote = FALSE)\n"
               "}\n");
  run({"Rscript", "fit.R"});
  run({BERTH_DATASET, "import", "t.csv", "-o", "t.h5", "--target", "y"});
  run({BERTH_DATASET, "import", "new.csv", "-o", "new.h5", "--no-target"});
  run({BERTH_TRAIN, "linear", "t.h5", "-o", "m.h5"});
  for (const std::string kind : {"confidence", "prediction"}) {
    std::ostringstream text;
    text << std::ifstream(folder.file(kind + ".csv")).rdbuf();
    const auto expected = columns_of(text.str());
    const auto got = columns_of(
        run({BERTH_PREDICT, "m.h5", "new.h5", "--interval", kind, "--level", "0.9"}, 2).out);
    ASSERT_EQ(got.size(), 3U);
    ASSERT_EQ(got[0].size(), 4U);
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t i = 0; i < 4; ++i) {
        // R keeps ten digits of these columns.
        EXPECT_NEAR(got[k][i], expected[k][i], 1e-9 * std::abs(expected[k][i])) << kind;
      }
    }
  }
}

class SeveralTargets : public Predict {
 protected:
  // Two targets together in both.h5, alone in a.h5 and b.h5; weights 1, 2, 3, 1, ...
  void SetUp() override {
    folder.write(
        "make.py",
        "import h5py, numpy as np\n"
        "r = np.random.default_rng(5); n = 300\n"
        "X = r.normal(size=(n, 3)); Y = X @ r.normal(size=(3, 2)) + r.normal(size=(n, 2))\n"
        "for name, y in ('both', Y), ('a', Y[:, 0]), ('b', Y[:, 1]):\n"
        "  f = h5py.File(name + '.h5', 'w'); f['X'] = X; f['y'] = y\n"
        "  f['X'].attrs['feature_names'] = ['x1', 'x2', 'x3']\n"
        "  f['weights'] = 1.0 + np.arange(n) % 3\n");
    run({"/usr/bin/python3", "make.py"});
    for (const std::string name : {"both", "a", "b"}) {
      fitted[name] = json::parse(
          run({BERTH_TRAIN, "linear", name + ".h5", "-o", name + ".m.h5", "--json"}, 2).out);
    }
  }
  std::map<std::string, json> fitted;
};

TEST_F(SeveralTargets, AreEachPredictedAsAlone) {
  for (const std::string kind : {"confidence", "prediction"}) {
    const std::vector<std::string> more{"--interval", kind};
    const auto predict = [&](const std::string& name, int ranks) {
      return run({BERTH_PREDICT, name + ".m.h5", name + ".h5", "--interval", kind}, ranks).out;
    };
    const auto both = predict("both", 0);
    EXPECT_TRUE(both.starts_with("y1,y1_lower,y1_upper,y2,y2_lower,y2_upper\n"))
        << both.substr(0, 60);
    EXPECT_EQ(predict("both", 3), both);
    auto expected = columns_of(predict("a", 0));
    const auto b = columns_of(predict("b", 0));
    expected.insert(expected.end(), b.begin(), b.end());
    const auto got = columns_of(both);
    ASSERT_EQ(got.size(), 6U);
    for (std::size_t k = 0; k < 6; ++k) {
      for (std::size_t i = 0; i < 300; ++i) EXPECT_NEAR(got[k][i], expected[k][i], 1e-13);
    }
  }
  run({BERTH_PREDICT, "both.m.h5", "both.h5", "-o", "p.h5"}, 2);
  const auto csv = columns_of(run({BERTH_PREDICT, "both.m.h5", "both.h5"}).out);
  const auto stored = read("p.h5", "prediction", {300, 2});
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(stored[2 * i], csv[0][i]);
    EXPECT_EQ(stored[2 * i + 1], csv[1][i]);
  }
}

TEST_F(SeveralTargets, AreScoredWithTheirWeights) {
  const auto score = [&](const std::string& name, const std::vector<std::string>& more, int ranks) {
    std::vector<std::string> words{BERTH_PREDICT, name + ".m.h5", name + ".h5", "--score",
                                   "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return json::parse(run(words, ranks).out);
  };
  const auto both = score("both", {}, 3);
  for (std::size_t t = 0; t < 2; ++t) {
    const std::string name(1, static_cast<char>('a' + t));
    const auto alone = score(name, {}, 0);
    EXPECT_NEAR(both["targets"][t]["r2"], fitted[name]["r2"], 1e-13);
    EXPECT_NEAR(alone["r2"], fitted[name]["r2"], 1e-13);
    EXPECT_NEAR(both["targets"][t]["rmse"], alone["rmse"], 1e-14);
    // train divides by the number of rows, here it is their weight: 600 for 300.
    EXPECT_NEAR(alone["rmse"], fitted[name]["rmse"].get<double>() / std::sqrt(2), 1e-13);
    EXPECT_NE(score(name, {"--no-weights"}, 0)["r2"], alone["r2"]);
    EXPECT_EQ(score(name, {"--weights", "/weights"}, 2)["r2"], alone["r2"]);
  }
  const auto wrong = run_program(folder, {BERTH_PREDICT, "both.m.h5", "a.h5", "--score"}, 2);
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("\"a.h5\": /y has shape [300]; the model has 2 targets"));
}

TEST_F(SeveralTargets, InAnotherOrderAreNotScored) {
  folder.write("swap.py",
               "import h5py\n"
               "for name, names in ('t', ['up', 'down']), ('swapped', ['down', 'up']):\n"
               "  f = h5py.File(name + '.h5', 'w'); old = h5py.File('both.h5')\n"
               "  f['X'] = old['X'][:]; f['y'] = old['y'][:]\n"
               "  f['y'].attrs['name'] = names\n");
  run({"/usr/bin/python3", "swap.py"});
  run({BERTH_TRAIN, "linear", "t.h5", "-o", "t.m.h5"});
  run({BERTH_PREDICT, "t.m.h5", "t.h5", "--score"});
  const auto got = run_program(folder, {BERTH_PREDICT, "t.m.h5", "swapped.h5", "--score"}, 2);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("\"swapped.h5\": its targets are \"down\", \"up\", the model's "
                                 "\"up\", \"down\", in another order"));
}

TEST_F(SeveralTargets, AreExportedToOnnx) {
  run({BERTH_TRAIN, "export", "both.m.h5", "m.onnx"});
  const auto expected = columns_of(run({BERTH_PREDICT, "both.m.h5", "both.h5"}).out);
  std::istringstream values(run({"/usr/bin/python3", BERTH_CHECK_ONNX, "m.onnx", "both.h5"}).out);
  std::size_t count = 0;
  for (double value = 0; values >> value; ++count) {
    EXPECT_NEAR(value, expected[count % 2][count / 2], 1e-13);
  }
  EXPECT_EQ(count, 600U);
}

TEST_F(SeveralTargets, AFullDiskKeepsTheOldPredictions) {
  for (const std::string name : {"p.csv", "p.h5"}) {
    folder.write("try.sh",
                 "mkdir -p small && mount -t tmpfs -o size=8k none small && echo old > small/" +
                     name + " && " BERTH_PREDICT " both.m.h5 both.h5 -o small/" + name +
                     "; code=$?; ls -A small; cat small/" + name + "; exit $code\n");
    const auto got = run_program(folder, {"unshare", "-rm", "sh", "try.sh"});
    EXPECT_EQ(got.code, 1) << got.out << got.err;
    const auto lines = lines_with(got.err, "predict: error: output");
    ASSERT_EQ(lines.size(), 1U) << got.err;
    EXPECT_THAT(lines[0], HasSubstr("No space left on device"));
    EXPECT_EQ(got.out, name + "\nold\n");
  }
}

TEST_F(Predict, ModelsWithoutCovarianceRefuseIntervals) {
  import_table("t", "y,x\n2.1,1\n3.9,2\n6.2,3\n7.8,4\n12.4,6\n");
  run({BERTH_TRAIN, "linear", "t.h5", "-o", "m.h5", "--l2", "1"});
  const auto got = run_program(folder, {BERTH_PREDICT, "m.h5", "t.h5", "--interval", "confidence"});
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("holds no covariance"));
  const auto wrong = run_program(
      folder, {BERTH_PREDICT, "m.h5", "t.h5", "--interval", "confidence", "--level", "95"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("95 is not between 0 and 1"));
}

TEST_F(Predict, EveryRankCountAndFormatGivesTheSameNumbers) {
  run({BERTH_DATASET, "import", BERTH_TEST_DATA "/california-housing.csv.gz", "-o", "c.h5",
       "--target", "median_house_value", "--missing", "drop"});
  run({BERTH_TRAIN, "linear", "c.h5", "-o", "m.h5"});
  const std::vector<std::string> base{BERTH_PREDICT, "m.h5", "c.h5", "--interval", "prediction"};
  const auto alone = run(base);
  EXPECT_EQ(run(base, 3).out, alone.out);
  auto to_file = base;
  to_file.insert(to_file.end(), {"-o", "p.h5"});
  run(to_file, 4);
  const auto columns = columns_of(alone.out);
  const std::vector<std::int64_t> shape{20'433};
  EXPECT_EQ(read("p.h5", "prediction", shape), columns[0]);
  EXPECT_EQ(read("p.h5", "lower", shape), columns[1]);
  EXPECT_EQ(read("p.h5", "upper", shape), columns[2]);
  const auto score = json::parse(run({BERTH_PREDICT, "m.h5", "c.h5", "--score", "--json"}).out);
  const auto score4 = json::parse(run({BERTH_PREDICT, "m.h5", "c.h5", "--score", "--json"}, 4).out);
  EXPECT_EQ(score["r2"], score4["r2"]);
  EXPECT_EQ(score["rmse"], score4["rmse"]);
}

TEST_F(Predict, TheModelsEncodingIsAppliedToOtherLevels) {
  import_table("t", "y,kind,x\n1,a,1\n2,b,3\n4,c,2\n3,a,5\n6,b,4\n9,c,7\n5,a,0\n",
               {"--target", "y", "--reference", "kind=a"});
  run({BERTH_TRAIN, "linear", "t.h5", "-o", "m.h5"});
  const auto expected = columns_of(run({BERTH_PREDICT, "m.h5", "t.h5"}).out)[0];
  // The same rows with b left out instead of a, columns in another order, and one more.
  import_table("other", "z,x,kind\n9,1,a\n8,3,b\n7,2,c\n6,5,a\n5,4,b\n4,7,c\n3,0,a\n",
               {"--no-target", "--reference", "kind=b"});
  const auto got = columns_of(run({BERTH_PREDICT, "m.h5", "other.h5"}).out)[0];
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-14);
  // Without any row of c.
  import_table("few", "x,kind\n1,a\n3,b\n", {"--no-target", "--reference", "kind=a"});
  const auto few = columns_of(run({BERTH_PREDICT, "m.h5", "few.h5"}).out)[0];
  EXPECT_EQ(few[0], expected[0]);
  EXPECT_EQ(few[1], expected[1]);
  // A level that the model has not seen would pass for the reference.
  import_table("more", "x,kind\n1,a\n3,d\n", {"--no-target", "--reference", "kind=a"});
  const auto unknown = run_program(folder, {BERTH_PREDICT, "m.h5", "more.h5"}, 2);
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("has \"kind=d\", which the model has not seen"));
}

TEST_F(Predict, MissingValuesAreCountedOverAllRowsAndKeepTheOldFile) {
  import_table("t", "y,x\n2.1,1\n3.9,2\n6.2,3\n7.8,4\n12.4,6\n");
  run({BERTH_TRAIN, "linear", "t.h5", "-o", "m.h5"});
  write_matrices("gaps.h5", {4, 1}, {1, NAN, 3, NAN}, {4}, {1, 2, 3, 4});
  {
    const hdf5_file file(H5Fopen(folder.file("gaps.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const hdf5_dataset x(H5Dopen2(file.get(), "X", H5P_DEFAULT));
    const std::vector<std::string> names{"x"};
    ASSERT_TRUE(write_attribute(x.get(), "feature_names", std::span<const std::string>(names)));
  }
  folder.write("p.csv", "old");
  const auto got = run_program(folder, {BERTH_PREDICT, "m.h5", "gaps.h5", "-o", "p.csv"}, 2);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("2 in \"x\""));
  EXPECT_EQ(std::filesystem::file_size(folder.file("p.csv")), 3U);
}

TEST_F(Predict, OnnxAndJsonGiveTheSamePredictions) {
  run({BERTH_DATASET, "import", BERTH_TEST_DATA "/default.csv.gz", "-o", "d.h5", "--target",
       "default", "--exclude", "rownames"});
  run({BERTH_TRAIN, "logistic", "d.h5", "-o", "m.h5", "--export", "m.onnx"});
  const auto expected = run({BERTH_PREDICT, "m.h5", "d.h5"});
  const auto got = run({"/usr/bin/python3", BERTH_CHECK_ONNX, "m.onnx", "d.h5"});
  std::istringstream lines(expected.out);
  std::istringstream values(got.out);
  std::string line;
  std::getline(lines, line);
  int rows = 0;
  for (double value = 0; values >> value; ++rows) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_NEAR(value, std::stod(line), 1e-13);
  }
  EXPECT_EQ(rows, 10'000);
}

TEST_F(Predict, JsonExportIsReadByR) {
  import_table("t", "y,x\n2.1,1\n3.9,2\n6.2,3\n7.8,4\n12.4,6\n");
  const auto fitted = json::parse(run({BERTH_TRAIN, "linear", "t.h5", "-o", "m.h5", "--json"}).out);
  run({BERTH_TRAIN, "export", "m.h5", "m.json", "m.onnx"}, 2);
  // The lines of the README, and what they must give.
  folder.write("read.R",
               "m <- jsonlite::fromJSON('m.json')\n"
               "b <- setNames(m$coefficients[1, ], m$names)\n"
               "cat(sprintf('%.17g %.17g\\n', b[['(intercept)']], b[['x']]))\n");
  const auto got = run({"Rscript", "read.R"});
  std::istringstream numbers(got.out);
  double constant = 0;
  double slope = 0;
  numbers >> constant >> slope;
  // jsonlite reads the last digit as strtod() of R does.
  EXPECT_NEAR(constant, fitted["coefficients"][0]["estimate"], 1e-15);
  EXPECT_NEAR(slope, fitted["coefficients"][1]["estimate"], 1e-15);
  const auto wrong = run_program(folder, {BERTH_TRAIN, "export", "m.h5", "m.pmml"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("\"m.pmml\": ends in neither .onnx nor .json"));
}

}  // namespace
}  // namespace berth::apps
