#include "binding/site_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::lua {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> problems_of(const std::string& source) {
  std::vector<std::string> problems;
  const auto file = site_file::evaluate("s", source, problems);
  EXPECT_EQ(bool(file), problems.empty()) << source;
  return problems;
}

site_file evaluated(const std::string& source) {
  std::vector<std::string> problems;
  auto file = site_file::evaluate("s", source, problems);
  if (!file) throw std::runtime_error(file.error().text());
  return std::move(*file);
}

struct bad_file {
  const char* source;
  std::vector<std::string> problems;
};

const bad_file bad_files[] = {
    {"", {"s: must return one table, got nothing; end the file with: return { ... }"}},
    {"return 3", {"s:1: must return one table, got a number; end the file with: return { ... }"}},
    {"\nreturn {\n images = }", {"s:3: unexpected symbol near '}'"}},
    {"\nerror('no')", {"s:2: no"}},
    {"return {\n\n images = {\n  folder = {} } }",
     {"s:4: images.folder: unknown key; did you mean \"folders\"?"}},
    {"return {\n image = {} }", {"s:2: image: unknown key; did you mean \"images\"?"}},
    {"return { pin = { verbose = true } }",
     {"s:1: pin.verbose: unknown key; known are default, partitions, on_failure"}},
    {"return { pin = 'core' }", {"s:1: pin: expected a table, got a string"}},
    {"return { 'core' }", {"s:1: [1]: a value without a name; write NAME = VALUE"}},
    {"return { [true] = 1 }", {"s:1: [boolean]: a value without a name; write NAME = VALUE"}},
    {"return { images = { folders = '/a' } }",
     {"s:1: images.folders: expected a list, got a string; put braces around it"}},
    {"return { images = { folders = { x = '/a' } } }",
     {"s:1: images.folders.x: unknown key; this is a list, its entries have no names"}},
    {"return { images = {\n folders = { '/a', nil, '/b' } } }",
     {"s:2: images.folders: has a hole: an entry in it is nil"}},
    {"return { images = {\n folders = { '/a',\n  false } } }",
     {"s:3: images.folders[2]: expected a string, got a boolean"}},
    {"return { images = {\n folders = { '/a',\n  'b' } } }",
     {"s:3: images.folders[2]: \"b\" is not an absolute path"}},
    {"return { images = { trusted = { [0] = '/' } } }",
     {"s:1: images.trusted.number: unknown key; this is a list, its entries have no names"}},
    {"return { mounts = {\n '/a',\n { source = '/b', readonly = true } } }",
     {"s:3: mounts[2].readonly: unknown key; did you mean \"read_only\"?"}},
    {"return { mounts = {\n { target = '/b' } } }", {"s:2: mounts[1]: has no source"}},
    {"return { mounts = { 7 } }", {"s:1: mounts[1]: expected a string or table, got a number"}},
    {"return { mounts = { '/a:/b:ro' } }",
     {"s:1: mounts[1]: \"/a:/b:ro\" holds a colon; write { source = ..., target = ..., read_only = "
      "true }"}},
    {"return { mounts = { {\n source = '/a',\n required = 'no' } } }",
     {"s:3: mounts[1].required: expected a boolean, got a string"}},
    {"return { mounts = { '/a',\n { source = '/b', target = '/a' } } }",
     {"s:2: mounts[2].target: \"/a\" is already the target of mounts[1]"}},
    {"return { environment = { set = {\n A = {} } } }",
     {"s:2: environment.set.A: expected a string or integer, got a table"}},
    {"return { environment = { set = {\n A = 1.5 } } }",
     {"s:2: environment.set.A: expected a string or integer, got a number"}},
    {"return { environment = { set = {\n ['A B'] = 'x' } } }",
     {"s:2: environment.set.A B: \"A B\" is not the name of an environment variable"}},
    {"return { environment = { unset = {\n 'A-B' } } }",
     {"s:2: environment.unset[1]: \"A-B\" is not the name of an environment variable"}},
    {"return { environment = { set = { A = '\\xff' } } }",
     {"s:1: environment.set.A: holds bytes that are not UTF-8 text"}},
    {"return { pin = {\n default = 'socket' } }",
     {"s:2: pin.default: \"socket\" is not one of auto, core, l3, numa, package, spread, compact, "
      "device, none, after commas perhaps smt, verbose, check, mem=local, mem=interleave, mem=hbm, "
      "mem=firsttouch"}},
    {"return { pin = {\n partitions = {\n gpu = 'auto,dry-run' } } }",
     {"s:3: pin.partitions.gpu: \"auto,dry-run\" is not one of auto, core, l3, numa, package, "
      "spread, compact, device, none, after commas perhaps smt, verbose, check, mem=local, "
      "mem=interleave, mem=hbm, mem=firsttouch"}},
    {"return { pin = {\n partitions = { gpu = true } } }",
     {"s:2: pin.partitions.gpu: expected a string, got a boolean"}},
    {"return { pin = {\n partitions = { 'core' } } }",
     {"s:2: pin.partitions[1]: a value without a name; write NAME = VALUE"}},
    {"return { pin = {\n partitions = 'core' } }",
     {"s:2: pin.partitions: expected a table, got a string"}},
    {"return { pin = {\n on_failure = 'die' } }",
     {"s:2: pin.on_failure: \"die\" is neither \"warn\" nor \"fail\""}},
    {"return {\n workdir = 'home' }",
     {"s:2: workdir: \"home\" is neither \"submit\" nor \"image\""}},
    {"return {\n overlay_size = 0/0 }",
     {"s:2: overlay_size: expected a string or integer, got a number"}},
    {"return { user_mounts = { deny = {} } }",
     {"s:1: user_mounts.deny: unknown key; known are allowed, forbidden"}},
    {"return { user_mounts = { allowed = '/a' } }",
     {"s:1: user_mounts.allowed: expected a list, got a string; put braces around it"}},
    {"return { user_mounts = { forbidden = { 'a' } } }",
     {"s:1: user_mounts.forbidden[1]: \"a\" is not an absolute path"}},
    {"return { warm_mounts = { idle_seconds = '5' } }",
     {"s:1: warm_mounts.idle_seconds: expected a integer, got a string"}},
    {"return { warm_mounts = { idle_seconds = -5 } }",
     {"s:1: warm_mounts.idle_seconds: -5 is negative"}},
    {"return { warm_mounts = { idle = 5 } }",
     {"s:1: warm_mounts.idle: unknown key; known are idle_seconds"}},
    {"return { cache = { quota = '1' } }",
     {"s:1: cache.quota: 1 bytes is not between 1M and 1024T"}},
    {"return { overlay_size = 1.5 }",
     {"s:1: overlay_size: expected a string or integer, got a number"}},
    {"return { stage = { nodes = -1 } }", {"s:1: stage.nodes: -1 is no count"}},
    {"return { overlay_size = -1 }", {"s:1: overlay_size: -1 is negative"}},
    {"return { overlay_size = '1 GB' }",
     {"s:1: overlay_size: \"1 GB\" is not a size; write bytes or a number with K, M, G or T"}},
    {"return { overlay_size = 4096 }",
     {"s:1: overlay_size: 4096 bytes is not between 1M and 1024T"}},
    {"return {\n admit = true }", {"s:2: admit: expected a function, got a boolean"}},
    {"return { admit = string.rep }", {"s:1: admit: expected a function, got a function"}},
    {"local x = setmetatable({}, {})\nreturn x",
     {"s:1: \"setmetatable\" is not available in a site file"}},
    {"local t = {}\nt.images = t\nt.t = t\nreturn t",
     {"s:2: images.images: unknown key; known are folders, trusted",
      "s:3: images.t: unknown key; known are folders, trusted",
      "s:3: t: unknown key; known are images, mounts, user_mounts, cache, stage, "
      "warm_mounts, environment, "
      "pin, slurm_inside, workdir, overlay_size, admit"}},
    {"local p = { folder = {} }\nlocal s = {}\ns.images = p\nreturn s",
     {"s:1: images.folder: unknown key; did you mean \"folders\"?"}},
};

