#include "binding/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace berth::lua {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string outcome_of(const std::string& source) {
  auto lua = state::create("f.lua");
  if (!lua) return lua.error().text();
  auto done = lua->load(source);
  if (done) done = lua->protect([&](auto*) { lua->call_loaded(); });
  return done ? "ok" : done.error().text();
}

TEST(State, OffersTextNumbersAndTables) {
  for (const auto* source :
       {"assert(('x'):rep(3) == 'xxx')", "assert(math.max(1, 2) == 2)", "table.insert({}, 1)",
        "assert(utf8.len('ä') == 1)", "for k, v in pairs({1}) do assert(k == v) end",
        "assert(select('#', 1, 2) == 2)", "assert(not pcall(error, 'x'))", "x = 1; assert(x == 1)",
        "assert(tostring(tonumber('12')) == '12')", "assert(type(next({})) == 'nil')"}) {
    EXPECT_EQ(outcome_of(source), "ok") << source;
  }
}

TEST(State, NothingLeadsOut) {
  for (const auto* name :
       {"os", "io", "require", "package", "load", "loadfile", "dofile", "debug", "print",
        "setmetatable", "getmetatable", "rawset", "rawget", "collectgarbage", "coroutine", "_G"}) {
    const auto source = std::string("local x =\n ") + name;
    EXPECT_EQ(outcome_of(source),
              std::string("f.lua:2: \"") + name + "\" is not available in a site file");
  }
  EXPECT_THAT(outcome_of("os.execute('true')"), StartsWith("f.lua:1: \"os\" is not available"));
  EXPECT_THAT(outcome_of("return _ENV.os"), StartsWith("f.lua:1: \"os\" is not available"));
  EXPECT_THAT(outcome_of("string.dump(function() end)"), HasSubstr("nil value (field 'dump')"));
  EXPECT_THAT(outcome_of("(''):dump()"), HasSubstr("nil value (method 'dump')"));
}

TEST(State, MisspeltVariablesAreErrors) {
  EXPECT_EQ(outcome_of("local folders = {}\nreturn { f = foldres }"),
            "f.lua:2: variable \"foldres\" is used but never set");
}

TEST(State, ByteCodeIsRefused) {
  EXPECT_EQ(outcome_of("\x1bLua\x54"), "f.lua: is compiled Lua; write the source text");
}

TEST(State, EndlessLoopsEnd) {
  EXPECT_EQ(outcome_of("local x = 1\nwhile true do\n end"),
            "f.lua:2: runs for more than 10000000 instructions; is there an endless loop?");
  EXPECT_THAT(outcome_of("while true do pcall(function() while true do end end) end"),
              HasSubstr("endless loop"));
  EXPECT_THAT(outcome_of("local function f() return f() end\nf()"), HasSubstr("endless loop"));
}

TEST(State, MemoryIsLimited) {
  constexpr const char* too_much = "f.lua:2: uses more than 16 MiB of memory";
  EXPECT_EQ(outcome_of("\nlocal s = ('x'):rep(1 << 30)"), too_much);
  EXPECT_EQ(outcome_of("local s = 'x'\nwhile true do s = s .. s end"), too_much);
  EXPECT_EQ(outcome_of("local t = {}\nfor i = 1, 1e9 do t[i] = {} end"), too_much);
  EXPECT_THAT(outcome_of("('x'):rep(1 << 62)"), HasSubstr("f.lua:1: "));
}

TEST(State, DeepRecursionEnds) {
  EXPECT_THAT(outcome_of("local function f(x)\n return 1 + f(x) end f(1)"),
              testing::AnyOf(HasSubstr("stack overflow"), HasSubstr("16 MiB")));
  EXPECT_THAT(outcome_of("return " + std::string(10000, '{')), HasSubstr("overflow"));
  EXPECT_THAT(outcome_of("return " + std::string(10000, '(')), HasSubstr("overflow"));
  EXPECT_THAT(outcome_of("string.gsub('a', 'a', function() return ('a'):gsub('a', f) end)"),
              StartsWith("f.lua:1: "));
}

TEST(State, ErrorsCarryTheWholeFileName) {
  const std::string name = "/" + std::string(200, 'p') + "/site.lua";
  auto lua = state::create(name);
  EXPECT_THAT(lua->load("x = = 1").error().text(), StartsWith(name + ":1: unexpected symbol"));
  EXPECT_THAT(outcome_of("error('plain', 0)"), StartsWith("f.lua: plain"));
  EXPECT_THAT(outcome_of("error({})"), HasSubstr("raised a table as error"));
  EXPECT_THAT(outcome_of("error()"), HasSubstr("raised a nil as error"));
}

TEST(State, TheBudgetIsNewForEachRun) {
  auto lua = state::create("f.lua", {std::size_t{1} << 20, 100'000});
  ASSERT_TRUE(lua->load("for i = 1, 60000 do end"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(lua->protect([&](auto*) { lua->call_loaded(); }));
  ASSERT_TRUE(lua->load("for i = 1, 200000 do end"));
  EXPECT_FALSE(lua->protect([&](auto*) { lua->call_loaded(); }));
}

}  // namespace
}  // namespace berth::lua
