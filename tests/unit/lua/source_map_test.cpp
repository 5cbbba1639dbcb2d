#include "binding/source_map.hpp"

#include <gtest/gtest.h>

namespace berth::lua {
namespace {

TEST(SourceMap, FindsKeysOfTheReturnedTable) {
  const source_map map(R"(-- a comment with images = {
return {
  images = {
    folders = { "/a",
      "/b" },
    ["trusted"] = { "/" }, [3] = 1,
  };
  mounts = { "/scratch", {
      source = "/x", --[[ read_only = true,
      ]] target = "/y" },
    "/last",
  },
  admit = function(job) if job.id == 1 then return true end; local x = { images = 2 } end,
  workdir = "image"
})");
  EXPECT_EQ(map.line_of(""), 2);
  EXPECT_EQ(map.line_of("images"), 3);
  EXPECT_EQ(map.line_of("images.folders"), 4);
  EXPECT_EQ(map.line_of("images.folders[2]"), 5);
  EXPECT_EQ(map.line_of("images.trusted"), 6);
  EXPECT_EQ(map.line_of("images[3]"), 6);
  EXPECT_EQ(map.line_of("mounts[1]"), 8);
  EXPECT_EQ(map.line_of("mounts[2].source"), 9);
  EXPECT_EQ(map.line_of("mounts[2].target"), 10);
  EXPECT_EQ(map.line_of("mounts[3]"), 11);
  EXPECT_EQ(map.line_of("admit"), 13);
  EXPECT_EQ(map.line_of("workdir"), 14);
}

TEST(SourceMap, FollowsVariablesAndAssignments) {
  const source_map map(R"(local images = {
  folders = {} }
local site = { images = images,
  pin = {} }
site.pin.default = "core"
site.mounts = {
  "/a" }
for i = 1, 2 do local pin = { default = 1 } end
return site)");
  EXPECT_EQ(map.line_of("images"), 3);
  EXPECT_EQ(map.line_of("images.folders"), 2);
  EXPECT_EQ(map.line_of("pin.default"), 5);
  EXPECT_EQ(map.line_of("mounts"), 6);
  EXPECT_EQ(map.line_of("mounts[1]"), 7);
  EXPECT_EQ(map.line_of(""), 9);
}

TEST(SourceMap, FallsBackToWhatSurroundsTheKey) {
  const source_map map("return {\n images = make() }");
  EXPECT_EQ(map.line_of("images.folders[1]"), 2);
  EXPECT_EQ(map.line_of("mounts"), 1);
}

TEST(SourceMap, FindsANameThatIsWrittenOnce) {
  const source_map map("local function f()\n return {\n folder = 1 } end\nreturn { images = f() }");
  EXPECT_EQ(map.line_of("images.folder"), 3);
}

TEST(SourceMap, IsNotConfusedByStrings) {
  const source_map map(
      "return { a = \"}\\\" b = 1\",\n b = [==[ ]] } \n]==],\n c = '\\'}',\n d = 1 }");
  EXPECT_EQ(map.line_of("b"), 2);
  EXPECT_EQ(map.line_of("c"), 4);
  EXPECT_EQ(map.line_of("d"), 5);
}

TEST(SourceMap, EndsOnAliasesInACircle) {
  const source_map map("a = b\nb = a\nreturn a");
  EXPECT_EQ(map.line_of("x.y"), 3);
}

TEST(SourceMap, EndsOnBrokenSource) {
  for (const auto* source :
       {"return {", "return { [", "return { a = (", "[[", "\"", "--[[", "a.b ="}) {
    EXPECT_GE(source_map(source).line_of("a"), 0) << source;
  }
}

}  // namespace
}  // namespace berth::lua
