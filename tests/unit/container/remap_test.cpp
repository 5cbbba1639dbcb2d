// Root in a user namespace, against the real kernel: who owns what, and what
// stays forbidden.

#include <fmt/format.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>

#include "container/id_map.hpp"
#include "rootfs_scene.hpp"

namespace berth::container {
namespace {

constexpr id_range subordinate{300000, 65536};

class Remap : public testing::Test {
 protected:
  Remap() {
    folder_.write("root/etc/mine", "root's\n", 0600);
    folder_.write("root/etc/other", "33's\n", 0600);
    EXPECT_EQ(::chown((folder_ / "root/etc/other").c_str(), 33, 33), 0);
    folder_.folder("root/proc");
  }
  /// What `look` says as root of a container of the user nobody, whose ids are
  /// `map`. The image is a folder, so that not all in it is root's, seen
  /// through the map.
  std::string as_root(const id_map& map, const std::function<std::string()>& look) {
    const auto image = open_image(folder_ / "root", "/", {}, nobody());
    if (!image) return image.error().text();
    return in_child([&] {
      const auto space = make_user_namespace(nobody(), map);
      if (!space) return space.error().text();
      auto mount = mount_kernel(*image);
      if (!mount) return mount.error().text();
      root_plan plan{{proc}, 1 << 20, nobody()};
      plan.remap = remapping{space->get(), !map.several};
      const auto entered = leave_mount_namespace()
                               .and_then([&] { return enter_root(std::move(*mount), plan); })
                               .and_then([] { return become(nobody()); })
                               .and_then(forbid_new_privileges);
      if (!entered) return entered.error().text();
      if (::setns(space->get(), CLONE_NEWUSER) != 0) return std::string("cannot join");
      return look();
    });
  }
  static id_map several() { return plan_id_map(nobody(), subordinate, subordinate); }
  static id_map alone() { return plan_id_map(nobody(), std::nullopt, std::nullopt); }
  scratch folder_;
};

std::string owner(const char* path) {
  struct stat info {};
  return ::stat(path, &info) == 0 ? fmt::format("{}:{}", info.st_uid, info.st_gid) : "none";
}

TEST_F(Remap, RootReadsAndWritesWhatIsRootsAndSeesOtherOwners) {
  EXPECT_EQ(as_root(several(),
                    [] {
                      return fmt::format("{} {}{}{}{}", ::getuid(), content("/etc/mine"),
                                         content("/etc/other"), owner("/etc/other"),
                                         try_to_write("/new", "x"));
                    }),
            "0 root's\n33's\n33:33");
}

TEST_F(Remap, WhoIsAloneCannotReachOtherOwners) {
  EXPECT_EQ(as_root(alone(), [] { return content("/etc/mine") + owner("/etc/other"); }),
            "root's\n65534:65534");
}

TEST_F(Remap, TheMountNamespaceStaysTheNodes) {
  const auto look = [] {
    std::string done;
    if (::mount("x", "/etc", "tmpfs", 0, nullptr) == 0) done += "mounted ";
    if (::umount2("/proc", MNT_DETACH) == 0) done += "unmounted ";
    if (::mknod("/null", S_IFCHR | 0666, 0x103) == 0) done += "device ";
    if (::setgroups(0, nullptr) == 0) done += "groups ";
    return done + "nothing";
  };
  EXPECT_EQ(as_root(alone(), look), "nothing");
  // Who has ranges of groups may choose among them, as with newgidmap(1).
  EXPECT_EQ(as_root(several(), look), "groups nothing");
}

TEST_F(Remap, ChangesOfIdsArePretended) {
  EXPECT_EQ(as_root(alone(),
                    [] {
                      if (auto done = pretend_ids(); !done) return done.error().text();
                      const bool all = ::chown("/etc/mine", 5, 5) == 0 &&
                                       ::setgroups(0, nullptr) == 0 && ::setresuid(7, 7, 7) == 0 &&
                                       ::setgid(7) == 0;
                      return fmt::format("{} {} {}", all, owner("/etc/mine"), ::getuid());
                    }),
            "true 0:0 0");
}

}  // namespace
}  // namespace berth::container
