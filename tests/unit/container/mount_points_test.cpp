#include "container/mount_points.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "scene.hpp"

namespace berth::container {
namespace {

/// Somebody on the machine who mounts and unmounts without a pause.
class busy_mounter {
 public:
  explicit busy_mounter(const std::string& folder) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      ::_exit(1);
    }
    while (::mount("busy", folder.c_str(), "tmpfs", 0, nullptr) == 0 &&
           ::umount2(folder.c_str(), 0) == 0) {
    }
    ::_exit(1);
  }
  ~busy_mounter() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  busy_mounter(const busy_mounter&) = delete;
  busy_mounter& operator=(const busy_mounter&) = delete;

  [[nodiscard]] bool is_busy() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_;
};

TEST(MountPoints, AreFoundWhileOthersMount) {
  scratch folder;
  folder.folder("root/a/b");
  folder.folder("busy");
  const unique_fd root(::open((folder / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(root);
  std::string path = "a";
  for (int i = 0; i < 200; ++i) path += "/b/..";
  const busy_mounter other(folder / "busy");
  for (int i = 0; i < 20000; ++i) {
    ASSERT_TRUE(open_inside(root.get(), path, O_PATH)) << i << ": " << std::strerror(errno);
  }
  EXPECT_TRUE(other.is_busy());
}

// The root helper makes them while tasks of other steps write to the root.
TEST(MountPoints, WhatATaskLeavesInTheirPlaceIsNeitherOpenedNorChanged) {
  scratch folder;
  folder.folder("root/etc/apt/apt.conf.d");
  const auto rule = folder / "root/etc/apt/apt.conf.d/90berth-remap-root";
  const unique_fd root(::open((folder / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(root);
  root_plan plan;
  plan.user = nobody();
  plan.remap = remapping{-1, true};
  const auto make = [&] {
    return in_child([&]() -> std::string {
      ::alarm(10);
      const auto made = make_missing_points(root.get(), {}, plan);
      return made ? "made" : made.error().text();
    });
  };
  EXPECT_EQ(make(), "made");
  EXPECT_EQ(*read_file(rule, 100), "APT::Sandbox::User \"root\";\n");
  folder.write("root/etc/apt/apt.conf.d/90berth-remap-root", "the user's own\n");
  EXPECT_EQ(make(), "made");
  EXPECT_EQ(*read_file(rule, 100), "the user's own\n");
  ASSERT_EQ(::unlink(rule.c_str()), 0);
  ASSERT_EQ(::mkfifo(rule.c_str(), 0600), 0);
  EXPECT_EQ(make(), "made");
}

}  // namespace
}  // namespace berth::container
