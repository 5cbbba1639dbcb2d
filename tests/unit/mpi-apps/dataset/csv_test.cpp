#include "dataset/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using records = std::vector<std::vector<std::string>>;

result<records> parse(std::string_view text, csv_dialect dialect = {}) {
  csv_reader reader(text, dialect);
  records all;
  std::vector<std::string> fields;
  while (true) {
    auto more = reader.next(fields);
    if (!more) return pass(std::move(more));
    if (!*more) return all;
    all.push_back(fields);
  }
}

TEST(Csv, ReadsWhatPeopleWrite) {
  const struct {
    const char* text;
    records expected;
  } cases[] = {
      {"", {}},
      {"\n\r\n", {}},
      {"a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
      {"a,b\r\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"a,,\n", {{"a", "", ""}}},
      {" a , b\n\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"\"a,b\",\"c \"\"d\"\"\"\n", {{"a,b", "c \"d\""}}},
      {"\"two\nlines\",x\n", {{"two\nlines", "x"}}},
      {"\"\",x\n", {{"", "x"}}},
      {"it's,5\"\n", {{"it's", "5\""}}},
  };
  for (const auto& each : cases) {
    const auto got = parse(each.text);
    ASSERT_TRUE(got) << each.text;
    EXPECT_EQ(*got, each.expected) << each.text;
  }
}

TEST(Csv, NamesTheLineOfABrokenQuote) {
  EXPECT_EQ(parse("a\n\"b\nc").error().text(), "line 2: quote is not closed");
  EXPECT_EQ(parse("a\n\"b\"c\n").error().text(), "line 2: text after a closing quote");
}

TEST(Csv, CountsLinesThroughQuotedLineEnds) {
  csv_reader reader("a\n\"x\ny\"\nz\n", {});
  std::vector<std::string> fields;
  std::vector<std::size_t> lines;
  while (*reader.next(fields)) lines.push_back(reader.line());
  EXPECT_EQ(lines, (std::vector<std::size_t>{1, 2, 4}));
}

TEST(Csv, GuessesDelimiterAndQuoteFromTheHeader) {
  const struct {
    const char* header;
    char delimiter;
    char quote;
  } cases[] = {
      {"a,b,c\n1;2;3;4;5", ',', '"'},  {"a;b\n", ';', '"'},
      {"a\tb\n", '\t', '"'},           {"'a' 'b' 'c'\n", ' ', '\''},
      {"\"a b c\",\"d\"\n", ',', '"'}, {"single\n", ',', '"'},
  };
  for (const auto& each : cases) {
    const auto got = guess_dialect(each.header);
    EXPECT_EQ(got.delimiter, each.delimiter) << each.header;
    EXPECT_EQ(got.quote, each.quote) << each.header;
  }
}

class TextFile : public testing::Test {
 protected:
  std::string compressed(const std::string& text) {
    const auto path = folder.file("t.csv.gz");
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return path;
  }
  temporary_folder folder;
};

TEST_F(TextFile, ReadsPlainAndGzipAlike) {
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += std::to_string(i) + "\n";
  EXPECT_EQ(*read_text_file(folder.write("t.csv", text)), text);
  EXPECT_EQ(*read_text_file(compressed(text)), text);
}

TEST_F(TextFile, DropsAByteOrderMark) {
  EXPECT_EQ(*read_text_file(folder.write("t.csv",
                                         "\xEF\xBB\xBF"
                                         "a,b")),
            "a,b");
}

TEST_F(TextFile, RefusesMissingAndTruncatedFiles) {
  EXPECT_EQ(read_text_file(folder.file("none")).error().code(),
            std::errc::no_such_file_or_directory);
  const auto path = compressed(std::string(100'000, 'x') + "end");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 20);
  const auto cut = read_text_file(path);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().text(), testing::HasSubstr("truncated gzip file"));
}

}  // namespace
}  // namespace berth::apps
