#include "site/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "pinning/request.hpp"

namespace berth::site {
namespace {

struct broken {
  const char* name;
  std::function<void(config&)> change;
  const char* key;
  const char* text;
};

void PrintTo(const broken& b, std::ostream* out) {
  *out << b.name;
}

class BrokenConfig : public testing::TestWithParam<broken> {};

TEST_P(BrokenConfig, IsNamedByKeyAndReason) {
  config rules;
  GetParam().change(rules);
  const auto found = find_problems(rules);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().key, GetParam().key);
  EXPECT_THAT(found.front().text, testing::HasSubstr(GetParam().text));
  EXPECT_EQ(validate(rules).error().text(), found.front().key + ": " + found.front().text);
}

mount_rule at(std::string source, std::string target) {
  return {std::move(source), std::move(target)};
}

const broken every_rule[] = {
    {"RelativeFolder",
     [](auto& c) {
       c.images.folders = {"/a", "images"};
     },
     "images.folders[2]", "\"images\" is not an absolute path"},
    {"EmptyFolder", [](auto& c) { c.images.folders = {""}; }, "images.folders[1]", "is empty"},
    {"ParentInTrusted", [](auto& c) { c.images.trusted = {"/a/../etc"}; }, "images.trusted[1]",
     "holds \".\" or \"..\""},
    {"ControlCharacter", [](auto& c) { c.images.trusted = {"/a\nb"}; }, "images.trusted[1]",
     "control character"},
    {"LongPath", [](auto& c) { c.images.trusted = {"/" + std::string(4095, 'a')}; },
     "images.trusted[1]", "longer than 4095 bytes"},
    {"TooManyFolders", [](auto& c) { c.images.folders.assign(1025, "/a"); }, "images.folders",
     "more than 1024"},
    {"RelativeSource", [](auto& c) { c.mounts = {at("x", "/x")}; }, "mounts[1].source",
     "not an absolute path"},
    {"RelativeTarget", [](auto& c) { c.mounts = {at("/x", "x")}; }, "mounts[1].target",
     "not an absolute path"},
    {"TargetHidesTheImage", [](auto& c) { c.mounts = {at("/x", "/")}; }, "mounts[1].target",
     "hide the whole image"},
    {"SameTargetTwice",
     [](auto& c) {
       c.mounts = {at("/x", "/t"), at("/y", "/t")};
     },
     "mounts[2].target", "already the target of mounts[1]"},
    {"NameWithEqualSign", [](auto& c) { c.environment.set["A=B"] = "1"; }, "environment.set.A=B",
     "not the name of an environment variable"},
    {"NameWithDigitFirst", [](auto& c) { c.environment.unset = {"1A"}; }, "environment.unset[1]",
     "not the name"},
    {"ZeroByteInValue", [](auto& c) { c.environment.set["A"] = std::string("a\0b", 3); },
     "environment.set.A", "zero byte"},
    {"LongValue", [](auto& c) { c.environment.set["A"] = std::string(65537, 'a'); },
     "environment.set.A", "longer than 65536"},
    {"SetAndUnset",
     [](auto& c) {
       c.environment.set["A"] = "1";
       c.environment.unset = {"A"};
     },
     "environment.unset[1]", "is also set"},
    {"UnknownPinning", [](auto& c) { c.pin = "socket"; }, "pin.default",
     "is not one of auto, core"},
    {"PinningWithTwoWords", [](auto& c) { c.pin = "core,numa"; }, "pin.default", "is not one of"},
    {"PinningWithTwoMemories", [](auto& c) { c.pin = "mem=hbm,mem=local"; }, "pin.default",
     "is not one of"},
    {"PinningThatRunsNothing", [](auto& c) { c.pin = "auto,dry-run"; }, "pin.default",
     "is not one of"},
    {"UnknownPinningOfAPartition", [](auto& c) { c.pin_partitions["gpu"] = "socket"; },
     "pin.partitions.gpu", "\"socket\" is not one of auto, core"},
    {"PartitionWithoutAName", [](auto& c) { c.pin_partitions[""] = "core"; }, "pin.partitions.",
     "not the name of a partition"},
    {"PartitionWithAControlCharacter", [](auto& c) { c.pin_partitions["a\nb"] = "core"; },
     "pin.partitions.a\nb", "not the name of a partition"},
    {"RelativeFolderOfUserMounts",
     [](auto& c) {
       c.user_mounts.allowed = {"/a", "b"};
     },
     "user_mounts.allowed[2]", "not an absolute path"},
    {"ForbiddenFolderWithDots", [](auto& c) { c.user_mounts.forbidden = {"/a/../b"}; },
     "user_mounts.forbidden[1]", "\"..\""},
    {"RelativeCache", [](auto& c) { c.cache.folder = "cache"; }, "cache.folder",
     "not an absolute path"},
    {"LongWarm", [](auto& c) { c.warm_mounts.idle_seconds = 604801; },
     "warm_mounts.idle_seconds", "more than a week"},
    {"SmallCache", [](auto& c) { c.cache.quota = 5; }, "cache.quota", "not between 1M"},
    {"SmallOverlay", [](auto& c) { c.overlay_size = (1U << 20) - 1; }, "overlay_size",
     "not between 1M"},
    {"HugeOverlay", [](auto& c) { c.overlay_size = (std::uint64_t{1} << 50) + 1; }, "overlay_size",
     "not between 1M"},
};

INSTANTIATE_TEST_SUITE_P(Each, BrokenConfig, testing::ValuesIn(every_rule),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Config, DefaultsAreValid) {
  EXPECT_THAT(find_problems(config{}), testing::IsEmpty());
  EXPECT_TRUE(validate(config{}));
}

TEST(Config, ValuesAtTheEdgeAreValid) {
  config rules;
  rules.images = {{"/", "/a.b/..c"}, {}};
  rules.mounts = {at("/x", "/t"), at("/x", "/u")};
  rules.environment.set = {{"_A9", ""}, {"B", std::string(65536, 'a')}};
  rules.pin = "numa,verbose";
  rules.overlay_size = 1U << 20;
  EXPECT_TRUE(validate(rules));
}

// launcher/site may not use launcher/pinning: what one accepts the other must read, and the other
// way round but for what is of use to one job only.
TEST(Config, PinningAcceptsWhatThePinOptionReads) {
  std::vector<std::string> words = {"", "x", "device:gpu", "device:network"};
  for (const auto& word : pinning::request_words()) {
    if (word.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos &&
        word != "dry-run") {
      words.push_back(word);
    }
  }
  ASSERT_GT(words.size(), 15U);
  for (const auto& a : words) {
    for (const auto& b : words) {
      for (const auto& text : {a, a + "," + b, a + "," + b + ",verbose"}) {
        config rules;
        rules.pin = text;
        EXPECT_EQ(bool(validate(rules)), bool(pinning::parse_request(text))) << text;
      }
    }
  }
}

TEST(Config, PinningOfOneJobIsNoDefault) {
  for (const auto* text : {"map:0,1", "mask:3", "dry-run", "device:mlx5_0"}) {
    ASSERT_TRUE(pinning::parse_request(text)) << text;
    config rules;
    rules.pin = text;
    EXPECT_FALSE(validate(rules)) << text;
  }
}

TEST(Config, APartitionsPinningReplacesTheDefaultThere) {
  config rules;
  rules.pin = "numa";
  rules.pin_partitions = {{"gpu", "device"}, {"debug", "none"}};
  EXPECT_EQ(default_pin(rules, "gpu"), "device");
  EXPECT_EQ(default_pin(rules, "debug"), "none");
  EXPECT_EQ(default_pin(rules, "gp"), "numa");
  EXPECT_EQ(default_pin(rules, ""), "numa");
}

TEST(Config, EveryProblemIsFound) {
  config rules;
  rules.pin = "x";
  rules.overlay_size = 0;
  rules.images.folders = {"a", "b"};
  EXPECT_EQ(find_problems(rules).size(), 4U);
}

}  // namespace
}  // namespace berth::site
