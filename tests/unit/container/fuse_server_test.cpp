#include "container/fuse_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "base/text.hpp"
#include "scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int plenty_ms = 10000;

/// Served by Berth's own program, and by the system's, which stands in for it.
class FuseServer : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("root/file", "from the image");
    auto image = open_image(folder_.pack("root", "a.sqsh"), "/", {}, nobody());
    ASSERT_TRUE(image) << image.error().text();
    image_ = std::move(*image);
  }
  result<fuse_mount> serve(const identity& user) {
    return mount_fuse(image_, user, {}, BERTH_FUSE_SERVER);
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
  auto served = serve(nobody());
  ASSERT_TRUE(served) << served.error().text();
  EXPECT_EQ(read_inside(*served, "file").value_or("?"), "from the image");
  EXPECT_FALSE(ended(served->server, 0));
  served->mount.reset();
  EXPECT_TRUE(ended(served->server, plenty_ms));
}

TEST_F(FuseServer, SurvivesNamesLongerThanAny) {
  for (int i = 0; i < 400; ++i) folder_.write(fmt::format("long/folder/qqqq{:04}", i), "x");
  folder_.write("long/file", "sound");
  const auto path = folder_ / "long.sqsh";
  ASSERT_TRUE(run_ok({{"mksquashfs", folder_ / "long", path, "-quiet", "-no-progress", "-noI"},
                      current_environment(),
                      {}}));
  auto bytes = *read_file(path, 1 << 20);
  // The type of a file, the length of its name less one.
  const auto entry = bytes.find(std::string("\2\0\7\0qqqq0000", 12));
  ASSERT_NE(entry, std::string::npos);
  bytes[entry + 3] = 0x10;  // 4,104 bytes
  std::ofstream(path, std::ios::binary) << bytes;
  auto image = open_image(path, "/", {}, nobody());
  ASSERT_TRUE(image);
  image_ = std::move(*image);
  const auto served = serve(nobody());
  ASSERT_TRUE(served);
  EXPECT_FALSE(read_inside(*served, "folder/qqqq0001"));
  const unique_fd folder(::openat(served->mount.get(), "folder", O_RDONLY | O_DIRECTORY));
  char listed[4096];
  EXPECT_LT(::syscall(SYS_getdents64, folder.get(), listed, sizeof listed), 0);
  EXPECT_EQ(read_inside(*served, "file").value_or("?"), "sound");
  EXPECT_FALSE(ended(served->server, 0));
}

TEST_F(FuseServer, IsTheUsersAndHoldsNothingElse) {
  const unique_fd secret(::open("/etc/shadow", O_RDONLY));  // inherited unless closed
  const auto served = serve(nobody());
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
  const auto served = serve(ada);
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
  const auto served = serve(nobody());
  ASSERT_TRUE(served);
  EXPECT_FALSE(read_inside(*served, "file"));
  EXPECT_TRUE(ended(served->server, plenty_ms));
}

TEST_F(FuseServer, WhatIsNoImageEndsTheServerAndEveryAccess) {
  const auto text = folder_.write("text", "not an image");
  image_.fd.reset(::open(text.c_str(), O_RDONLY | O_CLOEXEC));
  const auto served = serve(nobody());
  ASSERT_TRUE(served);
  EXPECT_FALSE(read_inside(*served, "file"));
  EXPECT_TRUE(ended(served->server, plenty_ms));
}

TEST_F(FuseServer, IsEndedWhenItsUserStopsIt) {
  const auto served = serve(nobody());
  ASSERT_TRUE(served);
  send(served->server, SIGSTOP);
  EXPECT_TRUE(ended(served->server, plenty_ms));
  EXPECT_FALSE(read_inside(*served, "file"));
}

TEST_F(FuseServer, TheGuardEndsAServerThatHangs) {
  const auto served = serve(nobody());
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
  const auto served = serve(nobody());
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

/// How often a process' threads have waited so far.
std::uint64_t waits_of(const std::string& pid) {
  std::uint64_t sum = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + pid + "/task")) {
    const auto status = read_file(thread.path() / "status", 10000);
    const std::string key = "\nvoluntary_ctxt_switches:";
    if (!status) continue;  // it has ended
    const auto from = status->find(key) + key.size();
    sum += parse_unsigned(trim(status->substr(from, status->find('\n', from) - from))).value_or(0);
  }
  return sum;
}

