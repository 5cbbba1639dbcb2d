#include "pinning/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace berth::pinning {
namespace {

using testing::HasSubstr;
using sets = std::vector<std::vector<int>>;

request mapped(sets listed) {
  return {.how = policy::map, .sets = std::move(listed)};
}
request masked(sets listed) {
  return {.how = policy::mask, .sets = std::move(listed)};
}

TEST(Request, ReadsEveryWordInAnyOrder) {
  const std::vector<std::pair<std::string, request>> valid = {
      {"auto", {}},
      {"core", {.how = policy::core}},
      {"l3", {.how = policy::l3}},
      {"numa", {.how = policy::numa}},
      {"package", {.how = policy::package}},
      {"spread", {.how = policy::spread}},
      {"compact", {.how = policy::compact}},
      {"none", {.how = policy::none}},
      {"auto,verbose", {.verbose = true}},
      {"verbose", {.verbose = true}},
      {"smt", {.smt = true}},
      {"dry-run", {.dry_run = true}},
      {"check", {.check = true}},
      {"verbose,core", {.how = policy::core, .verbose = true}},
      {"smt,numa,verbose", {.how = policy::numa, .smt = true, .verbose = true}},
      {"mem=local", {.memory = memory_policy::local}},
      {"mem=interleave,auto", {.memory = memory_policy::interleave}},
      {"mem=hbm", {.memory = memory_policy::hbm}},
      {"mem=firsttouch", {.memory = memory_policy::first_touch}},
      {"device", {.how = policy::device}},
      {"device:gpu", {.how = policy::device, .device = "gpu"}},
      {"device:network,smt", {.how = policy::device, .smt = true, .device = "network"}},
      {"device:mlx5_0", {.how = policy::device, .device = "mlx5_0"}},
      {"device:0000:84:00.0", {.how = policy::device, .device = "0000:84:00.0"}},
  };
  for (const auto& [text, expected] : valid) {
    const auto asked = parse_request(text);
    ASSERT_TRUE(asked) << asked.error().text();
    EXPECT_EQ(*asked, expected) << text;
    EXPECT_EQ(parse_request(to_string(*asked)).value(), expected) << text;
  }
}

TEST(Request, ReadsListsAsSrunDoes) {
  auto several = mapped({{0}, {2}, {4, 5}});
  several.verbose = several.smt = true;
  const std::vector<std::pair<std::string, request>> valid = {
      {"map:3", mapped({{3}})},
      {"map:0,1,2", mapped({{0}, {1}, {2}})},
      {"verbose,map:0,2,4-5,smt", several},
      {"smt,map:0,2,4-5,verbose", several},
      {"map:0*2,3", mapped({{0}, {0}, {3}})},
      {"map:0-1*2", mapped({{0, 1}, {0, 1}})},
      {"map:0x0f,0x10", mapped({{15}, {16}})},
      {"mask:1", masked({{0}})},
      {"mask:0xff00", masked({{8, 9, 10, 11, 12, 13, 14, 15}})},
      {"mask:f,f0", masked({{0, 1, 2, 3}, {4, 5, 6, 7}})},
      {"mask:0x5,A*2", masked({{0, 2}, {1, 3}, {1, 3}})},
      {"mask:10000000000000000000000000", masked({{100}})},
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
  EXPECT_EQ(to_string({.how = policy::none,
                       .memory = memory_policy::hbm,
                       .smt = true,
                       .verbose = true,
                       .dry_run = true,
                       .check = true}),
            "none,mem=hbm,smt,verbose,dry-run,check");
  EXPECT_EQ(to_string(mapped({{0}, {0}, {4, 5, 6, 7}})), "map:0*2,4-7");
  EXPECT_EQ(to_string(masked({{0, 2}, {1, 63}})), "mask:0x5,0x8000000000000002");
  EXPECT_EQ(to_string({.how = policy::device, .device = "cuda0"}), "device:cuda0");
}

TEST(Request, RefusesAnythingElse) {
  const std::vector<std::pair<std::string, std::string>> invalid = {
      {"", "a word is missing"},
      {"auto,", "a word is missing"},
      {",auto", "a word is missing"},
      {"auto,core", "\"core\" after \"auto\""},
      {"auto,auto", "\"auto\" after \"auto\""},
      {"map:1,core", "\"core\" after \"map\""},
      {"verbose,verbose", "\"verbose\" appears twice"},
      {"mem=local,mem=hbm", "one mem= is enough"},
      {"Auto", "did you mean \"auto\"?"},
      {"cores", "did you mean \"core\"?"},
      {"nmua", "did you mean \"numa\"?"},
      {"dryrun", "did you mean \"dry-run\"?"},
      {"mem=lokal", "did you mean \"mem=local\"?"},
      {"mem", "unknown word \"mem\""},
      {"devcie:gpu", "did you mean \"device\"?"},
      {"auto,verbos", "did you mean \"verbose\"?"},
      {"auto, verbose", "did you mean \"verbose\"?"},
      {"socket", "unknown word \"socket\""},
      {"0", "unknown word \"0\""},
      {"core:0", "\"core\" takes nothing after a colon"},
      {"auto:", "\"auto\" takes nothing after a colon"},
      {"map", "\"map\" needs LIST"},
      {"mask", "\"mask\" needs LIST"},
      {"map:", "\"\" in map: is not a CPU"},
      {"map:0,", "a word is missing"},
      {"map:0,1x", "\"1x\" in map: is not a CPU"},
      {"map:3-1", "\"3-1\" in map: is not a CPU"},
      {"map:1048576", "is not a CPU"},
      {"map:-1", "is not a CPU"},
      {"map:0*0", "is not a CPU"},
      {"map:0*", "is not a CPU"},
      {"map:0*65537", "is not a CPU"},
      {"map:0*65536,1", "the list is too long"},
      {"map:0-1048575*8", "the list is too long"},
      {"map:f", "\"f\" in map: is not a CPU"},
      {"mask:0", "\"0\" in mask: is not a hexadecimal mask with at least one CPU"},
      {"mask:0x", "is not a hexadecimal mask"},
      {"mask:g", "is not a hexadecimal mask"},
      {"mask:ff,gg", "unknown word \"gg\""},
      {"mask:" + std::string(300'000, 'f'), "is not a hexadecimal mask"},
      {"device:", "\"device:\" names no device"},
      {"device:" + std::string(65, 'x'), "names no device"},
      {std::string(100'000, 'a'), "unknown word"},
  };
  for (const auto& [text, says] : invalid) {
    const auto asked = parse_request(text);
    ASSERT_FALSE(asked) << text;
    EXPECT_THAT(asked.error().text(), HasSubstr(says));
    EXPECT_THAT(asked.error().text(), HasSubstr("the words are auto, core, l3, numa, package, "));
    EXPECT_LT(asked.error().text().size(), 1000U);
  }
}

TEST(Request, SuggestsNothingWhenNothingIsNear) {
  EXPECT_THAT(parse_request("socket").error().text(), testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(parse_request("x").error().text(), testing::Not(HasSubstr("did you mean")));
}

TEST(Request, ListsItsWords) {
  EXPECT_THAT(request_words(),
              testing::ElementsAre("auto", "core", "l3", "numa", "package", "spread", "compact",
                                   "device", "device:gpu|network|NAME", "map:LIST", "mask:LIST",
                                   "none", "mem=local", "mem=interleave", "mem=hbm",
                                   "mem=firsttouch", "smt", "verbose", "dry-run", "check"));
}

}  // namespace
}  // namespace berth::pinning
