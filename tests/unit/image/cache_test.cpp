#include "image/cache.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.hpp"
#include "cache_scene.hpp"
#include "image/cache_entry.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;

TEST_F(Cache, IsFilledOnceAndThenServes) {
  auto cache = open();
  const auto first = cache.take(request('a'));
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_TRUE(first->filled);
  const auto second = cache.take(request('a'));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->filled);
  EXPECT_EQ(fills_, 1);
  EXPECT_EQ(content(*second), std::string(10000, 'x'));
  const auto entries = cache.list();
  ASSERT_EQ(entries->size(), 1U);
  const auto& entry = entries->front();
  EXPECT_EQ(entry.user, ada);
  EXPECT_EQ(entry.source, "/images/a.sqsh");
  EXPECT_GE(entry.bytes, 10000U);
  EXPECT_EQ(entry.files, 1U);
  EXPECT_TRUE(entry.in_use);
  EXPECT_EQ(entry.problem, "");
}

TEST_F(Cache, TwoUsersShareNothing) {
  auto cache = open();
  const auto hers = cache.take(request('a', ada));
  const auto his = cache.take(request('a', bob));
  ASSERT_TRUE(hers && his);
  EXPECT_EQ(fills_, 2);
  EXPECT_NE(hers->path, his->path);
  struct stat info {};
  ASSERT_EQ(::fstat(his->folder.get(), &info), 0);
  EXPECT_EQ(info.st_uid, bob);
}

TEST_F(Cache, NobodyButItsOwnerGetsIn) {
  auto cache = open();
  const auto tree = cache.take(request('a', ada));
  ASSERT_TRUE(tree);
  for (const auto user : {ada, bob}) {
    const auto pid = ::fork();
    if (pid == 0) {
      const bool dropped = ::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0;
      const bool in = ::access(folder().c_str(), X_OK) == 0 ||
                      ::open(tree->path.c_str(), O_RDONLY | O_CLOEXEC) >= 0;
      ::_exit(!dropped || in ? 1 : 0);
    }
    int status = -1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0) << user;
  }
}

TEST_F(Cache, AFolderThatOthersCanChangeIsRefused) {
  open();
  ASSERT_EQ(::chmod(folder().c_str(), 0755), 0);
  EXPECT_THAT(node_cache::open(folder(), plenty).error().text(), HasSubstr("chmod 700"));
  ASSERT_EQ(::chmod(folder().c_str(), 0700), 0);
  ASSERT_EQ(::chown(folder().c_str(), ada, 0), 0);
  EXPECT_THAT(node_cache::open(folder(), plenty).error().text(), HasSubstr("belongs to uid 60001"));
  ASSERT_EQ(::chown(folder().c_str(), 0, 0), 0);
  ASSERT_EQ(::chmod(top_.c_str(), 0777), 0);
  EXPECT_THAT(node_cache::open(folder(), plenty).error().text(),
              HasSubstr("others than root can change \"" + top_.string()));
  ASSERT_EQ(::chmod(top_.c_str(), 0700), 0);
  EXPECT_TRUE(node_cache::open(folder(), plenty));
}

TEST_F(Cache, AFailedFillLeavesNothingAndTheNextOneWorks) {
  auto cache = open();
  const auto failing = request('a', ada, [](int folder) -> result<void> {
    (void)put(folder, "half", "half");
    return fail("the image is damaged");
  });
  EXPECT_THAT(cache.take(failing).error().text(), HasSubstr("the image is damaged"));
  EXPECT_EQ(digests(cache), std::vector<std::string>{});
  EXPECT_FALSE(fs::exists(place(ada, length('a') + ".new")));
  const auto tree = cache.take(request('a'));
  ASSERT_TRUE(tree);
  EXPECT_NE(::faccessat(tree->folder.get(), "half", F_OK, 0), 0);
}

