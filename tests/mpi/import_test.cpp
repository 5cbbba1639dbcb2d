// dataset import as users run it: the real files cell by cell, and the same bits on any number of
// ranks.

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

#define DATA(name) BERTH_TEST_DATA "/" name

struct real_file {
  const char* name;  // of the comparison
  words sources;
  words options;
};

void PrintTo(const real_file& file, std::ostream* out) {
  *out << file.name;
}

class RealFiles : public testing::TestWithParam<real_file> {
 protected:
  // The dataset's bytes, written by that many ranks; 0: without mpirun.
  std::string import(int ranks) {
    words command{"/usr/bin/env", "SOURCE_DATE_EPOCH=0", BERTH_DATASET, "import", "-o", "out.h5"};
    command.push_back(GetParam().sources[0]);
    command.insert(command.end(), GetParam().options.begin(), GetParam().options.end());
    const auto got = run_program(folder, command, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_EQ(got.err, "");
    std::ostringstream bytes;
    bytes << std::ifstream(folder.file("out.h5"), std::ios::binary).rdbuf();
    return bytes.str();
  }
  temporary_folder folder;
};

TEST_P(RealFiles, AgreeWithPythonInEveryCell) {
  import(0);
  words command{BERTH_PYTHON, BERTH_COMPARE_IMPORT, GetParam().name};
  command.insert(command.end(), GetParam().sources.begin(), GetParam().sources.end());
  command.push_back("out.h5");
  const auto got = run_program(folder, command);
  EXPECT_EQ(got.code, 0) << got.err;
}

TEST_P(RealFiles, AreTheSameBytesOnAnyNumberOfRanks) {
  const auto alone = import(0);
  ASSERT_GT(alone.size(), 2048U);
  for (const int ranks : {2, 4}) EXPECT_TRUE(import(ranks) == alone) << ranks << " ranks";
  EXPECT_EQ(folder.entries(), std::set<std::string>{"out.h5"});
}

TEST_P(RealFiles, AreReadByH5dump) {
  import(0);
  const auto got = run_program(folder, {"h5dump", "-H", "out.h5"});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("\"X\""));
}

INSTANTIATE_TEST_SUITE_P(
    Import, RealFiles,
    testing::Values(
        real_file{"california",
                  {DATA("california-housing.csv.gz")},
                  {"--target", "median_house_value", "--missing", "drop"}},
        real_file{"adult",
                  {DATA("adult.csv.gz")},
                  {"--no-header", "--target", "column15", "--missing", "indicator"}},
        real_file{
            "default", {DATA("default.csv.gz")}, {"--target", "default", "--exclude", "rownames"}},
        real_file{"spector", {DATA("spector.csv")}, {"--target", "GRADE", "--exclude", "OBS"}},
        real_file{"sms",
                  {DATA("sms-spam.tsv.gz")},
                  {"--no-header", "--target", "column1", "--text", "column2=count", "--tfidf",
                   "--type", "column3=skip", "--type", "column4=skip", "--exclude", "column5"}},
        real_file{"a9a", {DATA("a9a.libsvm.gz")}, {"--dtype", "f32"}},
        real_file{"mnist",
                  {DATA("mnist-10k-images-idx3-ubyte.gz"), DATA("mnist-10k-labels-idx1-ubyte.gz")},
                  {"--labels", DATA("mnist-10k-labels-idx1-ubyte.gz")}}),
    [](const auto& each) { return std::string(each.param.name); });

