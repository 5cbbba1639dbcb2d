#include "rootfs_scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

/// A user's own mounts and the rules that hold for them.
class UserMounts : public Rootfs {
 protected:
  [[nodiscard]] bind users(const std::string& source, const std::string& target) const {
    return {source, target, rights::user, false, true, "user"};
  }
  std::string enter_as_user(const std::vector<bind>& binds,
                            const std::function<std::string()>& look,
                            const site::user_mount_rules& rules = {}, bool writable = true) {
    const auto image = open_image(make_image(), "/", {}, nobody());
    if (!image) return image.error().text();
    return in_child([&] {
      auto mount = mount_kernel_or_fuse(*image);
      if (!mount) return mount.error().text();
      auto entered = leave_mount_namespace().and_then([&] {
        return enter_root(std::move(*mount), {binds, 1 << 20, nobody(), rules, writable});
      });
      return entered ? look() : entered.error().text();
    });
  }
};

TEST_P(UserMounts, ShowWhatTheUserCanReach) {
  EXPECT_EQ(enter_as_user({users(folder_ / "source", "/new/place")},
                          [] { return content("/new/place/file"); }),
            "the node's\n");
  folder_.folder("private", 0700);
  folder_.write("private/file", "secret");
  for (const auto& closed : {folder_ / "private/file", folder_ / "private/../private/file"}) {
    EXPECT_THAT(enter_as_user({users(closed, "/data")}, nothing), HasSubstr("Permission denied"));
  }
  // The folder itself can be named, but not looked into: that is so on the node too.
  EXPECT_EQ(enter_as_user({users(folder_ / "private", "/data")},
                          []() -> std::string {
                            const auto us = become(nobody());
                            return ::access("/data/file", F_OK) == 0 ? "reached" : "";
                          }),
            "");
}

TEST_P(UserMounts, ReachNothingThatTheHelperHasOpen) {
  folder_.folder("private", 0700);
  folder_.write("private/inner/file", "secret");
  const unique_fd held(::open((folder_ / "private/inner").c_str(), O_PATH | O_DIRECTORY));
  ASSERT_TRUE(held);
  const auto number = std::to_string(held.get());
  for (const auto& path : {"/proc/self/fd/" + number, "/proc/thread-self/fd/" + number + "/file",
                           std::string("/proc/self/root"), std::string("/proc/self/cwd")}) {
    EXPECT_THAT(enter_as_user({users(path, "/data")}, nothing), HasSubstr("mount source")) << path;
  }
}

TEST_P(UserMounts, FollowTheSitesRules) {
  const site::user_mount_rules rules{{folder_ / "source"}, {folder_ / "source/exams"}};
  folder_.folder("source/exams/2026");
  folder_.folder("source/open");
  folder_.folder("source2");
  fs::create_directory_symlink(folder_ / "source/exams", folder_ / "source/open/link");
  EXPECT_EQ(enter_as_user({users(folder_ / "source/open", "/data")}, nothing, rules), "entered");
  for (const auto* no : {"source", "source/exams/2026", "source/open/link", "source2",
                         "source/../source2", "source/open/link/2026"}) {
    EXPECT_THAT(enter_as_user({users(folder_ / no, "/data")}, nothing, rules),
                AllOf(HasSubstr("mount source"), HasSubstr("the site")))
        << no;
  }
  // The rules' own folders may be links; binds of the site know no rules.
  fs::create_directory_symlink(folder_ / "source", folder_ / "alias");
  EXPECT_EQ(
      enter_as_user({users(folder_ / "source/open", "/data")}, nothing, {{folder_ / "alias"}, {}}),
      "entered");
  EXPECT_EQ(enter_as_user({from_node("source2", "/data")}, nothing, {{}, {}}), "entered");
}

