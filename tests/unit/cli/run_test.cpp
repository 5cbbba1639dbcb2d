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
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
namespace fs = std::filesystem;

constexpr const char* user = "65534";
constexpr int plenty_ms = 20000;

/// /dev/fuse as distributions ship it, for everybody, whatever this machine has; seen by this
/// process and its children alone.
bool open_fuse_to_everybody() {
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
class Run : public program_test {
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

TEST_F(Run, TheRootIsTheImage) {
  const auto end = shell("cat /etc/os-release; ls /opt/w; echo $FROM_IMAGE; ls /usr/share/doc");
  EXPECT_THAT(end.out, AllOf(HasSubstr("NAME=\"Berth image\""), HasSubstr("denied\nyes\n")));
  EXPECT_THAT(end.err, HasSubstr("/usr/share/doc"));
}

TEST_F(Run, TheExitCodeIsTheCommands) {
  for (const auto code : {0, 1, 9, 255}) {
    EXPECT_EQ(shell("exit " + std::to_string(code)).exit_code, code);
  }
}

TEST_F(Run, AFolderIsAnImage) {
  const auto folder = images_ / "unpacked";
  ASSERT_TRUE(run_ok(
      {{"unsquashfs", "-q", "-n", "-d", folder.string(), image()}, current_environment(), {}}));
  const auto end = run({as_user({folder, "--", "sh", "-c", "cat /etc/os-release; >/mine"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_THAT(end->out, HasSubstr("NAME=\"Berth image\""));
  EXPECT_FALSE(fs::exists(folder / "mine"));
}

TEST_F(Run, TheContainersOptionsAreThoseOfSrun) {
  write("work/f", "data\n");
  const auto end =
      run({as_user({"--container-mounts", ".:/mnt/w:ro", "--container-mounts", "tmpfs:/fast",
                    "--container-workdir", "/mnt/w", "--no-container-mount-home",
                    "--container-readonly", "--container-env", "FROM_IMAGE", image(), "--", "sh",
                    "-c", "pwd; cat f; >/fast/f && echo fast; echo $FROM_IMAGE; >g; >/g"}),
           [&] {
             auto environment = users_environment();
             environment.emplace_back("FROM_IMAGE=caller");
             return environment;
           }(),
           {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "/mnt/w\ndata\nfast\ncaller\n") << end->err;
  EXPECT_THAT(end->err, HasSubstr("/g: Read-only file system"));
}

TEST_F(Run, VariablesAreAsGoodAsOptions) {
  auto environment = users_environment();
  environment.emplace_back("BERTH_CONTAINER_WORKDIR=/opt/w");
  environment.emplace_back("LD_LIBRARY_PATH=/nowhere");
  const auto end =
      run({as_user({image(), "--", "sh", "-c", "pwd; echo [$LD_LIBRARY_PATH]"}), environment, {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "/opt/w\n[]\n") << end->err;
}

TEST_F(Run, TheTimeOfTheStartIsTold) {
  const auto end = run({as_user({"--container-timing", image(), "--", "sh", "-c", "echo ran"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "ran\n");
  EXPECT_THAT(end->err, testing::StartsWith("berth: ready in "));
  EXPECT_THAT(end->err, AllOf(HasSubstr(" mount "), HasSubstr(" root "), HasSubstr(" other ")));
}

TEST_F(Run, ExplainTellsWhoSaidWhatAndRunsNothing) {
  auto environment = users_environment();
  environment.emplace_back("LD_PRELOAD=/node.so");
  const auto end =
      run({as_user({"--container-explain", "--container-mounts", "/etc:/mnt/e:ro,/absent:/mnt/a",
                    "--container-workdir", "/opt/w", image(), "--", "sh", "-c", "echo ran"}),
           environment,
           {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_THAT(end->out,
              AllOf(HasSubstr(image() + " (squashfs, "), HasSubstr("fuse: berth run"),
                    HasSubstr("/etc -> /mnt/e (read-only, user)\n"),
                    HasSubstr("/proc -> /proc (default)\n"), HasSubstr("FROM_IMAGE=yes (image)\n"),
                    HasSubstr("LD_PRELOAD removed (default)\n"),
                    HasSubstr("/opt/w (--container-workdir)\n"),
                    HasSubstr("\"/absent\" (user) is not on this machine\n")));
  EXPECT_THAT(end->out, testing::Not(HasSubstr("ran\n")));
}

TEST_F(Run, ExplainSpeaksJsonAndNeedsNoCommand) {
  const auto end = run({as_user({"--container-explain=json", image()}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  for (const auto* key : {"\"image\"", "\"backend\"", "\"mounts\"", "\"environment\"",
                          "\"workdir\"", "\"pin\"", "\"warnings\""}) {
    EXPECT_THAT(end->out, HasSubstr(key));
  }
  const auto wrong = run({as_user({"--container-explain=xml", image()}), users_environment(), {}});
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->exit_code, 2);
  EXPECT_THAT(wrong->err, HasSubstr("neither text nor json"));
}

TEST_F(Run, WrongOptionsAreOneLineAndExitCode2) {
  const std::pair<std::vector<std::string>, const char*> calls[] = {
      {{"--container-mounts", "/a:b"}, "--container-mounts: \"/a:b\": target \"b\""},
      {{"--container-workdir", "here"}, "not an absolute path"},
      {{"--container-readonly", "--container-writable"}, "opposite are both given"},
      {{"--container-backend", "docker"}, "none of auto, kernel, fuse, unpack"},
      {{"--container-workdir", "/a", "--container-workdir", "/b"}, "given twice"},
  };
  for (const auto& [options, message] : calls) {
    auto words = options;
    words.insert(words.end(), {image(), "--", "true"});
    const auto end = run({as_user(words), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 2) << end->err;
    EXPECT_THAT(end->err, HasSubstr(message));
    EXPECT_EQ(std::count(end->err.begin(), end->err.end(), '\n'), 1) << end->err;
  }
}

TEST_F(Run, AnUnpackedImageIsKeptForTheNextTime) {
  const std::vector<std::string> words{"--container-backend",
                                       "unpack",
                                       image(),
                                       "--",
                                       "sh",
                                       "-c",
                                       "cat /etc/os-release; >/mine && echo $FROM_IMAGE"};
  for (int time = 0; time < 2; ++time) {
    const auto end = run({as_user(words), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_THAT(end->out, AllOf(HasSubstr("NAME=\"Berth image\""), HasSubstr("\nyes\n")))
        << end->err;
  }
  const auto entries = fs::directory_iterator(path("home/.cache/berth/") + user);
  EXPECT_EQ(std::count_if(begin(entries), end(entries),
                          [](const auto& entry) { return entry.is_directory(); }),
            1);
}

TEST_F(Run, WithoutAContainerTheExitCodeIs125) {
  const auto text = write("text", "hello");
  const std::pair<std::string, const char*> images[] = {
      {path("absent.sqsh"), "No such file"},
      {text, "not a squashfs image"},
      {"/dev/null", "not a regular file or a folder"},
  };
  for (const auto& [name, message] : images) {
    const auto end = run({as_user({name, "--", "true"}), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 125) << end->err;
    EXPECT_THAT(end->err,
                AllOf(testing::StartsWith("berth: error: image \"" + name), HasSubstr(message)));
    EXPECT_EQ(std::count(end->err.begin(), end->err.end(), '\n'), 1) << end->err;
  }
}

TEST_F(Run, AnImageThatTheUserCannotReadIsRefused) {
  const auto secret = path("secret.sqsh");
  fs::copy_file(image(), secret);
  ASSERT_EQ(::chmod(secret.c_str(), 0600), 0);
  const auto end = run({as_user({secret, "--", "true"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 125);
  EXPECT_THAT(end->err, AllOf(HasSubstr("Permission denied"), HasSubstr("read permission")));
}

TEST_F(Run, ACommandThatCannotBeRunIs126AndAMissingOne127) {
  const auto denied = inside({"/opt/w/denied"});
  EXPECT_EQ(denied.exit_code, 126);
  EXPECT_THAT(denied.err,
              AllOf(HasSubstr("i.sqsh"), HasSubstr("\"/opt/w/denied\""), HasSubstr("chmod +x")));
  const auto missing = inside({"frobnicate"});
  EXPECT_EQ(missing.exit_code, 127);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("\"frobnicate\""), HasSubstr("searched PATH=")));
  EXPECT_EQ(inside({"/no/such"}).exit_code, 127);
}

TEST_F(Run, WrongUsageIs2) {
  for (const auto& words : {std::vector<std::string>{}, {image()}, {image(), "--"}}) {
    const auto end = run({as_user(words), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 2) << end->err;
    EXPECT_THAT(end->err, testing::StartsWith("berth: error: "));
  }
}

TEST_F(Run, OptionsAfterTheCommandAreTheCommands) {
  EXPECT_EQ(inside({"sh", "-c", "echo \"$@\"", "sh", "--help", "--site", "-x", "--"}).out,
            "--help --site -x --\n");
}

TEST_F(Run, StartsWhereTheUserIsAndShowsTheHome) {
  write("home/mine", "at home");
  EXPECT_EQ(inside({"sh", "-c", "pwd; cat $HOME/mine"}).out, path("work") + "\nat home");
  ASSERT_EQ(shell("echo kept > result").exit_code, 0);
  EXPECT_EQ(*read_file(path("work/result"), 100), "kept\n");
}

TEST_F(Run, WhatIsWrittenElsewhereIsThrownAway) {
  EXPECT_EQ(shell("echo x > /berth-new && cat /berth-new").out, "x\n");
  EXPECT_FALSE(fs::exists("/berth-new"));
  EXPECT_NE(shell("cat /berth-new").exit_code, 0);
}

TEST_F(Run, TheUserStaysTheUserWithoutAnyPrivilege) {
  const auto end = shell("id -u; id -g; cat /proc/self/status; cat /proc/self/uid_map");
  EXPECT_THAT(end.out, testing::StartsWith("65534\n65534\n"));
  EXPECT_THAT(end.out, HasSubstr("NoNewPrivs:\t1"));
  for (const auto* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"}) {
    EXPECT_THAT(end.out, HasSubstr(std::string(set) + ":\t0000000000000000"));
  }
}

TEST_F(Run, TheCommandHasTheCallersDescriptorsAndNoMore) {
  const std::string script = "echo /proc/self/fd/*";
  const auto outside = run({{"sh", "-c", script}, users_environment(), {}});
  ASSERT_TRUE(outside);
  EXPECT_EQ(shell(script).out, outside->out);
}

TEST_F(Run, StandardInputReachesTheCommand) {
  const std::string much(1 << 20, 'i');
  EXPECT_TRUE(inside({"cat"}, much).out == much);
}

/// The command runs until a signal comes; what `sh` printed first is in `first_line`.
class Running {
 public:
  Running(std::vector<std::string> argv, std::vector<std::string> env) {
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

TEST_F(Run, SignalsReachTheCommandAndItsDeathIsSeen) {
  for (const auto signal : {SIGTERM, SIGINT, SIGKILL}) {
    Running running(as_user({image(), "--", "sh", "-c", "echo ready; exec sleep 600"}),
                    users_environment());
    ASSERT_EQ(running.first_line, "ready");
    ::kill(running.pid, signal);
    EXPECT_EQ(running.wait(), 128 + signal);
  }
  Running trapping(as_user({image(), "--", "sh", "-c",
                            "trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done"}),
                   users_environment());
  ASSERT_EQ(trapping.first_line, "ready");
  ::kill(trapping.pid, SIGUSR1);
  EXPECT_EQ(trapping.wait(), 7);
}

/// The FUSE servers that read this test's image.
std::vector<pid_t> servers_of(const fs::path& image) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = parse_unsigned(entry.path().filename().string());
    std::error_code code;
    if (!pid || fs::read_symlink(entry.path() / "exe", code).filename() != "squashfuse_ll")
      continue;
    if (fs::read_symlink(entry.path() / "fd/3", code) == image) {
      found.push_back(static_cast<pid_t>(*pid));
    }
  }
  return found;
}

TEST_F(Run, TheServerEndsWithTheCommandEvenAfterSigkill) {
  for (const auto signal : {SIGTERM, SIGKILL}) {
    Running running(as_user({image(), "--", "sh", "-c", "echo ready; exec sleep 600"}),
                    users_environment());
    ASSERT_EQ(running.first_line, "ready");
    const auto servers = servers_of(image());
    ASSERT_EQ(servers.size(), 1U);
    const unique_fd server(static_cast<int>(::syscall(SYS_pidfd_open, servers.front(), 0)));
    ASSERT_TRUE(server);
    ::kill(running.pid, signal);
    EXPECT_EQ(running.wait(), 128 + signal);
    pollfd entry{server.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&entry, 1, plenty_ms), 1) << "squashfuse_ll still runs";
  }
}

TEST_F(Run, SideBySideContainersDoNotSeeEachOthersFiles) {
  Running first(as_user({image(), "--", "sh", "-c", "echo a > /mark; echo ready; exec sleep 600"}),
                users_environment());
  ASSERT_EQ(first.first_line, "ready");
  EXPECT_NE(shell("cat /mark").exit_code, 0);
  ::kill(first.pid, SIGTERM);
  first.wait();
}

TEST_F(Run, ABrokenSiteFileRefusesWithItsLine) {
  const auto site = write("site.lua", "return {\n  colour = 1,\n}\n");
  ASSERT_EQ(::chmod(site.c_str(), 0644), 0);
  const auto end =
      run({as_user({"--site", site, image(), "--", "sh", "-c", ":"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 125);
  EXPECT_THAT(end->err, HasSubstr("site.lua:2"));
}

TEST_F(Run, MountsAndVariablesOfTheSiteAreThere) {
  fs::create_directory(folder_ / "shared");
  write("shared/data", "shared");
  const auto site = write("site.lua", "return { mounts = { { source = \"" + path("shared") +
                                          "\", target = \"/data\", read_only = true } }, "
                                          "environment = { set = { SITE = \"here\" } } }\n");
  const auto end = run({as_user({"--site", site, image(), "--", "sh", "-c",
                                 "cat /data/data; echo $SITE; echo x > /data/new"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out, testing::StartsWith("sharedhere\n")) << end->err;
  EXPECT_NE(end->exit_code, 0);
  EXPECT_FALSE(fs::exists(path("shared/new")));
}

}  // namespace
}  // namespace berth::cli
