#include "binding/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace berth::lua {
namespace {

using testing::ElementsAre;

std::map<std::string, std::set<std::string>> stub_fields() {
  std::ifstream stubs(BERTH_SOURCE_DIR "/lua/berth/site.d.lua");
  std::map<std::string, std::set<std::string>> fields;
  std::string line;
  std::string owner;
  std::smatch match;
  while (std::getline(stubs, line)) {
    if (std::regex_search(line, match, std::regex(R"(^---@class berth\.(\w+))"))) owner = match[1];
    if (std::regex_search(line, match, std::regex(R"(^---@field (\w+))"))) {
      fields[owner].insert(match[1]);
    }
  }
  return fields;
}

std::set<std::string> schema_names(std::string_view path) {
  const auto names = names_below(path);
  return {names.begin(), names.end()};
}

TEST(Schema, TypeStubsNameTheSameKeys) {
  const auto stubs = stub_fields();
  EXPECT_EQ(stubs.at("site"), schema_names(""));
  EXPECT_EQ(stubs.at("images"), schema_names("images"));
  EXPECT_EQ(stubs.at("mount"), schema_names("mounts[]"));
  EXPECT_EQ(stubs.at("user_mounts"), schema_names("user_mounts"));
  EXPECT_EQ(stubs.at("cache"), schema_names("cache"));
  EXPECT_EQ(stubs.at("environment"), schema_names("environment"));
  EXPECT_EQ(stubs.at("pin"), schema_names("pin"));
}

TEST(Schema, TheManualNamesEveryKey) {
  for (const auto* manual : {"/lua/README.md", "/launcher/site/site.lua.5"}) {
    std::ifstream file(std::string(BERTH_SOURCE_DIR) + manual);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (const auto& key : schema()) {
      auto name = std::string(key.path);
      if (name.size() > 2 && name.substr(name.size() - 2) == "[]") continue;
      if (name.back() == '*') continue;
      EXPECT_THAT(text, testing::HasSubstr(name)) << manual;
    }
  }
}

TEST(Schema, NamesBelowAKey) {
  EXPECT_THAT(names_below("images"), ElementsAre("folders", "trusted"));
  EXPECT_THAT(names_below("environment"), ElementsAre("set", "unset"));
  EXPECT_THAT(names_below("workdir"), ElementsAre());
}

TEST(Schema, PathsLoseIndicesAndVariableNames) {
  EXPECT_EQ(to_schema_path("mounts[12].target"), "mounts[].target");
  EXPECT_EQ(to_schema_path("environment.set.A.B[1]"), "environment.set.*");
}

}  // namespace
}  // namespace berth::lua