TEST_P(UserMounts, TheSubmitFolderShowsNothingForbiddenEither) {
  folder_.folder("source/exams/2026");
  const site::user_mount_rules rules{{}, {folder_ / "source/exams"}};
  const auto shown = [&](const std::string& submitted) {
    const auto path = folder_ / submitted;
    bind submit{path, path, rights::user, false, false, std::string(submit_origin)};
    return enter_as_user(
        {submit}, [&] { return fs::exists(path + "/2026") ? "shown" : "absent"; }, rules);
  };
  EXPECT_EQ(shown("source/exams"), "absent");
  EXPECT_EQ(enter_as_user(
                {{folder_ / "source", folder_ / "source", rights::user, false, false,
                  std::string(submit_origin)}},
                [&] { return fs::exists(folder_ / "source/exams") ? "shown" : "absent"; }, rules),
            "absent");
  EXPECT_EQ(enter_as_user({{folder_ / "source", folder_ / "source", rights::user, false, false,
                            std::string(submit_origin)}},
                          [&] { return content(folder_ / "source/file"); }, {{}, {}}),
            "the node's\n");
}

// What an image asks for is held to what its user may ask for.
TEST_P(UserMounts, OfAnImageAreHeldToTheSameRules) {
  folder_.folder("private", 0700);
  folder_.write("private/file", "secret");
  folder_.folder("source/exams");
  const site::user_mount_rules rules{{folder_ / "source"}, {folder_ / "source/exams"}};
  const auto images = [&](const std::string& source, const std::string& target) {
    auto rule = users(source, target);
    rule.origin = image_origin;
    return rule;
  };
  EXPECT_THAT(enter_as_user({images(folder_ / "private/file", "/data")}, nothing),
              AllOf(HasSubstr("its /etc/fstab: "), HasSubstr("Permission denied"),
                    HasSubstr("--container-mounts=tmpfs:/data starts without it")));
  for (const auto* no : {"source", "source/exams", "source2", "source/../private"}) {
    EXPECT_THAT(enter_as_user({images(folder_ / no, "/data")}, nothing, rules),
                HasSubstr("its /etc/fstab: "))
        << no;
    auto may_fail = images(folder_ / no, "/data");
    may_fail.required = false;
    EXPECT_EQ(enter_as_user({may_fail}, nothing, rules), "entered") << no;
  }
  for (const auto* path : {"/proc/self/root", "/proc/self/cwd", "/proc/1/root"}) {
    EXPECT_THAT(enter_as_user({images(path, "/data")}, nothing), HasSubstr("mount source")) << path;
  }
  fs::create_symlink("/proc", folder_ / "root/way");
  EXPECT_THAT(enter_as_user({proc, images(folder_ / "source", "/way/sys")}, nothing),
              HasSubstr("leads into /proc"));
}

TEST_P(UserMounts, OfAnImageDoNotShowAHiddenHome) {
  folder_.write("home/.ssh/key", "secret");
  folder_.folder("home/run");
  fs::create_directory_symlink(folder_ / "home/.ssh", folder_ / "source/way");
  bind submit{folder_ / "home/run",      folder_ / "home/run", rights::user, false, false,
              std::string(submit_origin)};
  const auto show = [&](const std::string& source) {
    auto rule = users(folder_ / source, "/data");
    rule.origin = image_origin;
    const auto image = open_image(make_image(), "/", {}, nobody());
    if (!image) return image.error().text();
    return in_child([&] {
      auto mount = mount_kernel_or_fuse(*image);
      if (!mount) return mount.error().text();
      root_plan plan{{submit, rule}, 1 << 20, nobody()};
      plan.hidden = folder_ / "home";
      auto entered =
          leave_mount_namespace().and_then([&] { return enter_root(std::move(*mount), plan); });
      return entered ? nothing() : entered.error().text();
    });
  };
  for (const auto* hidden :
       {"home", "home/.ssh", "home/.ssh/key", "source/way", "home/run/..", "."}) {
    EXPECT_THAT(show(hidden), HasSubstr("--no-container-mount-home hides")) << hidden;
  }
  EXPECT_EQ(show("home/run"), "entered");
  EXPECT_EQ(show("source"), "entered");
}

TEST_P(UserMounts, CanKeepProgramsFromRunning) {
  auto data = users(folder_ / "source", "/data");
  auto memory = users("", "/fast");
  memory.kind = mount_kind::tmpfs;
  data.no_exec = memory.no_exec = true;
  EXPECT_EQ(enter_as_user({data, memory},
                          []() -> std::string {
                            struct statvfs info {};
                            for (const auto* path : {"/data", "/fast"}) {
                              if (::statvfs(path, &info) != 0) return "statvfs";
                              if ((info.f_flag & ST_NOEXEC) == 0) return path;
                            }
                            return "";
                          }),
            "");
}