TEST(SiteFile, EveryBadFileIsRefusedWithItsLine) {
  for (const auto& [source, problems] : bad_files) {
    EXPECT_EQ(problems_of(source), problems) << source;
  }
}

TEST(SiteFile, SeveralProblemsAreReportedAtOnceInOrder) {
  EXPECT_THAT(problems_of("return {\n workdir = 3,\n mounts = { 'x' },\n pin = { x = 1,\n"
                          "  default = 'y' },\n images = { folders = 1 } }"),
              ElementsAre(HasSubstr("s:2: workdir: expected"), HasSubstr("s:3: mounts[1].source:"),
                          HasSubstr("s:4: pin.x: unknown"), HasSubstr("s:5: pin.default:"),
                          HasSubstr("s:6: images.folders: expected")));
}

TEST(SiteFile, HostileTextCannotReachTheTerminal) {
  EXPECT_THAT(problems_of("error('a\\27[31m\\nb\\xc2\\x9bc')"), ElementsAre("s:1: a?[31m b?c"));
  EXPECT_THAT(problems_of("return { ['\\27[2J'] = 1 }"), ElementsAre(HasSubstr("?[2J: unknown")));
  const auto huge = problems_of("error(('x'):rep(1 << 20))");
  ASSERT_EQ(huge.size(), 1U);
  EXPECT_LT(huge.front().size(), 1010U);
}