class ImportProgram : public testing::Test {
 protected:
  outcome import(const words& arguments, int ranks = 0) {
    words command{BERTH_DATASET, "import", "-o", "out.h5"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_program(folder, command, ranks);
  }
  temporary_folder folder;
};

// Lines inside the quotes look like rows, so that wrong guesses are made and must be noticed.
TEST_F(ImportProgram, QuotesAcrossBordersOfRanks) {
  std::string text = "y,a,note\n";
  for (int i = 0; i < 60; ++i) {
    text += std::to_string(i) + "," + std::to_string(i * 0.1) + ",\"";
    for (int k = 0; k < 50; ++k) text += std::to_string(k) + ",2.5,fake\n";
    text += "\"\n";
  }
  folder.write("t.csv", text);
  for (const int ranks : {0, 2, 3, 4}) {
    const auto got = import({"t.csv", "--target", "y", "--exclude", "note", "--json"}, ranks);
    ASSERT_EQ(got.code, 0) << got.err;
    EXPECT_EQ(nlohmann::json::parse(got.out)["rows"], 60) << ranks;
  }
}

TEST_F(ImportProgram, MoreRanksThanRows) {
  folder.write("t.csv", "y,a\n1,2\n");
  const auto got = import({"t.csv", "--target", "y"}, 4);
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("out.h5: 1 row, 1 feature"));
  EXPECT_EQ(lines_with(got.out, "out.h5").size(), 1U);
}

TEST_F(ImportProgram, FaultsAreToldOnceOnAnyNumberOfRanks) {
  std::string text = "y,a\n";
  for (int i = 0; i < 1000; ++i) text += i == 700 ? "1,oops\n" : "1,2.5\n";
  folder.write("t.csv", text);
  for (const int ranks : {0, 2, 4}) {
    const auto got = import({"t.csv", "--target", "y", "--type", "a=number"}, ranks);
    EXPECT_EQ(got.code, 2);
    EXPECT_EQ(lines_with(got.err, "dataset: error: \"t.csv\": line 702: column \"a\" has \"oops\"")
                  .size(),
              1U)
        << got.err;
    EXPECT_EQ(folder.entries(), std::set<std::string>{"t.csv"});
  }
}

TEST_F(ImportProgram, ReadsStandardInputAndShowsProgress) {
  std::string text = "y,a\n";
  for (int i = 0; i < 2'000'000; ++i) text += "1,2.5\n";
  folder.write("t.csv", text);
  const auto got = run_program(
      folder, {"/bin/sh", "-c",
               BERTH_DATASET " import - -o out.h5 --target y --progress --threads 1 <t.csv"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("2,000,000 rows"));
  const auto lines = lines_with(got.err, "");
  EXPECT_GE(lines.size(), 2U);  // one for each pass
  for (const auto& line : lines) {
    EXPECT_THAT(line, testing::MatchesRegex("import: [0-9]+ %, [0-9]+ MB/s, .* left \\(.*\\)"));
  }
}

TEST_F(ImportProgram, WrongUsageIsOneLine) {
  folder.write("t.csv", "y,a\n1,2\n");
  const struct {
    words arguments;
    const char* expected;
  } cases[] = {
      {{"t.csv"}, "--target COLUMN is missing"},
      {{"t.csv", "--target", "y", "--no-target"}, "exclude each other"},
      {{"t.csv", "--target", "y", "--type", "a=blue"}, "none of number, category, text, skip"},
      {{"t.csv", "--target", "y", "--type", "a"}, "must be COLUMN=VALUE"},
      {{"t.csv", "--target", "y", "--text", "a=hash:99"}, "1 to 24 bits"},
      {{"t.csv", "--target", "y", "--missing", "guess"}, "none of error, drop, mean, indicator"},
      {{"t.csv", "--target", "y", "--delimiter", "ab"}, "must be one character, or tab"},
      {{"none.csv", "--target", "y"}, "\"none.csv\": cannot open"},
  };
  for (const auto& each : cases) {
    const auto got = import(each.arguments);
    EXPECT_EQ(got.code, 2) << each.expected;
    EXPECT_EQ(std::ranges::count(got.err, '\n'), 1) << got.err;
    EXPECT_THAT(got.err, HasSubstr(each.expected));
  }
}

}  // namespace
}  // namespace berth::apps
