#include "plugin/options.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace berth::plugin {
namespace {

using testing::HasSubstr;

result<settings> parse(std::vector<std::string> words) {
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  return parse_settings(static_cast<int>(raw.size()), raw.data());
}

TEST(Options, WithoutWordsTheDefaultsHold) {
  const auto parsed = parse({});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->helper, BERTH_DEFAULT_HELPER);
  EXPECT_EQ(parsed->site_file, "");
  EXPECT_EQ(parsed->timeout_seconds, 60U);
}

TEST(Options, EachWordOfPlugstackConfIsTaken) {
  const auto parsed = parse({"helper=/opt/b/berth", "site=/etc/x=y.lua", "timeout=3600"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->helper, "/opt/b/berth");
  EXPECT_EQ(parsed->site_file, "/etc/x=y.lua");
  EXPECT_EQ(parsed->timeout_seconds, 3600U);
}

TEST(Options, AnyOtherWordIsAnErrorThatNamesIt) {
  for (const auto* word :
       {"", "helper", "helper=", "helper=relative", "site=./x", "timeout=0", "timeout=3601",
        "timeout=-1", "timeout=1s", "timeout=", "berth=/x", "/etc/berth/site.lua", "Berth=/x"}) {
    const auto parsed = parse({"timeout=5", word});
    ASSERT_FALSE(parsed) << word;
    EXPECT_THAT(parsed.error().text(), HasSubstr("plugstack.conf: \"" + std::string(word) + '"'));
  }
}

}  // namespace
}  // namespace berth::plugin
