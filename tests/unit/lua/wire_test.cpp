#include "binding/wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::lua {
namespace {

evaluation full() {
  evaluation what;
  what.rules.images = {{"/a"}, {"/b", "/c"}};
  what.rules.mounts = {{"/s", "/t", true, false}};
  what.rules.user_mounts = {{"/u"}, {"/v", "/w"}};
  what.rules.warm_mounts.idle_seconds = 7;
  what.rules.cache = {"/local", std::uint64_t{1} << 41};
  what.rules.environment = {{{"A", "ä\n\"'"}}, {"B"}};
  what.rules.pin = "numa";
  what.rules.pin_partitions = {{"gpu", "device"}};
  what.rules.on_pin_failure = site::pin_failure::fail;
  what.rules.slurm_inside = true;
  what.rules.stage = {"/local", 3};
  what.rules.workdir = site::workdir_rule::image;
  what.rules.overlay_size = std::uint64_t{1} << 40;
  what.rules.has_admit = true;
  what.from = {{"pin.default", 3}};
  return what;
}

std::string replaced(std::string text, const std::string& old, const std::string& fresh) {
  const auto at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), fresh);
}

TEST(Wire, ConfigurationsArriveAsTheyWere) {
  const auto sent = encode(full());
  const auto got = decode_evaluation(sent);
  ASSERT_TRUE(got);
  EXPECT_EQ(encode(*got), sent);
  EXPECT_EQ(got->rules.mounts.front().target, "/t");
  EXPECT_EQ(got->rules.user_mounts.allowed, full().rules.user_mounts.allowed);
  EXPECT_EQ(got->rules.user_mounts.forbidden, full().rules.user_mounts.forbidden);
  EXPECT_EQ(got->rules.cache.folder, "/local");
  EXPECT_EQ(got->rules.warm_mounts.idle_seconds, 7U);
  EXPECT_EQ(got->rules.cache.quota, std::uint64_t{1} << 41);
  EXPECT_TRUE(got->rules.slurm_inside);
  EXPECT_EQ(got->rules.stage.folder, "/local");
  EXPECT_EQ(got->rules.stage.nodes, 3U);
  EXPECT_EQ(got->rules.overlay_size, std::uint64_t{1} << 40);
  EXPECT_EQ(got->from.at("pin.default"), 3);
}

TEST(Wire, QuestionsAndAnswersArriveAsTheyWere) {
  question what{{1, 2, 3, 4, "u", "a", "p", "n", 5, 6}, {"/i", 7, 8, true}};
  EXPECT_EQ(encode(*decode_question(encode(what))), encode(what));
  EXPECT_EQ(decode_decision(encode(site::decision{false, "why"}))->reason, "why");
  EXPECT_TRUE(decode_decision(encode(site::decision{true, ""}))->admitted);
  EXPECT_EQ(decode_decision(encode(result<site::decision>(fail("s:1: bad")))).error().text(),
            "s:1: bad");
}

TEST(Wire, AnythingElseIsRefused) {
  const auto good = encode(full());
  const std::vector<std::string> bad = {
      "",
      "{",
      "null",
      "[]",
      "{}",
      "{\"problems\":[]}",
      "{\"problems\":[1]}",
      R"({"problems":["a"],"config":{}})",
      good + "x",
      replaced(good, "\"numa\"", "5"),
      replaced(good, "\"has_admit\":true", "\"has_admit\":1"),
      replaced(good, "1099511627776", "-1"),
      replaced(good, "1099511627776", "1.5"),
      replaced(good, "1099511627776", "18446744073709551616"),
      replaced(good, "\"pin\":", "\"pim\":"),
      replaced(good, "{\"gpu\":\"device\"}", "{\"gpu\":1}"),
      replaced(good, "{\"gpu\":\"device\"}", "[]"),
      replaced(good, "\"read_only\":true,", ""),
      replaced(good, "\"pin\":", "\"more\":1,\"pin\":"),
      replaced(good, "[\"/a\"]", "\"/a\""),
      replaced(good, "\"pin.default\":3", "\"pin.default\":4294967296"),
      replaced(good, "\"/a\"", "\"\xff\""),
      std::string(100000, '[')};
  for (const auto& text : bad) EXPECT_FALSE(decode_evaluation(text)) << text.substr(0, 200);
  for (const auto* text : {R"({"admitted":1,"reason":""})", R"({"admitted":true})",
                           R"({"admitted":true,"reason":"","x":1})", R"({"problem":1})"}) {
    EXPECT_FALSE(decode_decision(text)) << text;
  }
}

TEST(Wire, ProblemsBecomePrintable) {
  evaluation what;
  what.problems = {"a\x1b[31m\nb"};
  EXPECT_EQ(decode_evaluation(encode(what))->problems.front(), "a?[31m b");
}

TEST(Printable, KeepsTextAndReplacesTheRest) {
  EXPECT_EQ(printable("ä € 😀"), "ä € 😀");
  EXPECT_EQ(printable("a\x07\x7f\xff\xc2\x9b\xed\xa0\x80"), "a???????");
  EXPECT_EQ(printable(std::string(5000, 'x')).size(), 1003U);
}

TEST(Utf8, FollowsTheStandard) {
  for (const auto* good : {"", "abc", "ä", "€", "😀", "\xf4\x8f\xbf\xbf", "\xee\x80\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const auto* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace berth::lua
