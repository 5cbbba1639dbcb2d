#include "binding/site_process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.hpp"

namespace berth::lua {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::StartsWith;

class SiteProcess : public testing::Test {
 protected:
  SiteProcess() {
    std::string pattern = fs::temp_directory_path() / "berth-site-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "site.lua";
  }
  void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "run this test as root"; }
  ~SiteProcess() override { fs::remove_all(folder_); }

  void write(const std::string& text) const {
    std::ofstream(path_) << text;
    fs::permissions(path_, fs::perms(0644));
  }
  static std::string outcome_at(const std::string& path) {
    const auto started = site_process::start(path);
    return started ? "ok" : started.error().text();
  }
  [[nodiscard]] std::string failure_of(const std::string& text) const {
    write(text);
    return outcome_at(path_);
  }
  [[nodiscard]] site_process with_policy(const std::string& body) const {
    write("return { admit = function(job, image)\n" + body + "\nend }");
    return std::move(site_process::start(path_).value());
  }

  fs::path folder_;
  std::string path_;
};

std::string proc(pid_t pid, const std::string& name) {
  return read_file("/proc/" + std::to_string(pid) + "/" + name, 100000).value();
}

bool no_children() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

TEST_F(SiteProcess, TheChildIsNobodyWithNothing) {
  const unique_fd open_file(::open("/etc/hostname", 0));
  const auto site = with_policy("return true");
  ASSERT_GT(site.pid(), 0);
  const auto status = proc(site.pid(), "status");
  EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534"));
  EXPECT_THAT(status, HasSubstr("Gid:\t65534\t65534\t65534\t65534"));
  EXPECT_THAT(status, testing::ContainsRegex("Groups:\t *\n"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  for (const auto* set : {"CapPrm", "CapEff", "CapAmb"}) {
    EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000000000")) << set;
  }
  std::vector<std::string> open;
  const auto fds = "/proc/" + std::to_string(site.pid()) + "/fd";
  for (const auto& fd : fs::directory_iterator(fds)) open.push_back(fd.path().filename());
  EXPECT_THAT(open, testing::ElementsAre("0"));
  EXPECT_THAT(fs::read_symlink(fds + "/0").string(), StartsWith("socket:"));
  const auto bounds = proc(site.pid(), "limits");
  EXPECT_THAT(bounds, testing::ContainsRegex("Max cpu time +2 +2 "));
  EXPECT_THAT(bounds, testing::ContainsRegex("Max processes +0 +0 "));
  EXPECT_THAT(bounds, testing::ContainsRegex("Max file size +0 +0 "));
  EXPECT_THAT(bounds, testing::ContainsRegex("Max open files +1 +1 "));
  EXPECT_THAT(bounds, testing::ContainsRegex("Max core file size +0 +0 "));
}

TEST_F(SiteProcess, EndsWithItsOwner) {
  write("return { admit = function() return true end }");
  {
    const auto site = site_process::start(path_);
    ASSERT_TRUE(site);
    EXPECT_FALSE(no_children());
  }
  EXPECT_TRUE(no_children());
}

// Pattern matching runs outside the Lua machine, where no instruction is counted.
constexpr const char* endless_match = "string.find(('a'):rep(3000), ('a-'):rep(30) .. 'b')";

bool is_in_state(pid_t pid, const std::string& letters) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat || stat->empty()) return letters.find('-') != std::string::npos;
  return letters.find((*stat)[stat->rfind(')') + 2]) != std::string::npos;
}

