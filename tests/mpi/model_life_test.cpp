// Models that live on without their rows: update, removal, merging, and who else reads the file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "life_rows.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class ModelLife : public testing::Test {
 protected:
  // Imports rows [first, end) of `rows` with the header `names`; the target is y.
  void make_dataset(const std::string& name, const std::string& names,
                    const std::vector<std::string>& rows, std::size_t first, std::size_t end,
                    const std::vector<std::string>& more = {}) {
    std::string text = names + "\n";
    for (std::size_t i = first; i < end; ++i) text += rows[i] + "\n";
    folder.write(name + ".csv", text);
    std::vector<std::string> command{BERTH_DATASET, "import", name + ".csv", "-o", name + ".h5",
                                     "--target",    "y"};
    command.insert(command.end(), more.begin(), more.end());
    const auto got = run_program(folder, command);
    ASSERT_EQ(got.code, 0) << got.err;
  }
  json run(std::vector<std::string> words, int ranks = 0) {
    words.insert(words.begin(), BERTH_TRAIN);
    words.emplace_back("--json");
    const auto got = run_program(folder, words, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    told = got.err;
    return got.code == 0 ? json::parse(got.out) : json();
  }
  json fit(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"linear", name + ".h5", "-o", name + ".model.h5"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  outcome refuse(std::vector<std::string> words) {
    words.insert(words.begin(), BERTH_TRAIN);
    const auto got = run_program(folder, words, 2);
    EXPECT_EQ(got.code, 2) << got.err;
    EXPECT_EQ(lines_with(got.err, "train: error: ").size(), 1U) << got.err;
    return got;
  }

  temporary_folder folder;
  std::string told;  // by the last run, on standard error
};

void expect_same_fit(const json& got, const json& expected, double ulps) {
  const double tolerance = ulps * 0x1p-52;
  ASSERT_EQ(got["coefficients"].size(), expected["coefficients"].size());
  for (std::size_t j = 0; j < expected["coefficients"].size(); ++j) {
    for (const char* key : {"estimate", "std_error"}) {
      const double value = expected["coefficients"][j][key];
      EXPECT_NEAR(got["coefficients"][j][key], value, tolerance * std::abs(value))
          << expected["coefficients"][j]["name"] << " " << key;
    }
    EXPECT_EQ(got["coefficients"][j]["name"], expected["coefficients"][j]["name"]);
  }
  EXPECT_EQ(got["rows"], expected["rows"]);
}

TEST_F(ModelLife, UpdateEqualsTheFitOfAllRows) {
  const auto rows = longley();
  ASSERT_EQ(rows.size(), 16U);
  make_dataset("all", longley_names, rows, 0, 16);
  make_dataset("old", longley_names, rows, 0, 9);
  make_dataset("new", longley_names, rows, 9, 16);
  const auto all = fit("all");
  fit("old");
  const auto got = run({"--update", "old.model.h5", "new.h5", "-o", "both.h5"}, 2);
  expect_same_fit(got, all, 1);
  EXPECT_NEAR(got["r2"], all["r2"], 1e-15);
}

TEST_F(ModelLife, UpdateOfIllConditionedRowsEqualsTheFitOfAll) {
  const auto rows = ill_conditioned(3000);
  make_dataset("all", "y,a,b,c", rows, 0, 3000);
  make_dataset("old", "y,a,b,c", rows, 0, 500);
  make_dataset("new", "y,a,b,c", rows, 500, 3000);
  const auto all = fit("all");
  EXPECT_GT(all["solver"]["condition_number"], 1e6);
  fit("old");
  // Both are as far from the truth as the fit says of itself.
  const double digits = all["solver"]["digits"];
  EXPECT_GT(digits, 11);
  const double ulps = 2 * std::pow(10, -digits) / 0x1p-52;
  expect_same_fit(run({"--update", "old.model.h5", "new.h5"}), all, ulps);
  expect_same_fit(run({"linear", "all.h5"}), all, 0);
}

TEST_F(ModelLife, RemovalEqualsTheFitOfTheRest) {
  const auto rows = ill_conditioned(3000);
  make_dataset("all", "y,a,b,c", rows, 0, 3000);
  make_dataset("rest", "y,a,b,c", rows, 0, 500);
  make_dataset("gone", "y,a,b,c", rows, 500, 3000);
  fit("all");
  const auto rest = fit("rest");
  const auto got = run({"--update", "all.model.h5", "gone.h5", "--remove", "-o", "less.h5"});
  // Six times the rows went through the sums.
  expect_same_fit(got, rest, 8);
  const auto refused = refuse({"--update", "less.h5", "gone.h5", "--remove"});
  EXPECT_THAT(refused.err, HasSubstr("has not the 2,500 rows of \"gone.h5\""));
  // As many rows as there are, but others.
  make_dataset("other", "y,a,b,c", rows, 600, 1100);
  const auto others = refuse({"--update", "less.h5", "other.h5", "--remove"});
  EXPECT_THAT(others.err, testing::AnyOf(HasSubstr("has not the 500 rows"),
                                         HasSubstr("the sums are not those of any rows")));
}

TEST_F(ModelLife, ADroppedColumnIsZeroAgainAfterRemoval) {
  // b is a constant but for the rows that go.
  std::vector<std::string> rows;
  for (int i = 0; i < 40; ++i) {
    rows.push_back(std::to_string(i * i % 7) + ".25," + std::to_string(i) + ".1," +
                   (i < 30 ? "0.1" : std::to_string(i) + ".7"));
  }
  make_dataset("all", "y,a,b", rows, 0, 40);
  make_dataset("gone", "y,a,b", rows, 30, 40);
  fit("all");
  const auto got = refuse({"--update", "all.model.h5", "gone.h5", "--remove"});
  EXPECT_THAT(got.err, HasSubstr("\"b\" has the same value in every row")) << got.err;
}

TEST_F(ModelLife, DifferencesAreListedAndNothingIsWritten) {
  const auto rows = longley();
  make_dataset("old", longley_names, rows, 0, 16);
  fit("old");
  const auto before = content(folder.file("old.model.h5"));
  make_dataset("other", "y,x1,x2,x3,x4,x5,income", rows, 0, 16);
  const auto got = refuse({"--update", "old.model.h5", "other.h5"});
  EXPECT_THAT(got.err, HasSubstr("\"income\" not in the model"));
  make_dataset("less", longley_names, rows, 0, 16, {"--exclude", "x3"});
  EXPECT_THAT(refuse({"--update", "old.model.h5", "less.h5"}).err, HasSubstr("lacks \"x3\""));
  make_dataset("weighted", "y,x1,x2,x3,x4,x5,x6", rows, 0, 16, {"--weights", "x6"});
  EXPECT_THAT(refuse({"--update", "old.model.h5", "weighted.h5"}).err,
              HasSubstr("weights, which the model's rows have not"));
  fit("other");
  const auto merge = refuse({"merge", "old.model.h5", "other.model.h5", "-o", "m.h5"});
  EXPECT_THAT(merge.err, HasSubstr("feature \"x6\" only in the first"));
  EXPECT_THAT(merge.err, HasSubstr("feature \"income\" only in the second"));
  EXPECT_EQ(content(folder.file("old.model.h5")), before);
  EXPECT_FALSE(folder.entries().contains("m.h5"));
}

TEST_F(ModelLife, ModelsWithoutSumsAreRefused) {
  const auto rows = longley();
  make_dataset("old", longley_names, rows, 0, 16);
  fit("old");
  folder.write("cut.py", "import h5py; del h5py.File('old.model.h5', 'a')['gram']");
  const auto cut = run_program(folder, {"/usr/bin/python3", "cut.py"});
  ASSERT_EQ(cut.code, 0) << cut.err;
  EXPECT_THAT(refuse({"--update", "old.model.h5", "old.h5"}).err,
              HasSubstr("does not hold its sums; train linear keeps them up to 4,000 features"));
}

TEST_F(ModelLife, ModelsOfEverySolverGoOn) {
  const auto rows = well_conditioned(900);
  make_dataset("all", "y,a,b,c,w", rows, 0, 900);
  make_dataset("old", "y,a,b,c,w", rows, 0, 600);
  make_dataset("new", "y,a,b,c,w", rows, 600, 900);
  const auto all = fit("all");
  for (const char* solver : {"normal", "cholqr2", "tsqr", "scalapack", "svd"}) {
    fit("old", {"--solver", solver});
    const auto got = run({"--update", "old.model.h5", "new.h5"}, 2);
    EXPECT_EQ(got["solver"]["path"], solver == std::string("normal") ? "normal" : "factor");
    expect_same_fit(got, all, 200);
    EXPECT_GT(got["solver"]["digits"], 9) << solver;
    EXPECT_TRUE(got["durbin_watson"].is_null());
    EXPECT_TRUE(got["residuals"].is_null());
    EXPECT_THAT(told, HasSubstr("Residuals and Durbin-Watson: not known without the rows\n"));
    // Less precise sums make those of the merged model so.
    fit("new");
    const auto merged = run({"merge", "new.model.h5", "old.model.h5", "-o", "m.h5"});
    EXPECT_EQ(merged["rows"], 1200);
    EXPECT_EQ(merged["solver"]["path"], got["solver"]["path"]);
  }
}

TEST_F(ModelLife, PenalisedModelsGoOnWithTheirPenalty) {
  const auto rows = well_conditioned(900);
  make_dataset("all", "y,a,b,c,w", rows, 0, 900);
  make_dataset("old", "y,a,b,c,w", rows, 0, 600);
  make_dataset("new", "y,a,b,c,w", rows, 600, 900);
  const std::vector<std::vector<std::string>> penalties{
      {"--l1", "60"},
      {"--l2", "25"},
      {"--l1", "40", "--l2", "8", "--no-intercept"},
      {"--l1", "40", "--l2", "8", "--standardize"},
      {"--l2", "25", "--standardize"}};
  for (const auto& penalty : penalties) {
    const auto all = fit("all", penalty);
    fit("old", penalty);
    const auto got = run({"--update", "old.model.h5", "new.h5"});
    ASSERT_EQ(got["coefficients"].size(), all["coefficients"].size());
    for (std::size_t j = 0; j < all["coefficients"].size(); ++j) {
      const double expected = all["coefficients"][j]["estimate"];
      EXPECT_NEAR(got["coefficients"][j]["estimate"], expected, 1e-13 * std::abs(expected))
          << penalty.front() << " " << all["coefficients"][j]["name"];
    }
    EXPECT_NEAR(got["r2"], all["r2"], 1e-14);
  }
  fit("new");
  EXPECT_THAT(refuse({"merge", "old.model.h5", "new.model.h5", "-o", "m.h5"}).err,
              HasSubstr("does not go with the first: --l2 25 and 0; --standardize"));
  // What folds chose stays the penalty.
  const auto chosen = fit("old", {"--path=20", "--folds", "5"});
  const auto got = run({"--update", "old.model.h5", "new.h5"});
  const double l1 = chosen["selection"]["l1"];
  EXPECT_GT(l1, 0);
  EXPECT_EQ(got["selection"]["l1"], l1);
}

TEST_F(ModelLife, WeightedModelsKeepTheirLikelihood) {
  const auto rows = well_conditioned(900);
  const std::vector<std::string> weights{"--weights", "w"};
  make_dataset("all", "y,a,b,c,w", rows, 0, 900, weights);
  make_dataset("old", "y,a,b,c,w", rows, 0, 600, weights);
  make_dataset("new", "y,a,b,c,w", rows, 600, 900, weights);
  const auto all = fit("all");
  fit("old");
  fit("new");
  const auto expect_likelihood = [&](const json& got) {
    expect_same_fit(got, all, 2);
    for (const char* key : {"log_likelihood", "aic", "bic"}) {
      EXPECT_NEAR(got[key], all[key], 1e-12 * std::abs(all[key].get<double>())) << key;
    }
  };
  expect_likelihood(run({"merge", "old.model.h5", "new.model.h5", "-o", "m.h5"}));
  expect_likelihood(run({"--update", "old.model.h5", "new.h5"}));
  run({"--update", "old.model.h5", "new.h5", "--remove"});
  expect_likelihood(run({"--update", "old.model.h5", "new.h5"}));
  expect_likelihood(run({"linear", "all.h5", "--checkpoint", "c.ckpt"}));
}

TEST_F(ModelLife, KeepTheirLevelAndSayWhichErrorsWentWithTheRows) {
  const auto rows = well_conditioned(300);
  make_dataset("old", "y,a,b,c,w", rows, 0, 200);
  make_dataset("new", "y,a,b,c,w", rows, 200, 300);
  fit("old", {"--errors", "hc3", "--level", "0.9"});
  const auto got = run({"--update", "old.model.h5", "new.h5"}, 2);
  EXPECT_EQ(got["level"], 0.9);
  EXPECT_EQ(got["errors"], "classic");
  const std::string warning = "its standard errors were hc3, which need all rows";
  EXPECT_THAT(told, HasSubstr(warning));
  const auto& one = got["coefficients"][1];
  // qt(0.95, 295)
  EXPECT_NEAR(one["ci_high"].get<double>() - one["estimate"].get<double>(),
              1.650035 * one["std_error"].get<double>(), 1e-6);
  run({"--update", "old.model.h5", "new.h5", "--remove"});
  EXPECT_THAT(told, testing::Not(HasSubstr(warning)));
}

TEST_F(ModelLife, SeveralTargetsGoOn) {
  folder.write(
      "make.py",
      "import h5py, numpy as np\n"
      "r = np.random.default_rng(5)\n"
      "X = r.normal(size=(300, 4)); Y = X @ r.normal(size=(4, 2)) + r.normal(size=(300, 2))\n"
      "for name, part in ('all', slice(0, 300)), ('old', slice(0, 200)), "
      "('new', slice(200, 300)):\n"
      "  f = h5py.File(name + '.h5', 'w'); f['X'] = X[part]; f['y'] = Y[part]\n");
  ASSERT_EQ(run_program(folder, {"/usr/bin/python3", "make.py"}).code, 0);
  const auto all = fit("all");
  for (const char* solver : {"exact", "normal", "tsqr"}) {
    fit("old", {"--solver", solver});
    const auto got = run({"--update", "old.model.h5", "new.h5"}, 2);
    ASSERT_EQ(got["targets"].size(), 2U);
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t j = 0; j < 5; ++j) {
        const double expected = all["targets"][t]["coefficients"][j]["estimate"];
        EXPECT_NEAR(got["targets"][t]["coefficients"][j]["estimate"], expected, 1e-13) << solver;
      }
      EXPECT_NEAR(got["targets"][t]["r2"], all["targets"][t]["r2"], 1e-14) << solver;
    }
  }
}

