#include "container/plan.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace berth::container {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const mount_facts ada{"/home/ada", "/home/ada/run", ""};

std::vector<std::string> targets(const std::vector<bind>& binds) {
  std::vector<std::string> all;
  for (const auto& entry : binds) all.push_back(entry.target);
  return all;
}

const bind* find(const std::vector<bind>& binds, const std::string& target) {
  const auto found = std::find_if(binds.begin(), binds.end(),
                                  [&](const bind& entry) { return entry.target == target; });
  return found == binds.end() ? nullptr : &*found;
}

TEST(Plan, ShowsWhatPortableProgramsExpectAndTheUsersHome) {
  EXPECT_THAT(
      targets(plan_binds(ada, {})),
      ElementsAre("/proc", "/sys", "/dev", "/tmp", "/etc/passwd", "/etc/group", "/etc/hosts",
                  "/etc/resolv.conf", "/home/ada", "/run/berth/topology.xml"));
}

TEST(Plan, FilesOfTheNodeAreReadOnlyAndMayBeMissing) {
  const auto binds = plan_binds(ada, {});
  for (const auto* file :
       {"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/run/berth/topology.xml"}) {
    EXPECT_TRUE(find(binds, file)->read_only) << file;
    EXPECT_FALSE(find(binds, file)->required) << file;
  }
}

TEST(Plan, OnlyTheDefaultsAreOpenedWithTheNodesRights) {
  const auto binds = plan_binds({"/home/ada", "/jobs/run", "/spool/pmix.1.0"},
                                {{"/scratch", "/scratch", false, true}});
  for (const auto& entry : binds) {
    EXPECT_EQ(entry.opened_with == rights::node, entry.origin == "default") << entry.target;
  }
}

TEST(Plan, ASubmitFolderThatIsShownAlreadyIsNotMountedTwice) {
  for (const auto* folder : {"/home/ada", "/home/ada/run", "/home/ada/", "/tmp/run", "/dev/shm"}) {
    EXPECT_EQ(plan_binds({"/home/ada", folder, ""}, {}).size(), plan_binds(ada, {}).size())
        << folder;
  }
  EXPECT_THAT(targets(plan_binds({"/home/ada", "/home/adam", ""}, {})), Contains("/home/adam"));
  EXPECT_THAT(targets(plan_binds({"/home/ada", "/jobs/run", ""}, {})), Contains("/jobs/run"));
}

TEST(Plan, AFolderShownElsewhereIsNotShownAtItsOwnPath) {
  const auto binds = plan_binds({"", "/data/run", ""}, {{"/data", "/mnt/data", false, true}});
  EXPECT_THAT(targets(binds), Contains("/data/run"));
  EXPECT_FALSE(shows(binds, "/data"));
  EXPECT_TRUE(shows(binds, "/data/run/today"));
}

TEST(Plan, UsersFoldersNeverHideTheImagesSystem) {
  const char* hidden[] = {"",         "/",    "/usr",        "/usr/local",    "/root",
                          "/etc/x",   "/opt", "/var/lib/me", "/lib64/../bin", "/run/user/1000",
                          "relative", "//"};
  const auto plain = plan_binds({}, {}).size();
  for (const auto* folder : hidden) {
    EXPECT_EQ(plan_binds({folder, folder, ""}, {}).size(), plain) << folder;
  }
  for (const auto* folder : {"/users/ada", "/usrx", "/var/tmp", "/rooted", "/libs"}) {
    EXPECT_EQ(plan_binds({folder, folder, ""}, {}).size(), plain + 1) << folder;
  }
}

TEST(Plan, AHomeThatIsTheSubmitFolderIsOneMount) {
  const auto binds = plan_binds({"/home/ada", "/home/ada", ""}, {});
  EXPECT_EQ(std::count_if(binds.begin(), binds.end(),
                          [](const bind& entry) { return entry.source == "/home/ada"; }),
            1);
  EXPECT_EQ(find(binds, "/home/ada")->origin, "home");
}

TEST(Plan, AMountBelowAnotherComesAfterIt) {
  const std::vector<site::mount_rule> site{{"/b/c", "/a/b/c", false, true},
                                           {"/x", "/a", false, true},
                                           {"/y", "/a/b", false, true},
                                           {"/z", "/tmp/cache", false, true}};
  const auto all = targets(plan_binds({"/home/ada", "/home", ""}, site));
  for (std::size_t later = 0; later < all.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      EXPECT_FALSE(all[earlier].starts_with(all[later] + "/")) << all[earlier];
    }
  }
  EXPECT_EQ(all.size(), 9U + 4U + 2U);
}

TEST(Plan, TheSitesWordReplacesADefault) {
  const auto binds = plan_binds(ada, {{"/scratch/tmp", "/tmp", false, true},
                                      {"/etc/passwd.users", "/etc/passwd", true, true}});
  EXPECT_EQ(find(binds, "/tmp")->source, "/scratch/tmp");
  EXPECT_EQ(find(binds, "/etc/passwd")->source, "/etc/passwd.users");
  const auto all = targets(binds);
  EXPECT_EQ(std::count(all.begin(), all.end(), "/tmp"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "/etc/passwd"), 1);
}

mount_request user_mount(const std::string& source, const std::string& target) {
  mount_request mount;
  mount.source = source;
  mount.target = target;
  return mount;
}

TEST(Plan, UsersMountsAreOpenedWithTheirRightsAndMustBeThere) {
  auto facts = ada;
  facts.user = {user_mount("/data", "/mnt/data")};
  facts.user[0].read_only = true;
  const auto binds = plan_binds(facts, {});
  const auto* found = find(binds, "/mnt/data");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, (bind{"/data", "/mnt/data", rights::user, true, true, "user"}));
}

