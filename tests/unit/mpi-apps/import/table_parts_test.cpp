#include "import/table_parts.hpp"

#include <gmock/gmock.h>

#include "import/table_fixture.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

class TableParts : public Table {
 protected:
  static table_options notes() {
    table_options options;
    options.columns.targets = {"y"};
    options.columns.texts = {{"note", {}}};
    options.rules.missing = missing_policy::mean;
    return options;
  }

  // The same facts however many parts read at once.
  void expect_same_in_any_number_of_parts(const std::string& text) {
    const auto whole = survey(text, notes());
    ASSERT_TRUE(whole) << whole.error().text();
    for (const std::size_t parts : {2U, 3U, 4U, 7U, 16U, 61U}) {
      const auto got = survey(text, notes(), parts);
      ASSERT_TRUE(got) << parts << ": " << got.error().text();
      EXPECT_EQ(got->facts.rows, whole->facts.rows) << parts;
      EXPECT_EQ(got->facts.kept, whole->facts.kept) << parts;
      EXPECT_EQ(got->facts.columns[1].missing, whole->facts.columns[1].missing) << parts;
      EXPECT_EQ(got->facts.columns[2].words.words(), whole->facts.columns[2].words.words());
      auto sum = got->facts.columns[1].sum;
      auto expected = whole->facts.columns[1].sum;
      EXPECT_EQ(sum.value(), expected.value()) << parts;
      EXPECT_EQ(got->places.back().end, whole->places.back().end) << parts;
      for (std::size_t k = 1; k < parts; ++k) {
        EXPECT_EQ(got->places[k].begin, got->places[k - 1].end);
        EXPECT_EQ(got->places[k].first_row, got->places[k - 1].first_row + got->places[k - 1].kept);
      }
    }
  }
};

TEST_F(TableParts, PlainRows) {
  std::string text = "y,a,note\n";
  for (int i = 0; i < 500; ++i) {
    text += std::to_string(i) + "," + (i % 7 == 0 ? "" : std::to_string(i * 0.1)) + ",word" +
            std::to_string(i % 11) + "\n";
  }
  expect_same_in_any_number_of_parts(text);
}

// Nearly every border is inside a quoted field, between lines that look like rows.
TEST_F(TableParts, QuotesThatHideWholeRows) {
  std::string text = "y,a,note\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i) + ",0.1,\"";
    for (int k = 0; k < 30; ++k) text += std::to_string(k) + ",2.5,fake" + std::to_string(k) + "\n";
    text += "the \"\"end\"\"\"\n";
  }
  expect_same_in_any_number_of_parts(text);
}

TEST_F(TableParts, BlankLinesAndOneLongRow) {
  std::string text = "y,a,note\n";
  for (int i = 0; i < 50; ++i) text += "1,2,x\n\n\r\n\n";
  text += "1,2,\"" + std::string(100'000, '\n') + "\"\n3,4,y";
  expect_same_in_any_number_of_parts(text);
}

TEST_F(TableParts, TheFirstFaultOfTheFileIsTold) {
  std::string text = "y,a,note\n";
  for (int i = 0; i < 300; ++i) text += i == 150 || i == 250 ? "1,2\n" : "1,2,\"x\ny\"\n";
  for (const std::size_t parts : {1U, 2U, 5U, 16U}) {
    const auto got = survey(text, notes(), parts);
    ASSERT_FALSE(got);
    // 150 rows of two lines and the header are before it.
    EXPECT_THAT(got.error().text(), HasSubstr("line 302: has 2 fields")) << parts;
  }
}

TEST_F(TableParts, WithoutAHeaderTheFirstLineIsARow) {
  auto options = target("column1");
  options.header = false;
  const auto got = survey("1,2\n3,4\n", options, 2);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->facts.rows, 2);
}

}  // namespace
}  // namespace berth::apps