TEST_F(Cache, AFillerKilledHalfWayIsReplacedAndItsFilesAreNeverUsed) {
  open();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const auto filler = ::fork();
  if (filler == 0) {
    const auto dying = request('a', ada, [&](int folder) -> result<void> {
      const bool told = put(folder, "half", "half") && ::write(ready[1], "x", 1) == 1;
      if (told) ::pause();
      return fail("not reached");
    });
    auto cache = open();
    ::_exit(cache.take(dying) ? 0 : 1);
  }
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  auto cache = open();
  EXPECT_EQ(digests(cache), std::vector<std::string>{});
  ::kill(filler, SIGKILL);
  ::waitpid(filler, nullptr, 0);
  EXPECT_TRUE(fs::exists(place(ada, length('a') + ".new/root/half")));
  const auto tree = cache.take(request('a'));
  ASSERT_TRUE(tree) << tree.error().text();
  EXPECT_TRUE(tree->filled);
  EXPECT_NE(::faccessat(tree->folder.get(), "half", F_OK, 0), 0);
}

TEST_F(Cache, ManyWhoAskAtTheSameMomentFillItOnce) {
  open();
  constexpr int processes = 8;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const auto pid = ::fork();
    if (pid == 0) {
      auto cache = open();
      const auto tree = cache.take(request('a', ada, 3000000));
      const bool right = tree && content(*tree) == std::string(3000000, 'x');
      ::_exit(!right || digests_ > 0 ? 2 : fills_);
    }
    children.push_back(pid);
  }
  int fills = 0;
  for (const auto pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 2) << status;
    fills += WEXITSTATUS(status);
  }
  EXPECT_EQ(fills, 1);
}

TEST_F(Cache, TheLeastRecentlyUsedMakesRoomButNothingInUse) {
  auto cache = open(350000);
  for (const char name : {'a', 'b', 'c'}) ASSERT_TRUE(cache.take(request(name, ada, 100000)));
  const auto touch = [&](char name, time_t when) {
    const timespec times[2] = {{when, 0}, {when, 0}};
    const auto lock = place(ada, digest(name) + ".lock");
    ASSERT_EQ(::utimensat(AT_FDCWD, lock.c_str(), times, 0), 0);
  };
  touch('a', 3000);
  touch('b', 1000);
  touch('c', 2000);
  ASSERT_TRUE(cache.take(request('d', bob, 100000)));
  EXPECT_EQ(digests(cache), (std::vector<std::string>{"a", "c", "d"}));
  const auto used = cache.take(request('c', ada, 100000));
  touch('c', 1);
  ASSERT_TRUE(cache.take(request('e', ada, 100000)));
  EXPECT_EQ(digests(cache), (std::vector<std::string>{"c", "d", "e"}));
}

TEST_F(Cache, WhatDoesNotFitIsRefusedAndNothingInUseIsLost) {
  auto cache = open(250000);
  EXPECT_THAT(cache.take(request('a', ada, 300000)).error().text(), HasSubstr("250000 for all"));
  const auto used = cache.take(request('b', ada, 200000));
  ASSERT_TRUE(used);
  const auto refused = cache.take(request('c', ada, 100000));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("in use"));
  EXPECT_EQ(digests(cache), std::vector<std::string>{"b"});
  EXPECT_EQ(content(*used).size(), 200000U);
}

TEST_F(Cache, ALeaseOutlivesTheCacheObjectAndCopiesOfItCount) {
  unique_fd copy;
  {
    auto cache = open();
    const auto tree = cache.take(request('a'));
    ASSERT_TRUE(tree);
    copy.reset(::fcntl(tree->lease.get(), F_DUPFD_CLOEXEC, 0));
  }
  auto cache = open();
  const auto all = [](const cache_entry&) { return true; };
  EXPECT_TRUE(cache.prune(all)->entries.empty());
  copy.reset();
  const auto gone = cache.prune(all);
  ASSERT_EQ(gone->entries.size(), 1U);
  EXPECT_GE(gone->bytes, 10000U);
  EXPECT_EQ(digests(cache), std::vector<std::string>{});
}

