// Files that others laid out: paths of one's own, classes by any two numbers, sparse rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/hdf5_attributes.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t rows = 60;

class Parts : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  // Two features at `x` and classes that are `zero` and `one` at `y`.
  void write(const char* name, const char* x, const char* y, double zero, double one) {
    std::vector<double> features;
    std::vector<double> labels;
    for (std::int64_t i = 0; i < rows; ++i) {
      features.push_back(std::sin(static_cast<double>(i)));
      features.push_back(std::cos(static_cast<double>(3 * i)));
      labels.push_back(i * 7 % 10 < 4 ? one : zero);
    }
    const auto file = create_hdf5(folder.file(name));
    const hdf5_properties groups(H5Pcreate(H5P_LINK_CREATE));
    H5Pset_create_intermediate_group(groups.get(), 1);
    const hdf5_group in(H5Gcreate2(file->get(), "in", groups.get(), H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_TRUE(write_doubles(file->get(), x, {rows, 2}, features));
    ASSERT_TRUE(write_doubles(file->get(), y, {rows, 1}, labels));
  }
  json run(const std::vector<std::string>& arguments, int ranks = 0) {
    const auto got = run_program(folder, arguments, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    return got.code == 0 ? json::parse(got.out) : json();
  }

  temporary_folder folder;
};

TEST_F(Parts, AnyTwoNumbersAreClassesAndKeepTheirNames) {
  write("plain.h5", "X", "y", 0, 1);
  write("signs.h5", "in/x", "in/label", -1, 1);
  const auto plain = run({BERTH_TRAIN, "logistic", "plain.h5", "--json"});
  const auto signs = run({BERTH_TRAIN, "logistic", "signs.h5", "--features", "in/x", "--target",
                          "/in/label", "-o", "m.h5", "--json", "-v"},
                         2);
  EXPECT_EQ(signs["levels"], (json{"-1", "1"}));
  EXPECT_EQ(signs["target"], "label");
  EXPECT_THAT(signs["read"], HasSubstr("direct, independent: contiguous float64"));
  ASSERT_EQ(signs["coefficients"].size(), 3U);
  for (std::size_t j = 0; j < 3; ++j) {
    const double expected = plain["coefficients"][j]["estimate"];
    EXPECT_NEAR(signs["coefficients"][j]["estimate"], expected, 1e-9 * std::abs(expected));
  }
  const auto score = run({BERTH_PREDICT, "m.h5", "signs.h5", "--features", "in/x", "--score",
                          "--target", "in/label", "--json"},
                         4);
  EXPECT_EQ(score["accuracy"], signs["accuracy"]);
}

TEST_F(Parts, AModelDoesNotScoreClassesThatItDoesNotKnow) {
  write("plain.h5", "X", "y", 0, 1);
  write("other.h5", "X", "y", 1, 2);
  run({BERTH_TRAIN, "logistic", "plain.h5", "-o", "m.h5", "--json"});
  const auto got = run_program(folder, {BERTH_PREDICT, "m.h5", "other.h5", "--score"}, 2);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("\"y\" has class \"2\", the model knows \"0\", \"1\""));
}

TEST_F(Parts, LinearRegressionNeedsNumbersOrTwoClasses) {
  const auto fit = [this](const char* table) {
    folder.write("t.csv", table);
    run_program(folder, {BERTH_DATASET, "import", "t.csv", "-o", "t.h5", "--target", "y"});
    return run_program(folder, {BERTH_TRAIN, "linear", "t.h5"}, 2);
  };
  const auto three = fit("y,a\nu,1\nv,2\nw,4\nu,5\nv,9\n");
  EXPECT_EQ(three.code, 2);
  EXPECT_EQ(lines_with(three.err, "train: ").size(), 1U) << three.err;
  EXPECT_THAT(three.err, HasSubstr(R"("y" has 3 classes: "u", "v", "w"; linear regression needs)"));
  const auto two = fit("y,a\nu,1\nv,2\nv,4\nu,5\nv,9\n");
  EXPECT_EQ(two.code, 0) << two.err;
  EXPECT_THAT(two.err, HasSubstr(R"(has two classes, fitted as 0 = "u" and 1 = "v"; train)"));
}

TEST_F(Parts, SeveralTargetsAreTooManyForLogistic) {
  {
    const auto file = create_hdf5(folder.file("t.h5"));
    ASSERT_TRUE(write_doubles(file->get(), "X", {4, 2}, std::vector<double>(8, 1)));
    ASSERT_TRUE(write_doubles(file->get(), "y", {4, 2}, std::vector<double>(8, 1)));
  }
  const auto got = run_program(folder, {BERTH_TRAIN, "logistic", "t.h5"}, 2);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("/y has shape [4 x 2]; logistic fits one target"));
}

}  // namespace
}  // namespace berth::apps
