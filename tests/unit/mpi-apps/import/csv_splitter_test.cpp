#include "import/csv_splitter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berth::apps {
namespace {

using record = std::vector<std::string>;
using records = std::vector<record>;

struct outcome {
  records found;
  std::vector<std::int64_t> lines;
  std::string fault;
  std::int64_t fault_line = 0;
};

// Splits text that arrives `step` bytes at a time, as a stream does with what is left of a block.
outcome split(const std::string& text, std::size_t step, csv_dialect dialect = {}) {
  outcome out;
  csv_splitter splitter(dialect);
  std::vector<std::string_view> fields;
  std::size_t begin = 0;
  for (std::size_t end = 0; end <= text.size();) {
    end = std::min(text.size(), end + step);
    std::vector<char> block(text.begin() + static_cast<std::ptrdiff_t>(begin),
                            text.begin() + static_cast<std::ptrdiff_t>(end));
    block.push_back('x');
    splitter.begin(std::span(block).first(block.size() - 1), end == text.size());
    for (;;) {
      const auto found = splitter.next(fields);
      if (found == csv_splitter::found::more) break;
      if (found == csv_splitter::found::broken) {
        out.fault = splitter.fault();
        out.fault_line = splitter.lines();
        return out;
      }
      out.found.emplace_back(fields.begin(), fields.end());
      out.lines.push_back(splitter.record_line());
    }
    begin += splitter.consumed();
    if (end == text.size()) break;
  }
  return out;
}

TEST(CsvSplitter, ReadsWhatPeopleWriteInBlocksOfAnySize) {
  const struct {
    const char* text;
    records expected;
  } cases[] = {
      {"", {}},
      {"\n\r\n", {}},
      {"a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
      {"a,b\r\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"a,,\n", {{"a", "", ""}}},
      {",\n", {{"", ""}}},
      {" a , b\n\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"\"a,b\",\"c \"\"d\"\"\"\n", {{"a,b", "c \"d\""}}},
      {"\"two\nlines\",x\n", {{"two\nlines", "x"}}},
      {"\"\",x\n", {{"", "x"}}},
      {"\"\"\n", {{""}}},
      {"\"\"\"\"\n", {{"\""}}},
      {"it's,5\"\n", {{"it's", "5\""}}},
      {"say \"hi, you\"\n", {{"say \"hi", "you\""}}},
      {"a, \"b,c\" ,d\n", {{"a", "b,c", "d"}}},
      {"\" kept \"\n", {{" kept "}}},
      {"\"a\"\r\n\"b\"", {{"a"}, {"b"}}},
      {"\"a\r\nb\"\r\n", {{"a\r\nb"}}},
      {"a\rb,c\n", {{"a\rb", "c"}}},
  };
  for (const auto& each : cases) {
    for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U}) {
      const auto got = split(each.text, step);
      EXPECT_EQ(got.found, each.expected) << each.text << " in steps of " << step;
      EXPECT_EQ(got.fault, "") << each.text;
    }
  }
}

TEST(CsvSplitter, FindsEveryMarkInLongBlocks) {
  std::string text;
  records expected;
  for (int i = 0; i < 500; ++i) {
    record row;
    for (int j = 0; j <= i % 5; ++j)
      row.push_back(std::string(static_cast<std::size_t>(i % 70), 'x') + std::to_string(j));
    for (std::size_t j = 0; j < row.size(); ++j) text += (j == 0 ? "" : ",") + row[j];
    text += i % 3 == 0 ? "\r\n" : "\n";
    expected.push_back(row);
  }
  for (const std::size_t step : {63U, 64U, 65U, 128U, 100'000U}) {
    EXPECT_EQ(split(text, step).found, expected) << step;
  }
}

TEST(CsvSplitter, NamesTheLineOfABrokenQuote) {
  for (const std::size_t step : {1U, 3U, 100U}) {
    const auto open = split("a\n\"b\nc", step);
    EXPECT_EQ(open.fault, "quote is not closed");
    EXPECT_EQ(open.fault_line, 1);
    const auto text = split("a\n\"b\"c\n", step);
    EXPECT_EQ(text.fault, "text after a closing quote");
    EXPECT_EQ(text.fault_line, 1);
  }
}

TEST(CsvSplitter, CountsLinesThroughQuotedLineEnds) {
  for (const std::size_t step : {1U, 4U, 100U}) {
    EXPECT_EQ(split("a\n\n\"x\ny\"\nz\n", step).lines, (std::vector<std::int64_t>{0, 2, 4}));
  }
}

TEST(CsvSplitter, KnowsOtherDelimitersAndQuotes) {
  EXPECT_EQ(split("'a' 'b c' 1\n", 100, {' ', '\''}).found, (records{{"a", "b c", "1"}}));
  EXPECT_EQ(split("a\t\tb\t\n", 100, {'\t', '"'}).found, (records{{"a", "", "b", ""}}));
}

TEST(CsvDialect, IsGuessedFromTheFirstRecord) {
  const struct {
    const char* header;
    char delimiter;
    char quote;
  } cases[] = {
      {"a,b,c\n1;2;3;4;5", ',', '"'},  {"a;b\n", ';', '"'},
      {"a\tb\n", '\t', '"'},           {"'a' 'b' 'c'\n", ' ', '\''},
      {"\"a b c\",\"d\"\n", ',', '"'}, {"single\n", ',', '"'},
      {"\"a\n;;;;\",b,c\n", ',', '"'},
  };
  for (const auto& each : cases) {
    const auto got = guess_dialect(each.header);
    EXPECT_EQ(got.delimiter, each.delimiter) << each.header;
    EXPECT_EQ(got.quote, each.quote) << each.header;
  }
}

}  // namespace
}  // namespace berth::apps
