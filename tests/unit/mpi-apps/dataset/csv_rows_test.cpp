#include "dataset/csv_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "data/random.hpp"
#include "dataset/shell_word.hpp"

namespace berth::apps {
namespace {

std::string field(std::string_view text) {
  std::string out;
  append_field(out, text);
  return out;
}
template <class T>
std::string number(T value) {
  std::string out;
  append_number(out, value);
  return out;
}

TEST(CsvField, IsQuotedWhereNeeded) {
  EXPECT_EQ(field("plain name"), "plain name");
  EXPECT_EQ(field(""), "\"\"");
  EXPECT_EQ(field("a,b"), "\"a,b\"");
  EXPECT_EQ(field("say \"so\""), "\"say \"\"so\"\"\"");
  EXPECT_EQ(field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(field(" padded"), "\" padded\"");
  EXPECT_EQ(field("naïve=ü"), "naïve=ü");
}

TEST(CsvNumber, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(0.1F), "0.1");
  EXPECT_EQ(number(static_cast<double>(0.1F)), "0.10000000149011612");
  EXPECT_EQ(number(1e22), "1e+22");
  EXPECT_EQ(number(-0.0), "-0");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(std::nan("")), "");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(CsvNumber, ReadsBackAsTheSameBits) {
  for (std::int64_t j = 0; j < 20000; ++j) {
    const auto value = std::bit_cast<double>(row_random(3, stream::features, 0).bits(j));
    if (std::isnan(value)) continue;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(std::strtod(number(value).c_str(), nullptr)),
              std::bit_cast<std::uint64_t>(value));
    const auto single = static_cast<float>(value);
    EXPECT_EQ(std::strtof(number(single).c_str(), nullptr), single);
  }
}

dataset some_dataset() {
  dataset data;
  data.info.rows = 2;
  data.info.features = 2;
  data.info.names = {"a", "b,c"};
  data.info.target = "kind";
  data.info.targets = {"kind"};
  data.info.levels = {"no", "yes, \"so\""};
  data.y.emplace();
  data.y->shape = {2};
  return data;
}

TEST(CsvRows, HaveHeaderLevelsAndWeights) {
  auto data = some_dataset();
  data.weights.emplace();
  EXPECT_EQ(csv_header(data), "a,\"b,c\",kind,weights\n");
  panel<double> rows;
  rows.range = {0, 2};
  rows.x = {1, NAN, -2.5, 1e300};
  rows.y = {1, 0};
  rows.weights = {2, 0.5};
  std::string text;
  append_rows(text, data, rows);
  EXPECT_EQ(text, "1,,\"yes, \"\"so\"\"\",2\n-2.5,1e+300,no,0.5\n");
}

TEST(CsvRows, HaveAFieldWhereTheOnlyValueIsMissing) {
  dataset data;
  data.info.features = 1;
  data.info.names = {"a"};
  panel<double> rows;
  rows.range = {0, 2};
  rows.x = {NAN, 3};
  std::string text;
  append_rows(text, data, rows);
  EXPECT_EQ(text, "\"\"\n3\n");
}

TEST(CsvRows, NameSeveralTargets) {
  auto data = some_dataset();
  data.info.levels.clear();
  data.info.targets = {"one", "two"};
  data.y->shape = {2, 2};
  EXPECT_EQ(csv_header(data), "a,\"b,c\",one,two\n");
}

TEST(ShellWord, IsQuotedWhereTheShellWouldChangeIt) {
  EXPECT_EQ(shell_word("data/x-1.h5"), "data/x-1.h5");
  EXPECT_EQ(shell_word("two words"), "'two words'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("$HOME"), "'$HOME'");
}

}  // namespace
}  // namespace berth::apps
