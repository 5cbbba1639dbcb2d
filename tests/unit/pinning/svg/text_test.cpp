#include "pinning/svg/text.hpp"

#include <gmock/gmock.h>

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

TEST(XmlText, KeepsWhatXmlCanHoldAndEscapesMarkup) {
  const std::pair<std::string, std::string> texts[] = {
      {"", ""},
      {"node7.xml", "node7.xml"},
      {"a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"},
      {"Zürich ← 計算機 \U0001f5a5", "Zürich ← 計算機 \U0001f5a5"},
      {"tab\tbell\a\x7f nul\0"s, "tab?bell?? nul?"},
      {"latin\xfc", "latin?"},            // cut off
      {"\xfc z", "? z"},                  // no continuation
      {"\x80", "?"},                      // a continuation alone
      {"\xc0\xaf", "??"},                 // overlong
      {"\xe0\x80\xaf", "???"},            // overlong
      {"\xed\xa0\x80", "???"},            // half of a surrogate pair
      {"\xf4\x90\x80\x80", "????"},       // above U+10FFFF
      {"\xef\xbf\xbf", "???"},            // U+FFFF
      {"\xc2\x85", "??"},                 // a control character
      {"\xf8\x88\x80\x80\x80", "?????"},  // five bytes
  };
  for (const auto& [text, expected] : texts) EXPECT_EQ(xml_text(text), expected) << text;
}

TEST(Wrapped, BreaksAtBlanksOnly) {
  EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("one two three", 6), ElementsAre("one", "two", "three"));
  EXPECT_THAT(wrapped("a verylongword b", 4), ElementsAre("a", "verylongword", "b"));
  EXPECT_THAT(wrapped("all fits", 80), ElementsAre("all fits"));
}

}  // namespace
}  // namespace berth::pinning