TEST_F(ModelLife, MergeEqualsTheFitOfAllRowsInAnyOrderOfFeatures) {
  const auto rows = longley();
  make_dataset("all", longley_names, rows, 0, 16);
  make_dataset("a", longley_names, rows, 0, 8);
  make_dataset("b", longley_names, rows, 8, 16);
  const auto all = fit("all");
  fit("a");
  fit("b", {"--columns", "x6,x5,x4,x3,x2,x1"});
  expect_same_fit(run({"merge", "a.model.h5", "b.model.h5", "-o", "m.h5"}), all, 1);
  // Merged models go on.
  expect_same_fit(run({"--update", "m.h5", "b.h5", "--remove"}), fit("a"), 64);
}

TEST_F(ModelLife, AnotherReferenceLevelIsTheSameColumn) {
  std::vector<std::string> rows;
  for (int i = 0; i < 60; ++i) {
    rows.push_back(std::to_string(i * i % 11) + "," + std::string(1, "abc"[i * i % 3 + i % 2]) +
                   "," + std::to_string(i % 13));
  }
  make_dataset("all", "y,kind,x", rows, 0, 60, {"--reference", "kind=a"});
  make_dataset("old", "y,kind,x", rows, 0, 30, {"--reference", "kind=a"});
  make_dataset("new", "y,kind,x", rows, 30, 60, {"--reference", "kind=c"});
  const auto all = fit("all");
  fit("old");
  expect_same_fit(run({"--update", "old.model.h5", "new.h5"}), all, 1);
}

