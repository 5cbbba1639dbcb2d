// dataset import of HDF5 with the options of tables: what comes out is what the same table as CSV
// gives, on any number of ranks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program_runner.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;
using words = std::vector<std::string>;

class ImportMatrix : public testing::Test {
 protected:
  void SetUp() override {
    const auto made = run_program(folder, {BERTH_PYTHON, BERTH_SAME_TABLES, "make"});
    ASSERT_EQ(made.code, 0) << made.err;
  }

  outcome import(const std::string& source, const std::string& output, const words& options,
                 int ranks = 0) {
    words command{"/usr/bin/env", "SOURCE_DATE_EPOCH=0", BERTH_DATASET, "import", source, "-o",
                  output};
    command.insert(command.end(), options.begin(), options.end());
    return run_program(folder, command, ranks);
  }
  std::string bytes(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder.file(name), std::ios::binary).rdbuf();
    return text.str();
  }
  std::string refusal(const std::string& source, const words& options) {
    const auto got = import(source, "out.h5", options);
    EXPECT_EQ(got.code, 2) << got.out;
    EXPECT_EQ(std::ranges::count(got.err, '\n'), 1) << got.err;
    return got.err;
  }

  temporary_folder folder;
};

const std::vector<words> policies{
    {"--target", "y", "--exclude", "species", "--missing", "drop"},
    {"--target", "y", "--exclude", "species", "--missing", "mean"},
    {"--target", "y", "--exclude", "species", "--missing", "indicator", "--exclude", "b"},
    {"--target", "y", "--exclude", "species", "--missing", "mean", "--type", "c=category"},
    {"--target", "y", "--exclude", "species", "--missing", "indicator", "--type", "c=category",
     "--reference", "c=2", "--dtype", "f32"},
    {"--target", "y", "--exclude", "species", "--missing", "drop", "--na", "2", "--type", "a=skip"},
    {"--target", "species", "--exclude", "y", "--missing", "indicator"},
    {"--target", "species", "--exclude", "y", "--missing", "drop", "--reference", "species=oak"},
};

TEST_F(ImportMatrix, GivesWhatTheSameTableAsCsvGives) {
  for (const auto& policy : policies) {
    for (const char* stored : {"--dense", "--sparse"}) {
      auto options = policy;
      options.insert(options.end(), {stored, "--weights", "w"});
      const auto wanted = import("t.csv", "csv.h5", options);
      ASSERT_EQ(wanted.code, 0) << wanted.err;
      // What is no feature of the HDF5 files need not be left out of them.
      for (const char* beside : {"species", "y"}) {
        const auto at = std::ranges::find(options, beside);
        if (at != options.begin() && at[-1] == "--exclude") options.erase(at - 1, at + 1);
      }
      for (const std::string source : {"dense", "sparse"}) {
        const auto got = import(source + ".h5", "of-" + source + ".h5", options);
        ASSERT_EQ(got.code, 0) << got.err;
      }
      const auto same = run_program(folder, {BERTH_PYTHON, BERTH_SAME_TABLES, "compare", "csv.h5",
                                             "of-dense.h5", "of-sparse.h5"});
      EXPECT_EQ(same.code, 0) << same.err << stored << ' ' << policy.back();
    }
  }
}

TEST_F(ImportMatrix, IsTheSameBytesOnAnyNumberOfRanks) {
  for (const char* source : {"dense.h5", "sparse.h5"}) {
    for (const auto& policy : {words{"--missing", "drop"}, words{"--missing", "indicator"}}) {
      auto options = policy;
      options.insert(options.end(), {"--target", "/y", "--weights", "/w"});
      ASSERT_EQ(import(source, "out.h5", options).code, 0);
      const auto alone = bytes("out.h5");
      for (const int ranks : {2, 3}) {
        const auto got = import(source, "out.h5", options, ranks);
        ASSERT_EQ(got.code, 0) << got.err;
        EXPECT_TRUE(bytes("out.h5") == alone) << source << ' ' << ranks << " ranks";
      }
    }
  }
}

TEST_F(ImportMatrix, CountsWhatWasMissingAndDropped) {
  const auto got = import("dense.h5", "out.h5", {"--target", "y", "--missing", "drop", "--json"});
  ASSERT_EQ(got.code, 0) << got.err;
  const auto told = nlohmann::json::parse(got.out);
  EXPECT_EQ(told["rows"].get<int>() + told["dropped_rows"].get<int>(), 500);
  EXPECT_GT(told["dropped_rows"], 60);
  EXPECT_EQ(told["columns"][0]["missing"], 0);
  EXPECT_GT(told["columns"][1]["missing"], 10);
  EXPECT_EQ(told["columns"][4]["missing"], 1);
  EXPECT_EQ(told["columns"][4]["type"], "target");
}

TEST_F(ImportMatrix, RefusesInOneLine) {
  EXPECT_THAT(refusal("dense.h5", {"--target", "y"}), HasSubstr("1 in column \"y\"; leave those"));
  EXPECT_THAT(refusal("dense.h5", {"--target", "species"}), HasSubstr("in column \"b\", "));
  EXPECT_THAT(
      refusal("dense.h5", {"--target", "y", "--exclude", "z"}),
      HasSubstr("has no column \"z\" to exclude; it has \"a\", \"b\", \"c\", \"d\", \"y\""));
  EXPECT_THAT(refusal("dense.h5", {"--target", "y", "--exclude", "y"}),
              HasSubstr("cannot be both target and left out"));
  EXPECT_THAT(refusal("dense.h5", {"--target", "y", "--text", "a=count"}),
              HasSubstr("--text is for tables, but \"dense.h5\" is HDF5"));
  EXPECT_THAT(refusal("dense.h5", {"--target", "species", "--reference", "species=fir"}),
              HasSubstr("has no level \"fir\""));
  EXPECT_THAT(refusal("dense.h5", {"--target", "y", "--missing", "drop", "--type", "a=category"}),
              HasSubstr("column \"a\" has more than 100 different values"));
  EXPECT_THAT(refusal("dense.h5", {"--target", "w", "--weights", "y", "--missing", "drop"}),
              HasSubstr("weight -"));
  const auto spoilt = run_program(folder, {BERTH_PYTHON, BERTH_SAME_TABLES, "spoil"});
  ASSERT_EQ(spoilt.code, 0) << spoilt.err;
  EXPECT_THAT(refusal("dense.h5", {"--target", "species", "--missing", "drop"}),
              HasSubstr("row 42: column \"c\" has an infinite value"));
  EXPECT_FALSE(folder.entries().contains("out.h5"));
}

}  // namespace
}  // namespace berth::apps
