#include "rootfs_scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

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
  // In /tmp nothing of the node is to be seen while a root is put together.
  const scratch away("/var/tmp");
  const std::string escapes[] = {"../../../../../../..", "/", "../../../../.." + (away / "victim"),
                                 away / "victim"};
  away.folder("victim");
  away.write("victim/passwd", "the victim's\n");
  away.write("victim/ada/file", "the victim's\n");
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
                if (::access((away / "victim/ada").c_str(), F_OK) == 0 &&
                    content(away / "victim/ada/file") == "the victim's\n") {
                  return "sees the node";
                }
                return content("/home/ada/file");
              });
    // Refused or mounted within the image: both are right, as long as the node is as it was.
    EXPECT_TRUE(complaint == "the node's\n" || complaint.starts_with("mount point") ||
                complaint.starts_with("cannot"))
        << escape << ": " << complaint;
    EXPECT_THAT(names_in(away, "victim"), testing::UnorderedElementsAre("passwd", "ada"));
    EXPECT_THAT(names_in(away, "victim/ada"), testing::ElementsAre("file"));
    EXPECT_EQ(content(away / "victim/passwd"), "the victim's\n");
    EXPECT_THAT(names_in("source"), testing::ElementsAre("file"));
    EXPECT_EQ(content(folder_ / "source/file"), "the node's\n");
  }
}

TEST_P(Rootfs, ALinkToAFileOfTheNodeIsNotWrittenThrough) {
  const scratch away("/var/tmp");
  away.write("victim", "the victim's\n", 0666);
  for (const auto& escape : {away / "victim", "../../../../../.." + (away / "victim")}) {
    fs::remove(folder_ / "root/etc/passwd");
    fs::create_symlink(escape, folder_ / "root/etc/passwd");
    EXPECT_EQ(
        enter({from_node("source/file", "/etc/passwd")}, [] { return content("/etc/passwd"); }),
        "the node's\n");
    EXPECT_EQ(content(away / "victim"), "the victim's\n");
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

INSTANTIATE_TEST_SUITE_P(Backends, Rootfs, testing::Values("Kernel", "Fuse", "Erofs", "Folder"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace berth::container