TEST_P(UserMounts, AFolderIsOnlyMade) {
  auto volume = users("", "/var/lib/db");
  volume.kind = mount_kind::folder;
  EXPECT_EQ(enter_as_user({volume},
                          []() -> std::string {
                            if (!fs::is_directory("/var/lib/db")) return "not made";
                            struct stat made {
                            }, root{};
                            if (::stat("/var/lib/db", &made) != 0 || ::stat("/", &root) != 0)
                              return "stat";
                            return made.st_dev == root.st_dev ? "" : "mounted";
                          }),
            "");
}

TEST_P(UserMounts, StayInTheRootWhateverTheImagesLinks) {
  folder_.folder("victim");
  for (const auto& escape : {std::string("../../../../../../.."), folder_ / "victim"}) {
    fs::remove(folder_ / "root/way");
    fs::create_symlink(escape, folder_ / "root/way");
    enter_as_user({users(folder_ / "source", "/way/out")}, nothing);
    EXPECT_THAT(names_in("victim"), IsEmpty()) << escape;
    EXPECT_THAT(names_in("source"), testing::ElementsAre("file"));
  }
}

TEST_P(UserMounts, NeverLieInProc) {
  fs::create_symlink("/proc", folder_ / "root/way");
  for (const auto* target : {"/way/sys", "/way", "/way/self/attr"}) {
    EXPECT_THAT(enter_as_user({proc, users(folder_ / "source", target)}, nothing),
                HasSubstr("leads into /proc"))
        << target;
  }
}

TEST_P(UserMounts, AreNotMadeInFoldersOfTheNode) {
  EXPECT_THAT(enter_as_user(
                  {users(folder_ / "source", "/data"), users(folder_ / "source", "/data/missing")},
                  nothing),
              AllOf(HasSubstr("mount point \"/data/missing\""), HasSubstr("make it there")));
  EXPECT_THAT(names_in("source"), testing::ElementsAre("file"));
}

TEST_P(UserMounts, OfMemoryAreEverybodysAndLimited) {
  auto memory = users("", "/fast");
  memory.kind = mount_kind::tmpfs;
  memory.size = 64 << 10;
  EXPECT_EQ(enter_as_user({memory},
                          []() -> std::string {
                            struct statvfs info {};
                            if (::statvfs("/fast", &info) != 0) return "statvfs";
                            if ((info.f_flag & ST_NOSUID) == 0) return "set-user-ID";
                            if ((info.f_flag & ST_NODEV) == 0) return "devices";
                            if (!become(nobody())) return "become";
                            if (auto why = try_to_write("/fast/a", "x"); !why.empty()) return why;
                            return try_to_write("/fast/b", std::string(128 << 10, 'x'));
                          }),
            "No space left on device");
  memory.size = 2 << 20;
  EXPECT_THAT(enter_as_user({memory}, nothing), HasSubstr("more than the 1048576 that the site"));
}

TEST_P(UserMounts, KeepTheirAttributes) {
  auto rule = users(folder_ / "source", "/data");
  rule.read_only = true;
  EXPECT_EQ(enter_as_user({rule}, [] { return try_to_write("/data/new", "x"); }),
            "Read-only file system");
  struct statvfs info {};
  EXPECT_EQ(enter_as_user({users(folder_ / "source", "/data")},
                          [&]() -> std::string {
                            if (::statvfs("/data", &info) != 0) return "statvfs";
                            return (info.f_flag & ST_NOSUID) != 0 ? "" : "set-user-ID works";
                          }),
            "");
}

TEST_P(UserMounts, AReadOnlyRootLeavesTheMountsWritable) {
  EXPECT_EQ(enter_as_user(
                {users(folder_ / "source", "/data")},
                []() -> std::string {
                  if (try_to_write("/etc/new", "x") != "Read-only file system") return "?";
                  return try_to_write("/data/new", "x");
                },
                {}, false),
            "");
}

INSTANTIATE_TEST_SUITE_P(Backends, UserMounts, testing::Values("Kernel", "Fuse"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace berth::container
