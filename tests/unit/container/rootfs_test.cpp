#include "container/rootfs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "container/fuse_server.hpp"
#include "scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

const bind proc{"/proc", "/proc", rights::node, false, true, "default"};

/// Everything here is true for images that the kernel reads, for one behind FUSE and for a folder.
class Rootfs : public testing::TestWithParam<const char*> {
 protected:
  Rootfs() {
    folder_.write("root/etc/os-release", "NAME=image\n");
    folder_.write("root/etc/passwd", "the image's\n");
    for (const auto* name : {"root/proc", "root/data", "source"}) folder_.folder(name);
    folder_.write("source/file", "the node's\n");
  }
  [[nodiscard]] bind from_node(const std::string& name, const std::string& target) const {
    return {folder_ / name, target, rights::node, false, true, "test"};
  }
  /// The error of entering a container of the folder `root` with these binds, or what `look`
  /// says in there. Changes no namespace but that of a child process.
  std::string enter(const std::vector<bind>& binds, const std::function<std::string()>& look,
                    std::uint64_t size = 1 << 20) {
    const auto image = open_image(make_image(), "/", {}, nobody());
    if (!image) return image.error().text();
    return in_child([&] {
      auto mount = mount_kernel_or_fuse(*image);
      if (!mount) return mount.error().text();
      auto entered = leave_mount_namespace().and_then([&] {
        return enter_root(std::move(*mount), {binds, size, nobody()});
      });
      return entered ? look() : entered.error().text();
    });
  }
  std::string make_image() const {
    const std::string_view backend(GetParam());
    if (backend == "Folder") return folder_ / "root";
    return backend == "Erofs" ? folder_.pack_erofs("root", "a.erofs")
                              : folder_.pack("root", "a.sqsh");
  }
  static result<unique_fd> mount_kernel_or_fuse(const image_file& image) {
    if (std::string_view(GetParam()) != "Fuse") return mount_kernel(image);
    auto served = mount_fuse(image, nobody());
    if (!served) return pass(std::move(served));
    return std::move(served->mount);
  }
  [[nodiscard]] std::vector<std::string> names_in(const std::string& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  scratch folder_;
};

std::string content(const std::string& path) {
  const auto text = read_file(path, 1 << 20);
  return text ? *text : text.error().text();
}

/// "" when the file can be written, or the reason why not.
std::string try_to_write(const std::string& path, const std::string& text) {
  const unique_fd fd(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  if (!fd) return std::strerror(errno);
  const auto done = write_all(fd.get(), text);
  return done ? "" : done.error().code().message();
}

TEST_P(Rootfs, TheImageIsTheRootAndTheNodeIsOutOfReach) {
  const auto node_file = folder_ / "source/file";
  EXPECT_EQ(enter({proc},
                  [&]() -> std::string {
                    if (content("/etc/os-release") != "NAME=image\n") return "not the image";
                    if (::access(node_file.c_str(), F_OK) == 0) return "sees the node's files";
                    if (::chdir("../../..") != 0 || ::access("etc/os-release", F_OK) != 0) {
                      return "left the root";
                    }
                    if (fs::current_path() != "/") return fs::current_path();
                    bool overlay = false;
                    for (const auto& line : split(trim(content("/proc/self/mountinfo")), '\n')) {
                      const auto point = split(line, ' ')[4];
                      overlay = overlay || (point == "/" && line.find(" - overlay ") != line.npos);
                      if (point != "/" && !point.starts_with("/proc")) return line;
                    }
                    if (!overlay) return "the root is no overlay";
                    return "";
                  }),
            "");
}

TEST_P(Rootfs, NoSetUserIdAndNoDevices) {
  EXPECT_EQ(enter({},
                  []() -> std::string {
                    struct statvfs info {};
                    if (::statvfs("/", &info) != 0) return "statvfs";
                    return (info.f_flag & ST_NOSUID) != 0 && (info.f_flag & ST_NODEV) != 0 ? ""
                                                                                           : "bad";
                  }),
            "");
}

TEST_P(Rootfs, BindsGiveSetUserIdProgramsNoEffect) {
  // The node's own view has them, or the test shows nothing.
  struct statvfs outside {};
  ASSERT_EQ(::statvfs((folder_ / "source").c_str(), &outside), 0);
  ASSERT_EQ(outside.f_flag & ST_NOSUID, 0U) << "run the tests where programs may be set-user-ID";
  EXPECT_EQ(enter({from_node("source", "/data")},
                  []() -> std::string {
                    struct statvfs info {};
                    if (::statvfs("/data", &info) != 0) return "statvfs";
                    return (info.f_flag & ST_NOSUID) != 0 ? "" : "set-user-ID programs work";
                  }),
            "");
}

TEST_P(Rootfs, BindsShowTheNodesFilesAndFolders) {
  EXPECT_EQ(enter({from_node("source", "/data"), from_node("source/file", "/etc/passwd")},
                  []() -> std::string {
                    if (content("/data/file") != "the node's\n") return content("/data/file");
                    if (content("/etc/passwd") != "the node's\n") return content("/etc/passwd");
                    return try_to_write("/data/new", "from inside");
                  }),
            "");
  EXPECT_EQ(content(folder_ / "source/new"), "from inside");
}

TEST_P(Rootfs, AReadOnlyBindIsReadOnlyInTheContainerAlone) {
  auto rule = from_node("source", "/data");
  rule.read_only = true;
  EXPECT_EQ(enter({rule}, [] { return try_to_write("/data/file", "x"); }), "Read-only file system");
  EXPECT_EQ(try_to_write(folder_ / "source/later", "x"), "");
}

TEST_P(Rootfs, SourcesAreOpenedWithTheRightsOfTheirRule) {
  folder_.folder("private", 0700);
  folder_.write("private/file", "secret", 0644);
  auto rule = from_node("private/file", "/data/file");
  EXPECT_EQ(enter({rule}, [] { return content("/data/file"); }), "secret");
  rule.opened_with = rights::user;
  EXPECT_THAT(enter({rule}, [] { return std::string(); }),
              AllOf(HasSubstr("mount source"), HasSubstr("Permission denied")));
  rule.required = false;
  EXPECT_THAT(enter({rule}, [] { return content("/data/file"); }), HasSubstr("No such file"));
}

TEST_P(Rootfs, AMissingSourceIsAnErrorOnlyWhereItIsRequired) {
  auto rule = from_node("absent", "/data");
  EXPECT_THAT(enter({rule}, [] { return std::string(); }),
              AllOf(HasSubstr(folder_ / "absent"), HasSubstr("(test): No such file")));
  rule.required = false;
  EXPECT_EQ(enter({rule}, [] { return std::string("entered"); }), "entered");
}

TEST_P(Rootfs, MissingMountPointsAreMadeWithTheModesOfTheImagesFolders) {
  folder_.folder("root/opt", 0750);
  folder_.folder("root/opt/inner", 01777);
  folder_.write("root/opt/inner/kept", "kept");
  const auto complaint = enter(
      {from_node("source", "/opt/inner/a/b"), from_node("source/file", "/opt/inner/c/file")},
      []() -> std::string {
        const std::pair<const char*, mode_t> modes[] = {
            {"/opt", 0750}, {"/opt/inner", 01777}, {"/opt/inner/a", 0755}, {"/opt/inner/c", 0755}};
        for (const auto& [path, mode] : modes) {
          struct stat info {};
          if (::stat(path, &info) != 0 || (info.st_mode & 07777) != mode) return path;
        }
        if (content("/opt/inner/a/b/file") != "the node's\n") return "folder not bound";
        if (content("/opt/inner/c/file") != "the node's\n") return "file not bound";
        return content("/opt/inner/kept");
      });
  EXPECT_EQ(complaint, "kept");
}

TEST_P(Rootfs, AMountPointIsNeverMadeInAFolderOfTheNode) {
  const auto complaint =
      enter({from_node("source", "/data"), from_node("source/file", "/data/new/file")},
            [] { return std::string("entered"); });
  EXPECT_THAT(complaint, AllOf(HasSubstr("mount point \"/data/new/file\""), HasSubstr("No such")));
  EXPECT_THAT(names_in("source"), testing::ElementsAre("file"));
}

TEST_P(Rootfs, WhatIsWrittenIsLimitedAndThrownAway) {
  EXPECT_EQ(enter({},
                  []() -> std::string {
                    if (auto why = try_to_write("/etc/os-release", "changed\n"); !why.empty()) {
                      return why;
                    }
                    return try_to_write("/large", std::string(2 << 20, 'x'));
                  }),
            "No space left on device");
  EXPECT_EQ(enter(
                {}, [] { return try_to_write("/l", std::string(2 << 20, 'x')); }, 8 << 20),
            "");
  EXPECT_EQ(enter({}, [] { return content("/etc/os-release"); }), "NAME=image\n");
}

TEST_P(Rootfs, TheNodeSeesNothingOfTheContainersMounts) {
  const auto mounts_here = [&] {
    auto lines = split(content("/proc/self/mountinfo"), '\n');
    std::erase_if(lines, [&](const auto& line) { return line.find("berth") == std::string::npos; });
    return lines;
  };
  const auto before = mounts_here();
  EXPECT_EQ(enter({from_node("source", "/data")}, [] { return std::string("in"); }), "in");
  EXPECT_EQ(mounts_here(), before);
  EXPECT_FALSE(fs::exists("/tmp/upper"));
}

/// The folders that berth mounts on are links of the image, to where they could do harm.
TEST_P(Rootfs, LinksOfAHostileImageLeadNowhereOutside) {
  const std::string escapes[] = {"../../../../../../..", "/",
                                 "../../../../.." + (folder_ / "victim"), folder_ / "victim"};
  folder_.folder("victim");
  folder_.write("victim/passwd", "the victim's\n");
  folder_.write("victim/ada/file", "the victim's\n");
  for (const auto& escape : escapes) {
    fs::remove_all(folder_ / "root");
    folder_.folder("root");
    for (const auto* name : {"tmp", "home", "proc", "etc"}) {
      fs::create_symlink(escape, folder_ / (std::string("root/") + name));
    }
    const auto complaint =
        enter({from_node("source", "/tmp"), from_node("source/file", "/etc/passwd"),
               from_node("source", "/home/ada"), from_node("source", "/home/new")},
              [&]() -> std::string {
                if (::access((folder_ / "victim/ada").c_str(), F_OK) == 0 &&
                    content(folder_ / "victim/ada/file") == "the victim's\n") {
                  return "sees the node";
                }
                return content("/home/ada/file");
              });
    // Refused or mounted within the image: both are right, as long as the node is as it was.
    EXPECT_TRUE(complaint == "the node's\n" || complaint.starts_with("mount point") ||
                complaint.starts_with("cannot"))
        << escape << ": " << complaint;
    EXPECT_THAT(names_in("victim"), testing::UnorderedElementsAre("passwd", "ada"));
    EXPECT_THAT(names_in("victim/ada"), testing::ElementsAre("file"));
    EXPECT_EQ(content(folder_ / "victim/passwd"), "the victim's\n");
    EXPECT_THAT(names_in("source"), testing::ElementsAre("file"));
    EXPECT_EQ(content(folder_ / "source/file"), "the node's\n");
  }
}

TEST_P(Rootfs, ALinkToAFileOfTheNodeIsNotWrittenThrough) {
  folder_.write("victim", "the victim's\n", 0666);
  for (const auto& escape : {folder_ / "victim", "../../../../../.." + (folder_ / "victim")}) {
    fs::remove(folder_ / "root/etc/passwd");
    fs::create_symlink(escape, folder_ / "root/etc/passwd");
    EXPECT_EQ(
        enter({from_node("source/file", "/etc/passwd")}, [] { return content("/etc/passwd"); }),
        "the node's\n");
    EXPECT_EQ(content(folder_ / "victim"), "the victim's\n");
  }
}

TEST_P(Rootfs, ALinkWithinTheImageIsFollowed) {
  folder_.folder("root/usr/real");
  fs::create_symlink("usr/real", folder_ / "root/short");
  fs::create_symlink("/usr/real", folder_ / "root/absolute");
  EXPECT_EQ(enter({from_node("source", "/short"), from_node("source", "/absolute/new")},
                  []() -> std::string {
                    return content("/usr/real/file") == "the node's\n" ? "" : "not followed";
                  }),
            "mount point \"/absolute/new\": No such file or directory");
  EXPECT_EQ(
      enter({from_node("source", "/absolute/new")}, [] { return content("/usr/real/new/file"); }),
      "the node's\n");
}

TEST_P(Rootfs, MagicLinksOfProcAreRefused) {
  fs::remove_all(folder_ / "root/data");
  fs::create_symlink("/proc/self/root", folder_ / "root/data");
  const auto complaint =
      enter({proc, from_node("source", "/data/tmp")}, [] { return content("/data/tmp/file"); });
  EXPECT_TRUE(complaint == "the node's\n" || complaint.find("mount point") == 0) << complaint;
}

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

std::string nothing() {
  return "entered";
}

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

// Slurm's root-side code trusts /proc; a link of the image must not lead it to the user's files.
TEST_P(Rootfs, AProcThatALaterBindHidesIsRefused) {
  fs::remove(folder_ / "root/proc");
  folder_.folder("root/tmp/fake");
  fs::create_symlink("tmp/fake", folder_ / "root/proc");
  folder_.folder("source/fake");
  EXPECT_THAT(enter({proc, from_node("source", "/tmp")}, nothing),
              HasSubstr("its /proc is a link"));
  EXPECT_EQ(enter({proc}, nothing), "entered");
}

INSTANTIATE_TEST_SUITE_P(Backends, UserMounts, testing::Values("Kernel", "Fuse"),
                         [](const auto& backend) { return std::string(backend.param); });
INSTANTIATE_TEST_SUITE_P(Backends, Rootfs, testing::Values("Kernel", "Fuse", "Erofs", "Folder"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace berth::container
