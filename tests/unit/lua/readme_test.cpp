#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "binding/site_file.hpp"

namespace berth::lua {
namespace {

std::string source_file(const std::string& name) {
  return read_file(std::string(BERTH_SOURCE_DIR).append("/").append(name), std::size_t{1} << 20)
      .value();
}

std::vector<std::string> lua_blocks(const std::string& markdown) {
  const std::string opening = "```lua\n";
  std::vector<std::string> blocks;
  for (std::size_t at = 0; (at = markdown.find(opening, at)) != std::string::npos;) {
    at += opening.size();
    blocks.push_back(markdown.substr(at, markdown.find("```", at) - at));
  }
  return blocks;
}

// The text between the .Bd and .Ed macros of the manual; it holds no roff escapes.
std::string manual_example(const std::string& page) {
  const auto begin = page.find('\n', page.find(".Bd -literal")) + 1;
  return page.substr(begin, page.find("\n.Ed", begin) - begin);
}

site_file evaluated(const std::string& source) {
  std::vector<std::string> problems;
  auto file = site_file::evaluate("example", source, problems);
  EXPECT_THAT(problems, testing::IsEmpty()) << source;
  return std::move(file.value());
}

TEST(Readme, EveryExampleIsAValidSiteFile) {
  const auto blocks = lua_blocks(source_file("lua/README.md"));
  ASSERT_GE(blocks.size(), 2U);
  for (const auto& block : blocks) evaluated(block);
}

TEST(Readme, ThePolicyExampleDoesWhatItSays) {
  auto file = evaluated(lua_blocks(source_file("lua/README.md")).back());
  ASSERT_TRUE(file.config().has_admit);
  site::job_facts job;
  job.partition = "gpu";
  site::image_facts image;
  image.path = "/home/ada/img.sqsh";
  EXPECT_FALSE(file.admit(job, image)->admitted);
  image.trusted = true;
  EXPECT_TRUE(file.admit(job, image)->admitted);
}

TEST(Manual, TheExampleIsAValidSiteFile) {
  EXPECT_TRUE(
      evaluated(manual_example(source_file("launcher/site/site.lua.5"))).config().has_admit);
}

TEST(ExampleSites, AreValid) {
  for (const auto* name : {"site-configs/lab/site.lua", "site-configs/university/site.lua"}) {
    evaluated(source_file(name));
  }
}

}  // namespace
}  // namespace berth::lua
