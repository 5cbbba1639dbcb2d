#include "container/slurm_inside.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "container/slurm_conf.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

slurm_files some_files() {
  return {{"/etc/slurm/slurm.conf", "/opt/slurm/bin"},
          "/lib64/ld.so.2",
          {"/opt/slurm/bin/srun"},
          {{"libc.so.6", "/lib/libc.so.6"}, {"/opt/x/liby.so", "/opt/x/liby.so"}},
          {"/opt/slurm/lib/slurm"},
          {"/opt/pmix/lib/libpmix.so"},
          {"/run/munge"}};
}

class SlurmFolder : public testing::Test {
 protected:
  SlurmFolder() {
    auto pattern = std::string("/tmp/berth-slurm-XXXXXX");
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SlurmFolder() override { fs::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  fs::path folder_;
};

TEST(SlurmInside, FilesArriveAsTheyWereSent) {
  const auto files = some_files();
  const auto got = decode_slurm_files(encode(files));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->place, files.place);
  EXPECT_EQ(encode(*got), encode(files));
  EXPECT_FALSE(decode_slurm_files(encode(files).substr(1)));
}

TEST(SlurmInside, EverythingIsReadOnlyAndWithTheUsersRights) {
  const auto binds = plan_slurm(some_files(), "/opt/berth/berth-slurm");
  for (const auto& one : binds) {
    EXPECT_TRUE(one.read_only) << one.target;
    EXPECT_EQ(one.opened_with, rights::user) << one.target;
    EXPECT_EQ(one.fills, one.target == "/opt/pmix/lib/libpmix.so") << one.target;
    EXPECT_EQ(one.required, one.target != "/run/munge" && !one.fills) << one.target;
  }
  std::vector<std::string> targets;
  for (const auto& one : binds) targets.push_back(one.source + ">" + one.target);
  EXPECT_THAT(
      targets,
      ElementsAre("/opt/slurm/bin/srun>/run/berth/slurm/programs/srun",
                  "/opt/berth/berth-slurm>/run/berth/slurm/bin/srun",
                  "/lib64/ld.so.2>/run/berth/slurm/lib/ld.so", "/opt/x/liby.so>/opt/x/liby.so",
                  "/lib/libc.so.6>/run/berth/slurm/lib/libc.so.6",
                  "/opt/slurm/lib/slurm>/opt/slurm/lib/slurm",
                  "/opt/pmix/lib/libpmix.so>/opt/pmix/lib/libpmix.so", "/run/munge>/run/munge"));
}

TEST(SlurmInside, ASitesMountReplacesOneOfThese) {
  mount_facts facts;
  facts.slurm = plan_slurm(some_files(), "/opt/berth/berth-slurm");
  const auto binds = plan_binds(facts, {{"/site/munge", "/run/munge", false, true}});
  const auto munge = std::find_if(binds.begin(), binds.end(),
                                  [](const bind& one) { return one.target == "/run/munge"; });
  ASSERT_NE(munge, binds.end());
  EXPECT_EQ(munge->source, "/site/munge");
}

TEST(SlurmInside, CommandsStandInFrontOfTheImagesPath) {
  std::vector<environment_edit> edits{{"PATH", "/image", "image"}};
  add_slurm(edits, {"PATH=/task"}, "/etc/slurm/slurm.conf");
  EXPECT_EQ(edits.front().value, "/run/berth/slurm/bin:/image");
  edits.clear();
  add_slurm(edits, {"PATH=/task"}, "/etc/slurm/slurm.conf");
  EXPECT_EQ(edits.front().value, "/run/berth/slurm/bin:/task");
  edits = {{"PATH", std::nullopt, "site"}, {"SLURM_CONF", "/other", "site"}};
  add_slurm(edits, {"PATH=/task"}, "/etc/slurm/slurm.conf");
  EXPECT_EQ(edits.front().value, "/run/berth/slurm/bin:/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(edits.size(), 2U);
  EXPECT_EQ(edits.back().value, "/etc/slurm/slurm.conf");
}

TEST_F(SlurmFolder, TheSignatureFollowsEveryFile) {
  auto files = some_files();
  files.libraries["libz.so.1"] = write("libz.so.1", "a");
  const auto before = signature_of(files);
  EXPECT_EQ(signature_of(files), before);
  write("libz.so.1", "ab");
  EXPECT_NE(signature_of(files), before);
}

TEST_F(SlurmFolder, ThisMachinesSlurmIsFound) {
  const fs::path programs = "/usr/bin";
  if (!fs::exists(programs / "srun")) GTEST_SKIP() << "no Slurm here";
  write("more.conf", "optional /nowhere/other.so\n");
  write("plugstack.conf", "# our own\nrequired " BERTH_PLUGIN " site=/x\ninclude " +
                              (folder_ / "*.conf.d").string() + "\ninclude " +
                              (folder_ / "more.conf").string() + "\n");
  const auto found = find_slurm_files({write("slurm.conf", "ClusterName=a\n"), programs});
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_THAT(found->programs, Contains("/usr/bin/srun"));
  EXPECT_TRUE(found->libraries.contains("libmunge.so.2")) << "of a plugin";
  EXPECT_FALSE(found->libraries.contains("libmariadb.so.3")) << "of a daemon's plugin";
  EXPECT_THAT(found->folders, Contains(folder_));
  EXPECT_THAT(found->folders, Contains(BERTH_PLUGIN));
  EXPECT_THAT(found->folders, Not(Contains("/nowhere/other.so")));
}

TEST_F(SlurmFolder, WithoutSrunThereIsNothing) {
  const auto found = find_slurm_files({"/etc/slurm/slurm.conf", folder_});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().text(), testing::HasSubstr("no srun in \"" + folder_.string()));
}

}  // namespace
}  // namespace berth::container
