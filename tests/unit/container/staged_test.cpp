#include "container/staged.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using testing::HasSubstr;

const std::string digest(64, 'a');

TEST(Staged, TheCopyTravelsAsOneText) {
  const staged_copy copy{"/tmp/a b", digest};
  EXPECT_EQ(*parse_staged(format_staged(copy)), copy);
  for (const auto& text : {std::string(), digest, digest + " ", digest.substr(1) + "A /tmp/x",
                           digest + "a /tmp/x", std::string(" /tmp/x")}) {
    EXPECT_FALSE(parse_staged(text)) << text;
  }
}

TEST(Staged, AFileTellsItsJob) {
  EXPECT_EQ(job_of_staged(staged_prefix(17) + "abc"), 17U);
  EXPECT_EQ(job_of_staged("berth-staged-17-"), 17U);
  for (const auto* name : {"", "berth-staged-", "berth-staged-17", "berth-staged-x-1",
                           "berth-staged--1-a", "berth-staged-99999999999-a", "staged-17-a"}) {
    EXPECT_FALSE(job_of_staged(name)) << name;
  }
}

TEST(Staged, ManyNodesAndASharedFileSystemAreStagedUnasked) {
  const site::config rules;
  const stage_facts many{stage_choice::any, rules.stage.nodes + 1, true, false, true};
  EXPECT_TRUE(*should_stage(many, rules));
  auto few = many;
  few.nodes = rules.stage.nodes;
  EXPECT_FALSE(*should_stage(few, rules));
  auto local = many;
  local.shared = false;
  EXPECT_FALSE(*should_stage(local, rules));
  auto trusted = many;
  trusted.trusted = true;
  EXPECT_FALSE(*should_stage(trusted, rules)) << "the kernel reads what is needed";
  for (auto facts : {few, local, trusted}) {
    facts.choice = stage_choice::always;
    EXPECT_TRUE(*should_stage(facts, rules));
  }
  auto never = many;
  never.choice = stage_choice::never;
  EXPECT_FALSE(*should_stage(never, rules));
}

TEST(Staged, UnderAPolicyOnlyOwnImagesAre) {
  site::config rules;
  rules.has_admit = true;
  stage_facts facts{stage_choice::any, rules.stage.nodes + 1, true, false, true};
  EXPECT_TRUE(*should_stage(facts, rules));
  facts.own = false;
  EXPECT_FALSE(*should_stage(facts, rules));
  facts.choice = stage_choice::always;
  EXPECT_FALSE(should_stage(facts, rules));
  facts.own = facts.trusted = true;
  EXPECT_FALSE(should_stage(facts, rules));
}

TEST(Staged, OnlyTheJobsOwnCopyIsOpened) {
  site::config rules;
  const auto user = current_identity();
  image_file original;
  original.path = "/i.sqsh";
  original.owner = user.uid + 1;
  for (const auto* path : {"/etc/passwd", "/tmp/berth-staged-8-aaaaaaaaaaaaaaaa",
                           "/tmp/../tmp/berth-staged-7-aaaaaaaaaaaaaaaa"}) {
    const auto opened = open_staged({path, digest}, original, rules, 7, user);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().text(), HasSubstr("stage.folder")) << path;
  }
  const staged_copy right{"/tmp/berth-staged-7-aaaaaaaaaaaaaaaa", digest};
  EXPECT_THAT(open_staged(right, original, rules, 7, user).error().text(),
              HasSubstr("cannot open"));
  rules.has_admit = true;
  EXPECT_THAT(open_staged(right, original, rules, 7, user).error().text(),
              HasSubstr("not the user's own"));
}

}  // namespace
}  // namespace berth::container
