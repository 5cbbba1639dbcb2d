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
    const auto made = run_ok({{BERTH_PROGRAM, "pack",
                               "sh",          "cat",
                               "id",          "ls",
                               "sleep",       "env",
                               "grep",        "mv",
                               "rm",          "mkdir",
                               "chmod",       "--no-mpi",
                               "--workdir",   "/opt/w",
                               "--env",       "FROM_IMAGE=yes",
                               "--file",      script.string() + ":/opt/w/denied",
                               "-o",          images_ / "i.sqsh"},
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
  [[nodiscard]] std::vector<std::string> as_user(const std::vector<std::string>& words,
                                                 const char* verb = "run") const {
    std::vector<std::string> argv{"env",
                                  "-C",
                                  path("work"),
                                  "setpriv",
                                  std::string("--reuid=") + user,
                                  std::string("--regid=") + user,
                                  "--clear-groups",
                                  BERTH_PROGRAM,
                                  verb};
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

/// The command runs until a signal comes; what `sh` printed first is in `first_line`.
class running_command {
 public:
  running_command(std::vector<std::string> argv, std::vector<std::string> env) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    output_ = unique_fd(ends[0]);
    pid = ::fork();
    if (pid == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      std::vector<char*> raw;
      for (auto& word : argv) raw.push_back(word.data());
      raw.push_back(nullptr);
      std::vector<char*> raw_env;
      for (auto& entry : env) raw_env.push_back(entry.data());
      raw_env.push_back(nullptr);
      ::execvpe(raw[0], raw.data(), raw_env.data());
      ::_exit(99);
    }
    ::close(ends[1]);
    for (char c = 0; ::read(output_.get(), &c, 1) == 1 && c != '\n';) first_line += c;
  }
  /// As a shell reports it.
  int wait() {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  pid_t pid = -1;
  std::string first_line;

 private:
  unique_fd output_;
};

}  // namespace berth::cli
