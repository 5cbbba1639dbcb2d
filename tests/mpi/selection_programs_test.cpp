// Penalties, folds and held-out rows as a user sees them, beside what the other programs make of
// the same rows.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class SelectionPrograms : public testing::Test {
 protected:
  void SetUp() override {
    const auto got =
        run_program(folder, {BERTH_DATASET, "import", BERTH_TEST_DATA "/california-housing.csv.gz",
                             "-o", "c.h5", "--target", "median_house_value", "--missing", "drop"});
    ASSERT_EQ(got.code, 0) << got.err;
  }
  json run(std::vector<std::string> arguments, int ranks = 0) {
    arguments.emplace_back("--json");
    const auto got = run_program(folder, arguments, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    shown = got.err;
    return got.code == 0 ? json::parse(got.out) : json{};
  }
  void refuses(const std::vector<std::string>& options, const std::string& why) {
    std::vector<std::string> arguments{BERTH_TRAIN, "linear", "c.h5"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto got = run_program(folder, arguments);
    EXPECT_EQ(got.code, 2) << why;
    EXPECT_THAT(got.err, HasSubstr(why));
  }
  temporary_folder folder;
  std::string shown;
};

void expect_near(const json& got, const json& expected) {
  EXPECT_NEAR(got.get<double>() / expected.get<double>(), 1, 1e-11);
}

TEST_F(SelectionPrograms, FoldsAndHeldOutRowsAreThoseOfDatasetSplit) {
  const auto folds = run({BERTH_TRAIN, "linear", "c.h5", "--folds", "3", "--seed", "7"});
  run_program(folder, {BERTH_DATASET, "split", "c.h5", "-o", "f", "--folds", "3", "--seed", "7"});
  for (int k = 1; k <= 3; ++k) {
    const auto name = fmt::format("f-{}", k);
    run({BERTH_TRAIN, "linear", name + "-train.h5", "-o", "m.h5"});
    const auto score = run({BERTH_PREDICT, "m.h5", name + "-test.h5", "--score"});
    const auto& fold = folds["selection"]["folds"][static_cast<std::size_t>(k - 1)];
    expect_near(fold["rmse"], score["rmse"]);
    expect_near(fold["r2"], score["r2"]);
  }
  const auto held = run({BERTH_TRAIN, "linear", "c.h5", "--holdout", "0.2", "--seed", "3"}, 2);
  run_program(folder, {BERTH_DATASET, "split", "c.h5", "-o", "h", "--test", "0.2", "--seed", "3"});
  const auto expected = run({BERTH_TRAIN, "linear", "h-train.h5", "-o", "m.h5"});
  const auto score = run({BERTH_PREDICT, "m.h5", "h-test.h5", "--score"});
  EXPECT_EQ(held["coefficients"], expected["coefficients"]);
  EXPECT_EQ(held["rows"], expected["rows"]);
  expect_near(held["selection"]["held_out"]["rmse"], score["rmse"]);
  expect_near(held["selection"]["held_out"]["r2"], score["r2"]);
}

TEST_F(SelectionPrograms, APathIsPrintedAndTheChosenFitWritten) {
  const std::vector<std::string> command{BERTH_TRAIN, "linear", "c.h5",         "--path=40",
                                         "--folds",   "4",      "--choose",     "1se",
                                         "-o",        "m.h5",   "--standardize"};
  const auto alone = run(command);
  EXPECT_THAT(shown, HasSubstr("<- 1se"));
  EXPECT_THAT(shown, HasSubstr("there are no standard errors of penalised coefficients"));
  const auto& selection = alone["selection"];
  ASSERT_EQ(selection["path"].size(), 40U);
  EXPECT_EQ(selection["path"][0]["nonzero"], 0);
  EXPECT_TRUE(alone["coefficients"][1]["std_error"].is_null());
  const auto& step = selection["path"][selection["chosen"].get<std::size_t>()];
  for (const auto& each : alone["coefficients"]) {
    EXPECT_EQ(each["estimate"], step["coefficients"].value(each["name"].get<std::string>(), 0.0));
  }
  const auto four = run(command, 4);
  EXPECT_EQ(four["coefficients"], alone["coefficients"]);
  EXPECT_EQ(four["selection"], alone["selection"]);
  const auto score = run({BERTH_PREDICT, "m.h5", "c.h5", "--score"});
  expect_near(score["r2"], alone["r2"]);
}

TEST_F(SelectionPrograms, RefusesWhatDoesNotGoTogether) {
  refuses({"--l1", "5", "--solver", "tsqr"}, "leave out --solver");
  refuses({"--folds", "3", "--rank-deficient", "min-norm"}, "--rank-deficient");
  refuses({"--path", "--l2", "3"}, "--l1-ratio");
  refuses({"--choose", "min"}, "--choose needs --path and --folds");
  refuses({"--folds", "1"}, "--folds");
  refuses({"--seed", "7"}, "--seed has nothing to do without --folds or --holdout");
  refuses({"--path", "--seed", "7"}, "--seed has nothing to do without --folds or --holdout");
  refuses({"--holdout", "1.5"}, "--holdout");
  refuses({"--l1", "-1"}, "--l1");
  refuses({"--choose", "best", "--path", "--folds", "3"}, "none of 1se, min");
}

}  // namespace
}  // namespace berth::apps