TEST_F(Cache, AnEntryOfAnEarlierBootIsFilledAnew) {
  auto cache = open();
  ASSERT_TRUE(cache.take(request('a')));
  const auto facts = place(ada, digest('a') + "/entry.json");
  auto text = *read_file(facts, 10000);
  const auto at = text.find(*boot_id());
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 8, "00000000");
  ASSERT_EQ(::truncate(facts.c_str(), 0), 0);
  const unique_fd fd(::open(facts.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(write_all(fd.get(), text));
  EXPECT_EQ(cache.list()->front().problem, "it is from an earlier boot");
  ASSERT_TRUE(cache.take(request('a')));
  EXPECT_EQ(fills_, 2);
}

TEST_F(Cache, ALinkInThePlaceOfAnEntryIsNotFollowed) {
  auto cache = open();
  fs::create_directories(top_ / "evil/root");
  fs::create_directories(top_ / ("cache/" + std::to_string(ada)));
  for (const auto& name : {digest('a'), digest('a') + ".new", length('a') + ".new"}) {
    fs::create_symlink(top_ / "evil", place(ada, name));
  }
  const auto tree = cache.take(request('a'));
  ASSERT_TRUE(tree) << tree.error().text();
  EXPECT_TRUE(tree->filled);
  EXPECT_FALSE(fs::is_symlink(place(ada, digest('a'))));
  EXPECT_TRUE(fs::is_empty(top_ / "evil/root"));
  fs::create_symlink(top_ / "evil", place(ada, digest('b') + ".lock"));
  EXPECT_FALSE(cache.take(request('b')));
  fs::create_symlink(top_ / "evil", place(ada, length('c') + ".lock"));
  EXPECT_FALSE(cache.take(request('c')));
}

TEST_F(Cache, RemovingFollowsNoLinkThatAFillerLeft) {
  auto cache = open();
  const auto victim = top_ / "victim";
  fs::create_directories(victim / "kept");
  const auto linking = request('a', ada, [&](int folder) -> result<void> {
    if (::symlinkat(victim.c_str(), folder, "out") != 0) return fail_errno("symlink");
    return {};
  });
  ASSERT_TRUE(cache.take(linking));
  ASSERT_EQ(cache.prune([](const cache_entry&) { return true; })->entries.size(), 1U);
  EXPECT_TRUE(fs::exists(victim / "kept"));
}

TEST_F(Cache, AChangedEntryIsFoundWhateverTimesItsOwnerSets) {
  auto cache = open();
  const auto path = cache.take(request('a'))->path + "/file";
  const auto entry = cache.list()->front();
  EXPECT_EQ(*cache.verify(entry), "");
  struct stat before {};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  {
    const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(fd.get(), "y", 1, 0), 1);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::futimens(fd.get(), times), 0);
  }
  EXPECT_EQ(*cache.verify(entry), "its files were changed");
}

TEST_F(Cache, AHardLinkIntoAnEntryShowsItWasChanged) {
  auto cache = open();
  const auto path = cache.take(request('a'))->path + "/file";
  fs::create_hard_link(path, top_ / "link");
  EXPECT_EQ(*cache.verify(cache.list()->front()), "its files were changed");
}

TEST_F(Cache, AFullDiskIsAnErrorAndNothingIsLeft) {
  fs::create_directory(folder());
  ASSERT_EQ(::chmod(folder().c_str(), 0700), 0);
  ASSERT_EQ(::mount("none", folder().c_str(), "tmpfs", 0, "size=300k,mode=700"), 0);
  {
    auto cache = open();
    const auto full = cache.take(request('a', ada, 1 << 20));
    EXPECT_EQ(full.error().code(), std::errc::no_space_on_device);
    EXPECT_EQ(digests(cache), std::vector<std::string>{});
    EXPECT_TRUE(cache.take(request('b', ada, 100000)));
  }
  EXPECT_EQ(::umount(folder().c_str()), 0);
}

}  // namespace
}  // namespace berth::image
