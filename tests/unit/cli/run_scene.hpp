#pragma once
// `berth run` as a user without privilege starts it, in an image of a few programs.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "program.hpp"

namespace berth::cli {

namespace fs = std::filesystem;

inline constexpr const char* user = "65534";
inline constexpr int plenty_ms = 20000;

/// /dev/fuse as distributions ship it, for everybody, whatever this machine has; seen by this
/// process and its children alone.
inline bool open_fuse_to_everybody() {
  static const bool done = [] {
    const std::string node = "/run/berth-test-fuse-" + std::to_string(::getpid());
    const bool made = ::unshare(CLONE_NEWNS) == 0 &&
                      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      ::mknod(node.c_str(), S_IFCHR | 0666, makedev(10, 229)) == 0 &&
                      ::chmod(node.c_str(), 0666) == 0 &&
                      ::mount(node.c_str(), "/dev/fuse", nullptr, MS_BIND, nullptr) == 0;
    ::unlink(node.c_str());
    return made;
  }();
  return done;
}

/// An image of the few programs that the tests need, made once.
class run_scene : public program_test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(open_fuse_to_everybody());
    auto pattern = std::string("/tmp/berth-run-image-XXXXXX");
    images_ = ::mkdtemp(pattern.data());
    fs::permissions(images_, fs::perms(0755));
    const auto script = images_ / "denied";
    std::ofstream(script) << "not a program";
    const auto made =
        run_ok({{BERTH_PROGRAM, "pack", "sh", "cat", "id", "ls", "sleep", "env", "grep", "--no-mpi",
                 "--workdir", "/opt/w", "--env", "FROM_IMAGE=yes", "--file",
                 script.string() + ":/opt/w/denied", "-o", images_ / "i.sqsh"},
                current_environment(),
                {}});
    ASSERT_TRUE(made) << made.error().text();
  }
  static void TearDownTestSuite() { fs::remove_all(images_); }

  void SetUp() override {
    // Everything the user needs belongs to the user.
    fs::create_directory(folder_ / "home");
    fs::create_directory(folder_ / "work");
    for (const auto& path : {folder_, folder_ / "tmp", folder_ / "home", folder_ / "work"}) {
      ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    }
  }
  [[nodiscard]] std::vector<std::string> users_environment() const {
    return {"PATH=/usr/bin:/bin", "HOME=" + path("home"), "TMPDIR=" + path("tmp")};
  }
  [[nodiscard]] std::vector<std::string> as_user(const std::vector<std::string>& words) const {
    std::vector<std::string> argv{"env",
                                  "-C",
                                  path("work"),
                                  "setpriv",
                                  std::string("--reuid=") + user,
                                  std::string("--regid=") + user,
                                  "--clear-groups",
                                  BERTH_PROGRAM,
                                  "run"};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }
  [[nodiscard]] outcome inside(const std::vector<std::string>& command,
                               const std::string& input = {}) const {
    std::vector<std::string> words{image(), "--"};
    words.insert(words.end(), command.begin(), command.end());
    auto end = run({as_user(words), users_environment(), input});
    EXPECT_TRUE(end);
    return std::move(*end);
  }
  [[nodiscard]] outcome shell(const std::string& script) const {
    return inside({"sh", "-c", script});
  }
  [[nodiscard]] static std::string image() { return images_ / "i.sqsh"; }

  static inline fs::path images_;
};

}  // namespace berth::cli