TEST_F(ModelLife, ADiskThatIsFullKeepsTheOldModel) {
  const auto rows = longley();
  make_dataset("all", longley_names, rows, 0, 16);
  fit("all");
  const auto small = folder.file("small");
  std::filesystem::create_directory(small);
  folder.write("try.sh",
               "mount -t tmpfs -o size=64k none small && cp all.model.h5 small/m.h5 && "
               "head -c 60000 /dev/zero > small/fill; " BERTH_TRAIN
               " --update small/m.h5 all.h5 >/dev/null; code=$?; rm -f small/fill; "
               "cmp small/m.h5 all.model.h5 && ls -A small && exit $code\n");
  const auto got = run_program(folder, {"unshare", "-rm", "sh", "try.sh"});
  EXPECT_EQ(got.code, 1) << got.out << got.err;
  EXPECT_THAT(got.err, HasSubstr("output \"small/m.h5\": No space left on device"));
  EXPECT_EQ(got.out, "m.h5\n");
}

TEST_F(ModelLife, PythonReadsTheFileInTwoLines) {
  const auto rows = longley();
  make_dataset("all", longley_names, rows, 0, 16);
  const auto all = fit("all");
  // The lines of the README, and what they must give.
  folder.write("read.py",
               "import h5py; f = h5py.File('all.model.h5')\n"
               "print(dict(zip(f['names'].asstr(), f['coefficients'])))\n"
               "import numpy as np\n"
               "A = f['covariance_root'][:]; s = f['statistics'].attrs['residual_std_error']\n"
               "assert np.allclose(np.sqrt(np.diag(s * s * A @ A.T)), f['std_errors'][:],"
               " rtol=1e-12)\n"
               "n = len(f['gram/scale']); G = np.zeros((n, n))\n"
               "G[np.triu_indices(n)] = f['gram/hi'][:]\n"
               "X = h5py.File('all.h5')['X'][:]\n"
               "assert np.allclose(np.triu(X.T @ X), G[:6, :6], rtol=1e-14)\n"
               "size = str(__import__('os').path.getsize('all.h5')).encode()\n"
               "assert f.attrs['digests'][0].startswith(size)\n"
               "assert f.attrs['command'].split()[1:3] == [b'linear', b'all.h5']\n"
               "assert any(v.startswith(b'HDF5 ') for v in f.attrs['versions'])\n");
  const auto got = run_program(folder, {"/usr/bin/python3", "read.py"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("'(intercept)': -3482258.6"));
}

TEST_F(ModelLife, RReadsTheFileInTwoLines) {
  const auto rows = longley();
  make_dataset("all", longley_names, rows, 0, 16);
  const auto all = fit("all");
  // The lines of the README, and what they must give.
  folder.write("read.R",
               "library(rhdf5); read <- function(name) h5read('all.model.h5', name)\n"
               "print(setNames(read('coefficients'), read('names')), digits = 10)\n"
               "A <- t(read('covariance_root'))  # HDF5's rows are R's columns\n"
               "s <- h5readAttributes('all.model.h5', 'statistics')$residual_std_error\n"
               "V <- s^2 * A %*% t(A)\n"
               "stopifnot(all.equal(sqrt(diag(V)), as.vector(read('std_errors')), "
               "tolerance = 1e-12))\n"
               "stopifnot(h5readAttributes('all.model.h5', '/')$kind == 'linear')\n");
  const auto got = run_program(folder, {"Rscript", "read.R"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, testing::AllOf(HasSubstr("(intercept)"), HasSubstr("-3.482258635e+06")));
}

}  // namespace
}  // namespace berth::apps
