#include "import/source_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::apps {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

TEST(SourceFormat, IsRecognisedByContent) {
  const struct {
    std::string_view head;
    source_format expected;
  } cases[] = {
      {"", source_format::csv},
      {"a,b\n1,2\n", source_format::csv},
      {"1 2 3\n4 5 6\n", source_format::csv},
      {"time\n12:30\n", source_format::csv},
      {"1 12:30 x\n", source_format::csv},
      {"0 3:1 11:1\n1 4:1\n", source_format::libsvm},
      {"# made by hand\n+1\n-1 3:0.5\n", source_format::libsvm},
      {"3 qid:1 1:0.5\n", source_format::libsvm},
      {"\0\0\x08\x03\0\0\x27\x10"sv, source_format::idx},
      {"\x89HDF\r\n\x1A\n rest", source_format::hdf5},
  };
  for (const auto& each : cases) {
    const auto got = recognise_format(each.head);
    ASSERT_TRUE(got) << each.head;
    EXPECT_EQ(*got, each.expected) << each.head;
  }
}

TEST(SourceFormat, SaysHowToReadWhatIsNotRead) {
  const struct {
    std::string_view head;
    const char* expected;
  } cases[] = {{"PAR1...", "Parquet"},
               {"PK\x03\x04...", "spreadsheet"},
               {"\x28\xB5\x2F\xFD...", "zstd -dc FILE | dataset import -"},
               {"\xFF\xFE...", "iconv -f UTF-16"}};
  for (const auto& each : cases) {
    const auto got = recognise_format(each.head);
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().text(), HasSubstr(each.expected));
  }
}

}  // namespace
}  // namespace berth::apps