TEST(SiteFile, GoodFilesAreAccepted) {
  for (const auto* source : {
           "return {}",
           "return { mounts = {}, images = {}, environment = {}, pin = {} }",
           "return { images = { folders = {}, trusted = {} } }",
           "return { environment = { set = { A = 1, B = 'x\\ny' }, unset = { 'C' } } }",
           "return { overlay_size = 1 << 30 }",
           "return { pin = { default = 'core,verbose' } }",
           "local s = {} for i = 1, 100 do s[i] = '/m' .. i end return { mounts = s }",
       }) {
    EXPECT_THAT(problems_of(source), IsEmpty()) << source;
  }
}

TEST(SiteFile, ValuesArriveInTheStruct) {
  const auto file = evaluated(R"(return {
    images = { folders = { "/srv/a", "/srv/b" }, trusted = { "/srv/b" } },
    mounts = { "/scratch", { source = "/n", target = "/c", read_only = true, required = false },
               { source = "/only" } },
    environment = { set = { A = "x", N = 4 }, unset = { "B" } },
    pin = { default = "numa", partitions = { gpu = "device,mem=hbm" }, on_failure = "fail" },
    slurm_inside = true,
    stage = { folder = "/local", nodes = 3 },
    workdir = "image",
    overlay_size = "512M",
    user_mounts = { allowed = { "/scratch", "/home" }, forbidden = { "/home/exam" } },
    cache = { folder = "/local/berth", quota = "10G" },
    warm_mounts = { idle_seconds = 60 },
  })");
  const auto& rules = file.config();
  EXPECT_THAT(rules.images.folders, ElementsAre("/srv/a", "/srv/b"));
  EXPECT_THAT(rules.images.trusted, ElementsAre("/srv/b"));
  ASSERT_EQ(rules.mounts.size(), 3U);
  EXPECT_EQ(rules.mounts[0].target, "/scratch");
  EXPECT_FALSE(rules.mounts[0].read_only);
  EXPECT_TRUE(rules.mounts[0].required);
  EXPECT_EQ(rules.mounts[1].source, "/n");
  EXPECT_EQ(rules.mounts[1].target, "/c");
  EXPECT_TRUE(rules.mounts[1].read_only);
  EXPECT_FALSE(rules.mounts[1].required);
  EXPECT_EQ(rules.mounts[2].target, "/only");
  EXPECT_EQ(rules.environment.set.at("N"), "4");
  EXPECT_THAT(rules.environment.unset, ElementsAre("B"));
  EXPECT_EQ(rules.pin, "numa");
  EXPECT_THAT(rules.pin_partitions, testing::ElementsAre(testing::Pair("gpu", "device,mem=hbm")));
  EXPECT_EQ(rules.on_pin_failure, site::pin_failure::fail);
  EXPECT_TRUE(rules.slurm_inside);
  EXPECT_EQ(rules.stage.folder, "/local");
  EXPECT_EQ(rules.stage.nodes, 3U);
  EXPECT_EQ(rules.workdir, site::workdir_rule::image);
  EXPECT_EQ(rules.overlay_size, 512U << 20);
  EXPECT_THAT(rules.user_mounts.allowed, ElementsAre("/scratch", "/home"));
  EXPECT_THAT(rules.user_mounts.forbidden, ElementsAre("/home/exam"));
  EXPECT_EQ(rules.cache.folder, "/local/berth");
  EXPECT_EQ(rules.cache.quota, std::uint64_t{10} << 30);
  EXPECT_EQ(rules.warm_mounts.idle_seconds, 60U);
  EXPECT_FALSE(rules.has_admit);
  EXPECT_EQ(file.from().at("pin.default"), 6);
}

