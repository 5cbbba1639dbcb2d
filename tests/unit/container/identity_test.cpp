#include "container/identity.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <sys/prctl.h>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;

bool same(const identity& a, const identity& b) {
  return a.uid == b.uid && a.gid == b.gid && a.groups == b.groups;
}

TEST(Identity, UserRightsAreTakenAndGivenBack) {
  const identity somebody{4242, 4243, {4244, 4245}};
  const auto before = current_identity();
  ASSERT_EQ(before.uid, 0U);
  {
    const auto guard = user_rights::take(somebody);
    ASSERT_TRUE(guard) << guard.error().text();
    EXPECT_TRUE(same(current_identity(), somebody));
  }
  EXPECT_TRUE(same(current_identity(), before));
}

TEST(Identity, WithUserRightsTheProcessStaysOutOfTheUsersReach) {
  const auto guard = user_rights::take(nobody());
  ASSERT_TRUE(guard);
  uid_t real = 1;
  uid_t effective = 1;
  uid_t saved = 1;
  ASSERT_EQ(::getresuid(&real, &effective, &saved), 0);
  EXPECT_EQ(real, 0U);
  EXPECT_EQ(effective, nobody().uid);
  EXPECT_EQ(saved, 0U);
}

TEST(Identity, UserRightsDecideWhatCanBeOpened) {
  const scratch folder;
  const auto secret = folder.write("secret", "root only", 0600);
  const auto shared = folder.write("shared", "for a group", 0640);
  ASSERT_EQ(::chown(shared.c_str(), 0, 4244), 0);
  {
    const auto guard = user_rights::take(nobody());
    ASSERT_TRUE(guard);
    EXPECT_FALSE(unique_fd(::open(secret.c_str(), O_RDONLY | O_CLOEXEC)));
    EXPECT_FALSE(unique_fd(::open(shared.c_str(), O_RDONLY | O_CLOEXEC)));
  }
  {
    const auto guard = user_rights::take({65534, 65534, {4244}});
    ASSERT_TRUE(guard);
    EXPECT_TRUE(unique_fd(::open(shared.c_str(), O_RDONLY | O_CLOEXEC)));
  }
  EXPECT_TRUE(unique_fd(::open(secret.c_str(), O_RDONLY | O_CLOEXEC)));
}

TEST(Identity, AMovedGuardGivesBackOnce) {
  {
    auto first = user_rights::take(nobody());
    ASSERT_TRUE(first);
    const user_rights second(std::move(*first));
    EXPECT_EQ(::geteuid(), nobody().uid);
  }
  EXPECT_EQ(::geteuid(), 0U);
}

TEST(Identity, ACommonProcessKeepsItsOwnRights) {
  EXPECT_EQ(in_child([]() -> std::string {
              if (auto done = become(nobody()); !done) return done.error().text();
              const auto guard = user_rights::take({4242, 4242, {}});
              if (!guard) return guard.error().text();
              return ::geteuid() == nobody().uid ? "" : "the user changed";
            }),
            "");
}

TEST(Identity, BecomingAUserIsForGood) {
  EXPECT_EQ(in_child([]() -> std::string {
              const identity somebody{4242, 4243, {4244}};
              if (auto done = become(somebody); !done) return done.error().text();
              if (!same(current_identity(), somebody)) return "not the user";
              if (::seteuid(0) == 0 || ::setresuid(0, 0, 0) == 0) return "root again";
              if (::setegid(0) == 0 || ::setgroups(0, nullptr) == 0) return "groups changed";
              return "";
            }),
            "");
}

TEST(Identity, ForbiddenPrivilegesStayForbidden) {
  EXPECT_EQ(in_child([]() -> std::string {
              if (auto done = forbid_new_privileges(); !done) return done.error().text();
              return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "" : "not set";
            }),
            "");
}

}  // namespace
}  // namespace berth::container