TEST(Plan, AUsersMountReplacesAnyOtherOnItsTarget) {
  auto facts = ada;
  for (const auto* target : {"/tmp", "/etc/passwd", "/scratch", "/home/ada", "/etc/hosts"}) {
    facts.user.push_back(user_mount("/data", target));
  }
  const auto binds = plan_binds(facts, {{"/lustre", "/scratch", false, true}});
  const auto all = targets(binds);
  for (const auto& mount : facts.user) {
    EXPECT_EQ(std::count(all.begin(), all.end(), mount.target), 1) << mount.target;
    EXPECT_EQ(find(binds, mount.target)->source, "/data");
  }
}

TEST(Plan, AMountBelowAUsersMountComesAfterIt) {
  auto facts = ada;
  facts.user = {user_mount("/data", "/home"), user_mount("", "/tmp/fast")};
  facts.user[1].kind = mount_kind::tmpfs;
  const auto all = targets(plan_binds(facts, {}));
  const auto place = [&](const char* target) {
    return std::find(all.begin(), all.end(), target) - all.begin();
  };
  EXPECT_LT(place("/home"), place("/home/ada"));
  EXPECT_LT(place("/tmp"), place("/tmp/fast"));
}

TEST(Plan, WithoutTheHomeNothingShowsIt) {
  auto facts = ada;
  facts.mount_home = false;
  EXPECT_THAT(targets(plan_binds(facts, {})), Not(Contains("/home/ada")));
  EXPECT_THAT(targets(plan_binds(facts, {})), Contains("/home/ada/run"));
  for (const auto* folder : {"/home/ada", "/home", "/home/ada/"}) {
    facts.submit_dir = folder;
    EXPECT_EQ(plan_binds(facts, {}).size(), plan_binds({}, {}).size()) << folder;
  }
}

std::string refusal(const std::string& real, const site::user_mount_rules& rules) {
  const auto allowed = may_mount(real, rules);
  return allowed ? "allowed" : allowed.error().text();
}

TEST(UserMounts, AreComparedByWholeComponents) {
  const site::user_mount_rules rules{{"/scratch", "/data/open"}, {}};
  for (const auto* yes : {"/scratch", "/scratch/a/b", "/data/open"}) {
    EXPECT_EQ(refusal(yes, rules), "allowed") << yes;
  }
  for (const auto* no : {"/scratch2", "/scratc", "/", "/data", "/data/opening", "relative", "",
                         "(unreachable)/scratch"}) {
    EXPECT_EQ(refusal(no, rules), "the site allows mounts from /scratch, /data/open only") << no;
  }
  EXPECT_EQ(refusal("/scratch", {{}, {}}), "the site allows no mounts of users");
}

TEST(UserMounts, NeitherShowAForbiddenFolderNorAreInIt) {
  const site::user_mount_rules rules{{"/"}, {"/sw/exams"}};
  EXPECT_EQ(refusal("/sw/exams/2026", rules), "the site forbids mounts from /sw/exams");
  EXPECT_EQ(refusal("/sw/exams", rules), "the site forbids mounts from /sw/exams");
  for (const auto* above : {"/", "/sw"}) {
    EXPECT_EQ(refusal(above, rules), "it holds /sw/exams, from which the site forbids mounts");
  }
  for (const auto* beside : {"/sw/exams2", "/sw/ex", "/home"}) {
    EXPECT_EQ(refusal(beside, rules), "allowed") << beside;
  }
}

TEST(Plan, TheFolderOfPmixIsMountedWhereItIsOnTheNode) {
  const auto folder = "/var/lib/slurm/slurmd/pmix.7.0";
  const auto* found = find(plan_binds({"", "", folder}, {}), folder);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(find(plan_binds({"", "", ""}, {}), folder), nullptr);
}

TEST(Plan, DescribesEachBindInALine) {
  const auto text = describe(plan_binds(ada, {{"/data", "/mnt", true, true}}));
  EXPECT_THAT(text, HasSubstr("/data -> /mnt (read-only, site)\n"));
  EXPECT_THAT(text, HasSubstr("/home/ada -> /home/ada (home)\n"));
  EXPECT_THAT(text, Not(HasSubstr("/home/ada/run")));
}

TEST(Plan, AnImageReplacesNothingThatSomebodyAskedFor) {
  auto facts = ada;
  facts.user = *parse_mounts("/u:/users", "/");
  const auto own = parse_mounts("tmpfs:/tmp,/i:/users,/i:/sites,/i:/home/ada,/i:/images", "/");
  for (const auto& mount : *own) facts.image.push_back({mount, false});
  const auto binds = plan_binds(facts, {{"/s", "/sites", false, true}});
  EXPECT_EQ(find(binds, "/tmp")->origin, "image");
  EXPECT_EQ(find(binds, "/tmp")->kind, mount_kind::tmpfs);
  EXPECT_EQ(find(binds, "/users")->origin, "user");
  EXPECT_EQ(find(binds, "/sites")->origin, "site");
  EXPECT_EQ(find(binds, "/home/ada")->origin, "home");
  const auto* images = find(binds, "/images");
  ASSERT_NE(images, nullptr);
  EXPECT_EQ(images->opened_with, rights::user);
  EXPECT_FALSE(images->required);
  for (const auto& entry : binds) {
    EXPECT_EQ(is_users_word(entry), entry.origin == "user" || entry.origin == "image");
    EXPECT_EQ(std::count_if(binds.begin(), binds.end(),
                            [&](const bind& other) { return other.target == entry.target; }),
              1);
  }
}

}  // namespace
}  // namespace berth::container
