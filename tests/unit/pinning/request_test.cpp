#include "pinning/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace berth::pinning {
namespace {

using testing::HasSubstr;

TEST(Request, ReadsEveryWordInAnyOrder) {
  const std::vector<std::pair<std::string, request>> valid = {
      {"auto", {}},
      {"core", {.how = policy::core}},
      {"numa", {.how = policy::numa}},
      {"none", {.how = policy::none}},
      {"auto,verbose", {.verbose = true}},
      {"verbose", {.verbose = true}},
      {"smt", {.smt = true}},
      {"verbose,core", {.how = policy::core, .verbose = true}},
      {"smt,numa,verbose", {.how = policy::numa, .smt = true, .verbose = true}},
  };
  for (const auto& [text, expected] : valid) {
    const auto asked = parse_request(text);
    ASSERT_TRUE(asked) << asked.error().text();
    EXPECT_EQ(*asked, expected) << text;
    EXPECT_EQ(parse_request(to_string(*asked)).value(), expected) << text;
  }
}

TEST(Request, IsWrittenPolicyFirst) {
  EXPECT_EQ(to_string({}), "auto");
  EXPECT_EQ(to_string({.how = policy::none, .smt = true, .verbose = true}), "none,smt,verbose");
}

TEST(Request, RefusesAnythingElse) {
  const std::vector<std::pair<std::string, std::string>> invalid = {
      {"", "a word is missing"},
      {"auto,", "a word is missing"},
      {",auto", "a word is missing"},
      {"auto,core", "\"core\" after \"auto\""},
      {"auto,auto", "\"auto\" after \"auto\""},
      {"verbose,verbose", "\"verbose\" appears twice"},
      {"Auto", "did you mean \"auto\"?"},
      {"cores", "did you mean \"core\"?"},
      {"nmua", "did you mean \"numa\"?"},
      {"auto,verbos", "did you mean \"verbose\"?"},
      {"auto, verbose", "did you mean \"verbose\"?"},
      {"socket", "unknown word \"socket\""},
      {std::string(100'000, 'a'), "unknown word"},
  };
  for (const auto& [text, says] : invalid) {
    const auto asked = parse_request(text);
    ASSERT_FALSE(asked) << text;
    EXPECT_THAT(asked.error().text(), HasSubstr(says));
    EXPECT_THAT(asked.error().text(), HasSubstr("auto, core, numa or none"));
  }
}

TEST(Request, SuggestsNothingWhenNothingIsNear) {
  EXPECT_THAT(parse_request("socket").error().text(), testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(parse_request("x").error().text(), testing::Not(HasSubstr("did you mean")));
}

}  // namespace
}  // namespace berth::pinning
