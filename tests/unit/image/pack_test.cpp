#include "image/pack.hpp"

#include <gmock/gmock.h>

#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

pack_request request_for(std::vector<std::string> programs) {
  pack_request request;
  request.programs = std::move(programs);
  request.search_path = "/usr/bin:/bin";
  return request;
}

std::string script(const scratch& folder, const std::string& name, const std::string& content) {
  auto path = folder.write(name, content);
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

TEST(Pack, PutsProgramsInUsrBinWithASkeleton) {
  const auto plan = plan_image(request_for({"cat"}));
  ASSERT_TRUE(plan) << plan.error().text();
  for (const auto* path : {"/usr/bin/cat", "/proc", "/dev", "/sys", "/home", "/etc/os-release",
                           "/etc/nsswitch.conf", "/etc/ld.so.conf"}) {
    EXPECT_TRUE(plan->files.contains(path)) << path;
  }
  EXPECT_EQ(std::get<folder>(plan->files.nodes().at("/tmp")).mode, 01777U);
  EXPECT_EQ(plan->metadata.programs, std::vector<std::string>{"/usr/bin/cat"});
  EXPECT_GT(plan->created, 0);
}

TEST(Pack, BringsTheInterpreterOfAScript) {
  const scratch folder;
  const auto plan = plan_image(request_for(
      {script(folder, "a", "#!/bin/sh\ntrue\n"), script(folder, "b", "#!/usr/bin/env -S cat\n")}));
  ASSERT_TRUE(plan) << plan.error().text();
  for (const auto* path : {"/usr/bin/a", "/usr/bin/b", "/bin/sh", "/usr/bin/env", "/usr/bin/cat"}) {
    EXPECT_TRUE(plan->files.contains(path)) << path;
  }
}

TEST(Pack, NamesWhatIsWrong) {
  const scratch folder;
  const auto plain = folder.write("plain", "text");
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"no-such-program"}, "program \"no-such-program\" is not found in PATH"},
      {{folder / "absent"}, "No such file or directory"},
      {{folder / ""}, "is a folder"},
      {{plain}, "is not executable"},
      {{script(folder, "s", "#!/no/such/interpreter\n")}, "interpreter of"},
      {{script(folder, "x/cat", "#!/bin/sh\n"), "cat"}, "two different files want the path"},
  };
  for (const auto& [programs, message] : cases) {
    const auto plan = plan_image(request_for(programs));
    ASSERT_FALSE(plan) << programs.front();
    EXPECT_THAT(plan.error().text(), HasSubstr(message));
  }
}

TEST(Pack, ReadsExtraFiles) {
  EXPECT_EQ(parse_extra_file("data")->target, "");
  EXPECT_EQ(parse_extra_file("data:/opt/d/")->target, "/opt/d");
  for (const auto* text : {"a:b", ":/b", "a:"}) EXPECT_FALSE(parse_extra_file(text)) << text;
}

TEST(Pack, CopiesExtraFoldersToAnotherPlace) {
  const scratch folder;
  folder.write("d/e/f", "1");
  fs::create_symlink("e/f", folder / "d/link");
  auto request = request_for({"cat"});
  request.files = {{folder / "d", "/opt/d"}};
  request.workdir = "/jobs/here";
  const auto plan = plan_image(request);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_TRUE(plan->files.contains("/opt/d/e/f"));
  EXPECT_EQ(std::get<symlink>(plan->files.nodes().at("/opt/d/link")).target, "e/f");
  EXPECT_TRUE(plan->files.contains("/jobs/here"));
}

}  // namespace
}  // namespace berth::image
