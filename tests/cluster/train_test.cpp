// The programs as users run them: fitted alone on the login node, and by four ranks on two nodes in
// a container, the models must be the same.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using nlohmann::json;

// What the programs promise for any number of ranks.
constexpr double agreement = 1e-10;

class Train : public ClusterTest {
 protected:
  static void SetUpTestSuite() {
    if (const char* prefix = std::getenv("BERTH_TEST_LOGIN"); prefix == nullptr) return;
    import("california-housing", "--target median_house_value --missing drop");
    import("default", "--target default --exclude rownames");
    // Under this name the program is in the image alone: a step on the node would not find it.
    const auto packed = shell(
        "cp $(command -v train) only-in-image && berth pack ./only-in-image -o train.sqsh && "
        "rm only-in-image");
    ASSERT_EQ(packed.exit_code, 0) << packed.err;
  }

  static void import(const std::string& name, const std::string& options) {
    const auto table = read_file(BERTH_TEST_DATA "/" + name + ".csv.gz", std::size_t{1} << 24);
    ASSERT_TRUE(table) << table.error().text();
    const auto end = shell("cat >" + name + ".csv.gz && dataset import " + name + ".csv.gz -o " +
                               name + ".h5 " + options,
                           *table);
    ASSERT_EQ(end.exit_code, 0) << end.err;
  }

  static json fit(const std::string& command) {
    const auto end = shell(command);
    EXPECT_EQ(end.exit_code, 0) << end.err;
    return json::parse(end.out, nullptr, false);
  }

  static void expect_same_models(const std::string& what) {
    const auto alone = fit("train " + what + " --json");
    const auto job = fit("srun -N2 -n4 --container=./train.sqsh only-in-image " + what + " --json");
    ASSERT_TRUE(alone.is_object() && job.is_object());
    const auto& expected = alone["coefficients"];
    const auto& found = job["coefficients"];
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(found[i]["name"], expected[i]["name"]);
      for (const auto* value : {"estimate", "std_error"}) {
        const auto wanted = expected[i][value].get<double>();
        EXPECT_LE(std::abs(found[i][value].get<double>() - wanted), agreement * std::abs(wanted))
            << found[i]["name"] << ' ' << value;
      }
    }
    EXPECT_EQ(alone["ranks"], 1);
    EXPECT_EQ(job["ranks"], 4);
  }
};

TEST_F(Train, LinearIsTheSameAloneAndInAContainerOnTwoNodes) {
  expect_same_models("linear california-housing.h5");
}

TEST_F(Train, LogisticIsTheSameAloneAndInAContainerOnTwoNodes) {
  expect_same_models("logistic default.h5");
}

// In folders of their own and by its whole path, as srun calls it, so that the command lines, which
// the files keep, are the same.
TEST_F(Train, ImportWritesTheSameFileUnderSrunOnTwoNodes) {
  const std::string command =
      "SOURCE_DATE_EPOCH=0 %s $(command -v dataset) import ../california-housing.csv.gz -o made.h5 "
      "--target median_house_value --missing indicator";
  const auto in = [&](const std::string& name, const std::string& launcher) {
    auto script = "mkdir " + name + " && cd " + name + " && " + command;
    script.replace(script.find("%s"), 2, launcher);
    const auto end = shell(script);
    EXPECT_EQ(end.exit_code, 0) << end.err;
    EXPECT_EQ(end.out.find("20,640 rows"), end.out.rfind("20,640 rows")) << end.out;
    EXPECT_NE(end.out.find("20,640 rows"), std::string::npos) << end.out;
  };
  in("alone", "");
  in("job", "srun -N2 -n4");
  const auto same = shell("cmp alone/made.h5 job/made.h5 && ls job");
  EXPECT_EQ(same.exit_code, 0) << same.out << same.err;
  EXPECT_EQ(same.out, "made.h5\n");
  const auto refused = shell(
      "cd job && rm made.h5 && srun -N2 -n4 dataset import ../california-housing.csv.gz "
      "-o made.h5 --target median_house_value; code=$?; ls; exit $code");
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_EQ(refused.out, "") << "left behind";
  const auto first = refused.err.find("dataset: error: ");
  EXPECT_NE(first, std::string::npos) << refused.err;
  EXPECT_EQ(first, refused.err.rfind("dataset: error: ")) << refused.err;
}

}  // namespace
}  // namespace berth::test
