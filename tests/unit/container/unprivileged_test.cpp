#include "container/unprivileged.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto plenty = 10s;

TEST(Unprivileged, HandsBackWhatTheWorkReturns) {
  const std::string binary("\0\xff line\n", 8);
  const auto answer =
      run_unprivileged(nobody(), plenty, [&] { return result<std::string>(binary); });
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(*answer, binary);
}

TEST(Unprivileged, HandsBackTheTextOfAnError) {
  const auto answer = run_unprivileged(nobody(), plenty, []() -> result<std::string> {
    return fail("image \"x\": metadata is broken");
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(), "image \"x\": metadata is broken");
}

TEST(Unprivileged, TheWorkHasTheUsersRightsOnly) {
  const scratch folder;
  const auto secret = folder.write("secret", "root only", 0600);
  const auto answer = run_unprivileged({4242, 4243, {4244}}, plenty, [&]() -> result<std::string> {
    uid_t ids[3];
    gid_t groups[3];
    if (::getresuid(&ids[0], &ids[1], &ids[2]) != 0 || ids[0] != 4242 || ids[1] != 4242 ||
        ids[2] != 4242) {
      return fail("another uid");
    }
    if (::getresgid(&groups[0], &groups[1], &groups[2]) != 0 || groups[0] != 4243 ||
        groups[2] != 4243) {
      return fail("another gid");
    }
    if (current_identity().groups != std::vector<gid_t>{4244}) return fail("other groups");
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return fail("may gain privileges");
    if (::open(secret.c_str(), O_RDONLY | O_CLOEXEC) >= 0) return fail("reads root's file");
    rlimit core{1, 1};
    ::getrlimit(RLIMIT_CORE, &core);
    return core.rlim_max == 0 ? result<std::string>("as it should be") : fail("dumps core");
  });
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(::geteuid(), 0U);
}

TEST(Unprivileged, WhatHangsIsKilledAndNoChildIsLeft) {
  const auto start = std::chrono::steady_clock::now();
  const auto answer = run_unprivileged(nobody(), 100ms, []() -> result<std::string> {
    ::signal(SIGTERM, SIG_IGN);
    while (true) ::pause();
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), std::errc::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Unprivileged, ACrashCostsThisAnswerOnly) {
  for (const auto signal : {SIGSEGV, SIGKILL, SIGABRT}) {
    const auto answer = run_unprivileged(nobody(), plenty, [&]() -> result<std::string> {
      ::signal(signal, SIG_DFL);
      ::raise(signal);
      return "alive";
    });
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text(), HasSubstr("closed the connection"));
  }
}

TEST(Unprivileged, AnAnswerThatIsTooLongIsAnError) {
  const auto answer = run_unprivileged(
      nobody(), plenty, [] { return result<std::string>(std::string(std::size_t{5} << 20, 'x')); });
  EXPECT_FALSE(answer);
}

}  // namespace
}  // namespace berth::container
