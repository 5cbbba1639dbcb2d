#include "container/fuse_server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <csignal>

#include "base/text.hpp"
#include "scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int plenty_ms = 10000;

class FuseServer : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("root/file", "from the image");
    auto image = open_image(folder_.pack("root", "a.sqsh"), "/", {}, nobody());
    ASSERT_TRUE(image) << image.error().text();
    image_ = std::move(*image);
  }
  static bool ended(const unique_fd& server, int wait_ms) {
    pollfd entry{server.get(), POLLIN, 0};
    return ::poll(&entry, 1, wait_ms) == 1;
  }
  static result<std::string> read_inside(const fuse_mount& served, const char* name) {
    const unique_fd file(::openat(served.mount.get(), name, O_RDONLY | O_CLOEXEC));
    if (!file) return fail_errno("cannot open");
    return read_all(file.get(), 1000);
  }
  static std::string pid_of(const unique_fd& server) {
    const auto info = read_file("/proc/self/fdinfo/" + std::to_string(server.get()), 10000);
    for (const auto& line : split(*info, '\n')) {
      if (line.starts_with("Pid:")) return std::string(trim(line.substr(4)));
    }
    return "?";
  }
  static pid_t keeper_of(const unique_fd& server) {
    const auto status = read_file("/proc/" + pid_of(server) + "/status", 10000);
    for (const auto& line : split(*status, '\n')) {
      if (line.starts_with("PPid:")) return std::stoi(line.substr(5));
    }
    return -1;
  }
  static void send(const unique_fd& server, int signal) {
    ASSERT_EQ(::syscall(SYS_pidfd_send_signal, server.get(), signal, nullptr, 0), 0);
  }
  scratch folder_;
  image_file image_;
};

TEST_F(FuseServer, ShowsTheImageAndEndsWithTheMount) {
  auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served) << served.error().text();
  EXPECT_EQ(read_inside(*served, "file").value_or("?"), "from the image");
  EXPECT_FALSE(ended(served->server, 0));
  served->mount.reset();
  EXPECT_TRUE(ended(served->server, plenty_ms));
}

TEST_F(FuseServer, IsTheUsersAndHoldsNothingElse) {
  const unique_fd secret(::open("/etc/shadow", O_RDONLY));  // inherited unless closed
  const auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served);
  ASSERT_TRUE(read_inside(*served, "file"));  // it has started
  const auto process = "/proc/" + pid_of(served->server);
  const auto status = *read_file(process + "/status", 10000);
  // The real user is nobody's, which keeps ptrace out; all rights are the user's.
  EXPECT_THAT(status, HasSubstr("Uid:\t2147549182\t65534\t65534\t65534"));
  EXPECT_THAT(status, HasSubstr("Gid:\t65534\t65534\t65534\t65534"));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(status, testing::Not(HasSubstr("PPid:\t" + std::to_string(::getpid()) + "\n")));
  const auto real_image = std::filesystem::path(image_.path);
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
    const auto what = std::filesystem::read_symlink(entry.path());
    EXPECT_TRUE(what == "/dev/null" || what == "/dev/fuse" || what == real_image) << what;
  }
}

TEST_F(FuseServer, ItsUserCannotTraceIt) {
  const identity ada{4242, 4242, {}};
  const auto served = mount_fuse(image_, ada);
  ASSERT_TRUE(served);
  ASSERT_TRUE(read_inside(*served, "file"));  // it has started
  const auto pid = static_cast<pid_t>(parse_unsigned(pid_of(served->server)).value_or(0));
  EXPECT_EQ(in_child([&]() -> std::string {
              if (auto done = become(ada); !done) return done.error().text();
              if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) return "it can be traced";
              return "";
            }),
            "");
}

TEST_F(FuseServer, ReadsWithTheUsersRights) {
  ASSERT_EQ(::chmod(image_.path.c_str(), 0600), 0);
  const auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served);
  EXPECT_FALSE(read_inside(*served, "file"));
  EXPECT_TRUE(ended(served->server, plenty_ms));
}

TEST_F(FuseServer, WhatIsNoImageEndsTheServerAndEveryAccess) {
  const auto text = folder_.write("text", "not an image");
  image_.fd.reset(::open(text.c_str(), O_RDONLY | O_CLOEXEC));
  const auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served);
  EXPECT_FALSE(read_inside(*served, "file"));
  EXPECT_TRUE(ended(served->server, plenty_ms));
}

TEST_F(FuseServer, IsEndedWhenItsUserStopsIt) {
  const auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served);
  send(served->server, SIGSTOP);
  EXPECT_TRUE(ended(served->server, plenty_ms));
  EXPECT_FALSE(read_inside(*served, "file"));
}

TEST_F(FuseServer, TheGuardEndsAServerThatHangs) {
  const auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served);
  // Both, or the one would let the other go on.
  const auto keeper = keeper_of(served->server);
  ASSERT_GT(keeper, 1);
  ASSERT_EQ(::kill(keeper, SIGSTOP), 0);
  send(served->server, SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  const auto guard = fuse_guard::watch(served->server.get(), 200ms);
  ASSERT_TRUE(guard);
  EXPECT_FALSE(read_inside(*served, "file"));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 200ms);
  EXPECT_TRUE(ended(served->server, plenty_ms));
  EXPECT_EQ(::kill(keeper, SIGCONT), 0);
}

TEST_F(FuseServer, TheGuardSparesAServerThatAnswers) {
  const auto served = mount_fuse(image_, nobody());
  ASSERT_TRUE(served);
  {
    auto guard = fuse_guard::watch(served->server.get(), 60s);
    ASSERT_TRUE(guard);
    const fuse_guard moved(std::move(*guard));
    EXPECT_TRUE(read_inside(*served, "file"));
  }
  EXPECT_FALSE(ended(served->server, 0));
  EXPECT_TRUE(read_inside(*served, "file"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // the watcher is gone and waited for
}

}  // namespace
}  // namespace berth::container