// The state of the process as proc(5) names it; '-' stands for gone.
bool reaches_state(pid_t pid, const std::string& letters, std::chrono::milliseconds within) {
  const auto until = steady_clock::now() + within;
  while (!is_in_state(pid, letters)) {
    if (steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// While busy: an idle child would end anyway, because its socket closes.
TEST_F(SiteProcess, EndsWhenItsOwnerIsKilled) {
  write("return { admit = function() " + std::string(endless_match) + " return true end }");
  std::array<int, 2> report{};
  ASSERT_EQ(::pipe(report.data()), 0);
  const auto owner = ::fork();
  if (owner == 0) {
    auto site = site_process::start(path_);
    const auto pid = site ? site->pid() : -1;
    (void)!::write(report[1], &pid, sizeof pid);
    if (site) (void)site->admit({}, {});
    ::_exit(0);
  }
  pid_t child = -1;
  ASSERT_EQ(::read(report[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ASSERT_GT(child, 0);
  ASSERT_TRUE(reaches_state(child, "R", std::chrono::milliseconds(1000)));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  // Well before its 2 seconds of processor time are gone.
  EXPECT_TRUE(reaches_state(child, "ZX-", std::chrono::milliseconds(1000)));
}

TEST_F(SiteProcess, WithoutPolicyNoChildStaysAndAllIsAdmitted) {
  write("return { pin = { default = 'core' } }");
  auto site = site_process::start(path_);
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_EQ(site->config().pin, "core");
  EXPECT_EQ(site->pid(), -1);
  EXPECT_TRUE(no_children());
  EXPECT_TRUE(site->admit({}, {})->admitted);
}

TEST_F(SiteProcess, AnswersOneQuestionAfterTheOther) {
  auto site = with_policy("if job.user == 'eve' then return false, 'not you' end return true");
  site::job_facts job;
  EXPECT_TRUE(site.admit(job, {})->admitted);
  job.user = "eve";
  const auto refused = site.admit(job, {});
  EXPECT_FALSE(refused->admitted);
  EXPECT_EQ(refused->reason, "not you");
  job.user = "\xff\xfe not text";
  EXPECT_TRUE(site.admit(job, {})->admitted);
}

TEST_F(SiteProcess, AFailingPolicyIsAnErrorAndTheNextQuestionIsAnswered) {
  auto site = with_policy("if job.id == 1 then error('boom') end return true");
  site::job_facts job;
  job.id = 1;
  EXPECT_EQ(site.admit(job, {}).error().text(),
            "the site's policy admit(job, image): " + path_ + ":2: boom");
  job.id = 2;
  EXPECT_TRUE(site.admit(job, {})->admitted);
}

TEST_F(SiteProcess, APolicyThatHangsIsEndedAndRefuses) {
  auto site = with_policy(endless_match + std::string(" return true"));
  const auto begin = steady_clock::now();
  const auto answer = site.admit({}, {});
  EXPECT_LT(steady_clock::now() - begin, std::chrono::milliseconds(2500));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(), testing::AnyOf(HasSubstr("no answer within 2 seconds"),
                                                    HasSubstr("ended by signal 9")));
  EXPECT_TRUE(no_children());
  EXPECT_THAT(site.admit({}, {}).error().text(), HasSubstr("its process has ended"));
}

TEST_F(SiteProcess, AFileThatHangsIsEnded) {
  const auto begin = steady_clock::now();
  EXPECT_THAT(failure_of(endless_match),
              testing::AnyOf(HasSubstr("no answer within 2 seconds"), HasSubstr("signal 9")));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::milliseconds(2500));
  EXPECT_TRUE(no_children());
}

TEST_F(SiteProcess, AChildKilledFromOutsideRefuses) {
  auto site = with_policy("return true");
  ::kill(site.pid(), SIGKILL);
  const auto answer = site.admit({}, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(),
              testing::AnyOf(HasSubstr("ended by signal 9"), HasSubstr("cannot")));
  EXPECT_TRUE(no_children());
}

TEST_F(SiteProcess, BrokenFilesAreRefusedWithTheirLine) {
  EXPECT_EQ(failure_of("return {\n image = {} }"),
            path_ + ":2: image: unknown key; did you mean \"images\"?");
  EXPECT_THAT(failure_of("return { a = 1,\n b = 2,\n c = 3 }"),
              testing::EndsWith("(and 2 more: berth config check " + path_ + ")"));
  EXPECT_THAT(failure_of("while true do end"), HasSubstr(":1: runs for more than"));
  EXPECT_THAT(failure_of("local s = ('x'):rep(1 << 30)"), HasSubstr(":1: uses more than 16 MiB"));
  EXPECT_THAT(failure_of("\x1bLua"), HasSubstr("compiled Lua"));
  EXPECT_TRUE(no_children());
}

TEST_F(SiteProcess, FilesThatOthersCanChangeAreRefused) {
  write("return {}");
  fs::permissions(path_, fs::perms(0664));
  EXPECT_EQ(outcome_at(path_),
            "site file \"" + path_ + "\" can be written by others than root; chmod go-w " + path_);
  fs::permissions(path_, fs::perms(0644));
  ASSERT_EQ(::chown(path_.c_str(), 1000, 0), 0);
  EXPECT_EQ(outcome_at(path_),
            "site file \"" + path_ + "\" belongs to user 1000, not to root; chown root " + path_);
}

TEST_F(SiteProcess, WhatIsNotAFileOfReasonableSizeIsRefused) {
  EXPECT_THAT(failure_of(std::string((1 << 20) + 1, '\n')), HasSubstr("larger than 1048576 bytes"));
  EXPECT_EQ(failure_of(std::string((1 << 20) - 9, '\n') + "return {}"), "ok");
  EXPECT_THAT(outcome_at(folder_), HasSubstr("not a regular file"));
  const std::string fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0644), 0);
  EXPECT_THAT(outcome_at(fifo), HasSubstr("not a regular file"));
}

TEST_F(SiteProcess, OnlyTheDefaultFileMayBeMissing) {
  EXPECT_FALSE(site_process::start(path_));
  const auto error = site_process::start_or_default(path_);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().text(),
            "cannot open site file \"" + path_ + "\": No such file or directory");
}

TEST_F(SiteProcess, StartsQuickly) {
  write("return { images = { folders = { '/a' } }, admit = function() return true end }");
  std::vector<double> times;
  for (int i = 0; i < 50; ++i) {
    const auto begin = steady_clock::now();
    const auto site = site_process::start(path_);
    times.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count());
    ASSERT_TRUE(site);
  }
  std::sort(times.begin(), times.end());
  const auto median = times[times.size() / 2];
  RecordProperty("start_median_us", static_cast<int>(median * 1000));
  std::cout << "start: median " << median << " ms, fastest " << times.front() << " ms\n";
#ifdef NDEBUG
  EXPECT_LT(times.front(), 2.0);
#endif
}

}  // namespace
}  // namespace berth::lua