TEST(SiteFile, KeysThatAreNotWrittenKeepTheirDefaults) {
  const auto file = evaluated("return { images = { trusted = {} } }");
  EXPECT_EQ(file.config().images.folders, site::config{}.images.folders);
  EXPECT_THAT(file.config().images.trusted, IsEmpty());
  EXPECT_EQ(file.config().pin, "auto");
  EXPECT_EQ(file.from().count("images.folders"), 0U);
}

std::string answer(const std::string& body) {
  auto file = evaluated("return {\n admit = function(job, image)\n " + body + "\n end }");
  const auto said = file.admit({7, 0, 1000, 1000, "ada", "physics", "gpu", "n1", 4, 8},
                               {"/srv/a.sqsh", 5000, 0, true});
  if (!said) return said.error().text();
  return said->admitted ? "admitted" : "refused: " + said->reason;
}

TEST(Admit, SeesTheFactsAndDecides) {
  EXPECT_EQ(answer("return job.user == 'ada' and job.id == 7 and job.tasks_on_node == 8"),
            "admitted");
  EXPECT_EQ(answer("return image.trusted and image.size == 5000 and image.owner == 0"), "admitted");
  EXPECT_EQ(answer("return false, 'use ' .. job.partition"), "refused: use gpu");
}

TEST(Admit, AnythingButADecisionIsAnError) {
  EXPECT_THAT(answer(""), HasSubstr("admit returned a nil; return true, or false and the reason"));
  EXPECT_THAT(answer("return 'no'"), HasSubstr("admit returned a string"));
  EXPECT_THAT(answer("return nil, 'no'"), HasSubstr("admit returned a nil"));
  EXPECT_THAT(answer("return false"), HasSubstr("false without a reason"));
  EXPECT_THAT(answer("return true, 'but'"), HasSubstr("true and a second value"));
  EXPECT_THAT(answer("return 1"), HasSubstr("admit returned a number"));
}

TEST(Admit, MisspeltFieldsAreErrorsWithTheirLine) {
  EXPECT_EQ(answer("return job.acount == 'x'"),
            "s:3: job has no field \"acount\"; did you mean \"account\"?");
  EXPECT_EQ(answer("return image.zzz"), "s:3: image has no field \"zzz\"");
  EXPECT_THAT(answer("job.user = nil; return job.user"), HasSubstr("job has no field \"user\""));
}

TEST(Admit, LimitsHoldForEachQuestion) {
  EXPECT_THAT(answer("while true do end"), HasSubstr("s:3: runs for more than"));
  EXPECT_THAT(answer("local s = ('x'):rep(1 << 28)"), HasSubstr("s:3: uses more than 16 MiB"));
  auto file = evaluated(
      "local n = 0 return { admit = function(j) n = n + 1 "
      "if n == 1 then while true do end end return true end }");
  EXPECT_FALSE(file.admit({}, {}));
  EXPECT_TRUE(file.admit({}, {}));
}

}  // namespace
}  // namespace berth::lua