std::string random_bytes(std::size_t size, unsigned values) {
  std::mt19937 random(42);
  std::uniform_int_distribution<int> any(0, static_cast<int>(values) - 1);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(any(random)); });
  return bytes;
}

// Tails alone, whole blocks, both, holes, blocks that do not compress, and a large folder.
void write_every_kind(const scratch& folder) {
  for (const auto size : {0U, 1U, 4095U, 4096U, 131072U, 131073U, 393216U, 2000000U}) {
    folder.write("root/text/" + std::to_string(size), random_bytes(size, 4));
    folder.write("root/noise/" + std::to_string(size), random_bytes(size, 256));
  }
  std::filesystem::resize_file(folder.write("root/holes", "begin"), 1000000);
  std::ofstream(folder / "root/holes", std::ios::app) << "end";
  for (int i = 0; i < 1000; ++i) folder.write("root/many/" + std::to_string(i), "");
  std::filesystem::create_symlink("../text/1", folder / "root/noise/link");
}

TEST_F(FuseServer, ServesEveryNameAndByteToSeveralReadersAtOnce) {
  write_every_kind(folder_);
  const std::vector<std::vector<std::string>> ways{{"gzip", "-Xcompression-level", "1"},
                                                   {"lz4", "-b", "4096"},
                                                   {"zstd", "-Xcompression-level", "1", "-b", "1M"},
                                                   {"lz4", "-always-use-fragments"}};
  for (const auto& way : ways) {
    SCOPED_TRACE(way.front());
    std::vector<std::string> argv{"mksquashfs", folder_ / "root", folder_ / "b.sqsh",
                                  "-quiet",     "-no-progress",   "-noappend",
                                  "-comp"};
    argv.insert(argv.end(), way.begin(), way.end());
    ASSERT_TRUE(run_ok({argv, current_environment(), {}}));
    image_ = *open_image(folder_ / "b.sqsh", "/", {}, nobody());
    const auto served = serve(nobody());
    ASSERT_TRUE(served) << served.error().text();
    const auto compared = run(
        {{"sh", "-c",
          "d() { diff -r --no-dereference \"$1\" \"$2/\"; }; d \"$@\" & a=$!; d \"$@\" & b=$!; "
          "d \"$@\" && wait $a && wait $b",
          "sh", folder_ / "root", fmt::format("/proc/{}/fd/{}", ::getpid(), served->mount.get())},
         current_environment(),
         {}});
    ASSERT_TRUE(compared);
    EXPECT_EQ(compared->exit_code, 0) << compared->out << compared->err;
  }
}

TEST_F(FuseServer, ReadsBackwardsAcrossBlocks) {
  const auto bytes = random_bytes(1000000, 16);
  folder_.write("root/big", bytes);
  image_ = *open_image(folder_.pack("root", "b.sqsh"), "/", {}, nobody());
  const auto served = serve(nobody());
  ASSERT_TRUE(served);
  const unique_fd file(::openat(served->mount.get(), "big", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM), 0);
  std::string part(70000, '\0');
  for (std::size_t end = bytes.size(); end > part.size(); end -= 50001) {
    const auto at = end - part.size();
    ASSERT_EQ(::pread(file.get(), part.data(), part.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(part.size()));
    ASSERT_TRUE(part == bytes.substr(at, part.size())) << at;
  }
}

TEST_F(FuseServer, TheKernelKeepsWhatItHasHeard) {
  for (int i = 0; i < 300; ++i) folder_.write(fmt::format("root/{}/file", i), "text");
  image_ = *open_image(folder_.pack("root", "b.sqsh"), "/", {}, nobody());
  const auto served = serve(nobody());
  ASSERT_TRUE(served);
  const auto pid = pid_of(served->server);
  const auto look = [&] {
    const auto before = waits_of(pid);
    const auto mount = fmt::format("/proc/self/fd/{}/", served->mount.get());
    for (const auto& entry : std::filesystem::recursive_directory_iterator(mount)) {
      if (entry.is_regular_file()) {
        EXPECT_TRUE(read_file(entry.path(), 1000));
      }
      EXPECT_FALSE(std::filesystem::exists(entry.path() / "absent"));
    }
    return waits_of(pid) - before;
  };
  const auto first = look();
  EXPECT_GT(first, 300U);
  EXPECT_LT(look(), first / 10);
}

}  // namespace
}  // namespace berth::container
