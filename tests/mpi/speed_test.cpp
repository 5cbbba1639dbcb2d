// What train says about its speed, and what many features cost in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class SpeedOfTrain : public testing::Test {
 protected:
  void make_data(const char* rows, const char* features) {
    const auto got = run_program(folder, {BERTH_DATASET, "synth", "-o", "s.h5", "--rows", rows,
                                          "--features", features, "--dtype", "f32"});
    ASSERT_EQ(got.code, 0) << got.err;
  }
  outcome train(std::vector<std::string> options, int ranks) {
    options.insert(options.begin(), {BERTH_TRAIN, "linear", "s.h5", "--json"});
    return run_program(folder, options, ranks);
  }
  static json part(const json& speed, const std::string& name) {
    for (const auto& each : speed["parts"]) {
      if (each["name"] == name) return each;
    }
    return {};
  }
  temporary_folder folder;
};

TEST_F(SpeedOfTrain, CountsWhatThePassesDid) {
  make_data("20000", "12");
  constexpr double rows = 20000;
  constexpr double columns = 14;  // features, constant, target
  for (const int ranks : {1, 3}) {
    const auto normal = train({"--solver", "normal"}, ranks);
    ASSERT_EQ(normal.code, 0) << normal.err;
    EXPECT_THAT(normal.err, HasSubstr("\nSpeed: "));
    const auto speed = json::parse(normal.out)["speed"];
    EXPECT_EQ(part(speed, "gram")["flops"], rows * columns * (columns + 1));
    EXPECT_EQ(part(speed, "gram")["bytes"], rows * 12 * 4);
    EXPECT_GT(part(speed, "refine")["flops"], rows * columns * 50);
    EXPECT_GE(part(speed, "read")["bytes"], rows * 12 * 4);
    EXPECT_GT(speed["peak_flops"], 1e8);
    EXPECT_EQ(speed["peak_memory"].size(), static_cast<std::size_t>(ranks));
    EXPECT_FALSE(speed.contains("peak_copy_bytes"));
  }
  const auto exact = train({"--solver", "exact", "--verbose"}, 2);
  const auto speed = json::parse(exact.out)["speed"];
  EXPECT_EQ(part(speed, "gram")["flops"], 3 * rows * columns * (columns + 1));
  EXPECT_GT(speed["peak_copy_bytes"], 1e7);
}

TEST_F(SpeedOfTrain, NoRankHoldsTheProductsOfManyFeatures) {
  make_data("300", "5000");
  const auto got = train({"--l2", "1"}, 4);
  ASSERT_EQ(got.code, 0) << got.err;
  const auto out = json::parse(got.out);
  EXPECT_EQ(out["solver"]["path"], "normal, two-dimensional");
  constexpr double all_products = 8.0 * 5001 * 5001;
  ASSERT_EQ(out["speed"]["peak_memory"].size(), 4U);
  for (const double bytes : out["speed"]["peak_memory"]) EXPECT_LT(bytes, all_products);
}

TEST_F(SpeedOfTrain, ReproducibleTakesAnotherPathForManyFeatures) {
  make_data("30", "4100");
  const auto got = train({"--l2", "1", "--reproducible"}, 2);
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(json::parse(got.out)["solver"]["path"], "normal");
  const auto other = train({"--solver", "tsqr", "--l2", "1", "--reproducible"}, 2);
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("--reproducible rules out; use exact or normal"));
}

TEST_F(SpeedOfTrain, LeveragesOfManyFeaturesAreRefusedBeforeTheFit) {
  make_data("30", "4100");
  const std::vector<std::string> options[] = {{"--loo"}, {"--errors", "hc3"}, {"--cluster", "y"}};
  for (const auto& option : options) {
    const auto got = train(option, 2);
    EXPECT_EQ(got.code, 2);
    EXPECT_THAT(got.err, HasSubstr(option[0]));
    EXPECT_THAT(got.err, HasSubstr("no rank holds of more than 4000 features; use --solver exact"));
  }
}

TEST_F(SpeedOfTrain, WarnsOfThreadsWithoutCoresAndOfTheWrongKernel) {
  make_data("20000", "60");
  const auto crowded = run_program(
      folder, {"taskset", "-c", "0", BERTH_TRAIN, "linear", "s.h5", "--json", "--threads", "3"});
  ASSERT_EQ(crowded.code, 0) << crowded.err;
  EXPECT_THAT(crowded.err, HasSubstr("3 threads share 1 processors"));
  const auto alone =
      run_program(folder, {"taskset", "-c", "0", BERTH_TRAIN, "linear", "s.h5", "--json"});
  EXPECT_THAT(alone.err, Not(HasSubstr("warning")));
  if (!__builtin_cpu_supports("avx512bw")) GTEST_SKIP() << "no AVX-512 to leave unused";
  const auto old = run_program(folder, {"env", "OPENBLAS_CORETYPE=Haswell", BERTH_TRAIN, "linear",
                                        "s.h5", "--json", "--solver", "scalapack"});
  ASSERT_EQ(old.code, 0) << old.err;
  EXPECT_THAT(old.err, HasSubstr("runs its Haswell kernels, which leave AVX-512 unused"));
}

}  // namespace
}  // namespace berth::apps
