#include "container/kept_mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <csignal>
#include <future>
#include <vector>

#include "kept_mount_scene.hpp"

namespace berth::container {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

TEST_F(KeptMount, TheSecondUserGetsTheFileSystemOfTheFirst) {
  const auto first = take(node_key);
  EXPECT_TRUE(first.fresh);
  ASSERT_EQ(::mkdirat(first.mount.get(), "mark", 0755), 0);
  const auto again = kept_mounts::open_or_create(place());
  ASSERT_TRUE(again);
  const auto second = again->take(node_key, kept_until::idle, must_not_make);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_FALSE(second->fresh);
  EXPECT_EQ(device_of(*second), device_of(first));
  EXPECT_EQ(::faccessat(second->mount.get(), "mark", F_OK, 0), 0);
}

TEST_F(KeptMount, ATakenMountCanBeAttached) {
  const auto target = folder_.folder("target");
  for (int use = 0; use < 2; ++use) {
    const auto taken = take(node_key);
    ASSERT_EQ(
        ::move_mount(taken.mount.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH), 0);
    EXPECT_EQ(::umount2(target.c_str(), MNT_DETACH), 0);
  }
}

TEST_F(KeptMount, WhatIsDroppedLivesOnInRunningContainers) {
  const auto old = take(node_key);
  ASSERT_EQ(::mkdirat(old.mount.get(), "mark", 0755), 0);
  ASSERT_TRUE(kept_->drop(node_key));
  EXPECT_EQ(::faccessat(old.mount.get(), "mark", F_OK, 0), 0);
  const auto next = take(node_key);
  EXPECT_TRUE(next.fresh);
  EXPECT_NE(device_of(next), device_of(old));
  ASSERT_TRUE(kept_->drop(node_key));
  EXPECT_TRUE(kept_->drop(node_key));  // there is none
}

TEST_F(KeptMount, JobsAndUsersHaveTheirOwn) {
  const auto node = device_of(take(node_key));
  const auto job = device_of(take(job_key));
  EXPECT_NE(node, job);
  EXPECT_NE(device_of(take({"image-1", 8, 1000})), job);
  EXPECT_NE(device_of(take({"image-1", 7, 1001})), job);
  EXPECT_EQ(device_of(take(job_key, must_not_make)), job);
}

TEST_F(KeptMount, TheEndOfAJobDropsWhatIsItsOwn) {
  static_cast<void>(take(job_key));
  static_cast<void>(take({"layer", 7, 1000}, new_tmpfs, kept_until::job_ends));
  static_cast<void>(take({"layer", 70, 1000}, new_tmpfs, kept_until::job_ends));
  static_cast<void>(take(node_key));
  EXPECT_THAT(kept_->jobs().value(), ElementsAre(7, 70));
  ASSERT_TRUE(kept_->end_of_job(7));
  EXPECT_THAT(kept_->jobs().value(), ElementsAre(70));
  EXPECT_TRUE(take(job_key).fresh);
  EXPECT_FALSE(take(node_key).fresh);
}

TEST_F(KeptMount, SweepDropsTheIdleButNotWhatCannotBeMadeAgain) {
  const kept_key layer{"layer", 7, 1000};
  static_cast<void>(take(layer, new_tmpfs, kept_until::job_ends));
  static_cast<void>(take(node_key));
  ASSERT_TRUE(kept_->sweep(1h));
  EXPECT_FALSE(take(node_key).fresh);
  ASSERT_TRUE(kept_->sweep(0s));
  EXPECT_TRUE(take(node_key).fresh);
  EXPECT_FALSE(take(layer, must_not_make, kept_until::job_ends).fresh);
}

TEST_F(KeptMount, TheEndOfAJobRemovesTheCgroupsOfWhatIsNotKeptAnyMore) {
  const std::function<result<void>()> ways[] = {[&] { return kept_->sweep(0s); },
                                                [&] { return kept_->drop(job_key); }};
  for (const auto& drop : ways) {
    const auto cgroup = folder_.folder("job_7");
    static_cast<void>(take(job_key, [&]() -> result<made_mount> {
      auto made = new_tmpfs();
      made->cgroups = {cgroup};
      return made;
    }));
    ASSERT_TRUE(drop());
    EXPECT_FALSE(kept_->find(job_key).value());
    ASSERT_TRUE(kept_->sweep(0s));
    ASSERT_TRUE(kept_->end_of_job(7));
    EXPECT_NE(::access(cgroup.c_str(), F_OK), 0);
    EXPECT_THAT(kept_->jobs().value(), IsEmpty());
  }
}

// Each of them gets a second to end by itself, all of them the same one.
TEST_F(KeptMount, TheEndOfAJobEndsHangingServersSideBySide) {
  constexpr std::size_t many = 16;
  const std::vector<idler> servers(many);
  for (std::size_t i = 0; i < many; ++i) {
    const auto taken = kept_->take({fmt::format("image-{}", i), 7}, kept_until::idle, [&] {
      auto made = new_tmpfs();
      made->server = servers[i].handle();
      return made;
    });
    ASSERT_TRUE(taken) << taken.error().text();
  }
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(kept_->end_of_job(7));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, many * 1s / 2);
  for (const auto& server : servers) {
    const auto handle = server.handle();
    pollfd entry{handle.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&entry, 1, 0), 1);
  }
}

TEST_F(KeptMount, AServerThatEndedIsReplaced) {
  idler first;
  static_cast<void>(take_served(first));
  EXPECT_FALSE(take_served(first).fresh);
  first.end();
  const idler second;
  const auto taken = take_served(second);
  EXPECT_TRUE(taken.fresh);
  EXPECT_TRUE(taken.server);
}

TEST_F(KeptMount, AServerThatIsStoppedIsReplaced) {
  const idler first;
  static_cast<void>(take_served(first));
  first.stop();
  EXPECT_TRUE(take_served(idler()).fresh);
}

TEST_F(KeptMount, SweepDropsWhatHasLostItsServer) {
  idler server;
  static_cast<void>(take_served(server));
  ASSERT_TRUE(kept_->sweep(1h));
  EXPECT_THAT(kept_->jobs().value(), ElementsAre(7));
  server.end();
  ASSERT_TRUE(kept_->sweep(1h));
  EXPECT_THAT(kept_->jobs().value(), IsEmpty());
}

TEST_F(KeptMount, WhoIsKilledInTheMiddleLeavesNothingThatIsServed) {
  for (const bool swept : {false, true}) {
    const auto child = ::fork();
    if (child == 0) {
      static_cast<void>(kept_->take(job_key, kept_until::idle, []() -> result<made_mount> {
        ::kill(::getpid(), SIGKILL);
        return fail("not reached");
      }));
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_THAT(kept_->jobs().value(), ElementsAre(7));
    if (swept) {
      ASSERT_TRUE(kept_->sweep(1h));
      EXPECT_THAT(kept_->jobs().value(), IsEmpty());
    }
    EXPECT_TRUE(take(job_key).fresh);
    EXPECT_FALSE(take(job_key).fresh);
    ASSERT_TRUE(kept_->drop(job_key));
  }
}

TEST_F(KeptMount, AFailureToMakeIsTheErrorAndLeavesNothing) {
  const auto failed = kept_->take(job_key, kept_until::idle,
                                  []() -> result<made_mount> { return fail("no disk"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text(), "no disk");
  EXPECT_THAT(kept_->jobs().value(), IsEmpty());
  EXPECT_TRUE(take(job_key).fresh);
}

TEST_F(KeptMount, WhatIsLookedForIsFoundOrLeavesNothing) {
  EXPECT_FALSE(kept_->find(job_key).value());
  EXPECT_THAT(kept_->jobs().value(), IsEmpty());
  const auto made = take(job_key);
  const auto found = kept_->find(job_key);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(device_of(**found), device_of(made));
}

TEST_F(KeptMount, AJobThatKeepsTooMuchLosesWarmthForItselfAlone) {
  const auto key = [](std::size_t number) { return kept_key{fmt::format("image-{}", number), 7}; };
  for (std::size_t i = 0; i < most_of_a_job; ++i) EXPECT_EQ(take(key(i)).obstacle, "") << i;
  for (int use = 0; use < 2; ++use) {
    const auto more = take(key(most_of_a_job));
    EXPECT_TRUE(more.fresh);
    EXPECT_THAT(more.obstacle, HasSubstr("the job has 64 images and named containers"));
  }
  const auto layer = kept_->take({"named.c", 7}, kept_until::job_ends, must_not_make);
  ASSERT_FALSE(layer);
  EXPECT_THAT(layer.error().text(), HasSubstr("the most that are kept for one; use one that is"));
  EXPECT_FALSE(take(key(0), must_not_make).fresh);
  EXPECT_EQ(take({"image-1", 8}).obstacle, "");
  EXPECT_EQ(take(node_key).obstacle, "");
  // Room again.
  ASSERT_TRUE(kept_->drop(key(0)));
  EXPECT_EQ(take({"named.c", 7}, new_tmpfs, kept_until::job_ends).obstacle, "");
}

TEST_F(KeptMount, OneMakesWhatManyWantAtTheSameMoment) {
  constexpr int many = 16;
  const auto log = folder_.write("log", "");
  std::vector<pid_t> children;
  for (int i = 0; i < many; ++i) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    const auto kept = kept_mounts::open_or_create(folder_ / "kept2");
    const auto taken = !kept ? pass(result<kept_mounts>(fail("not opened")))
                             : kept->take(node_key, kept_until::idle, [&] {
                                 const unique_fd out(::open(log.c_str(), O_WRONLY | O_APPEND));
                                 static_cast<void>(write_all(out.get(), "made\n"));
                                 return new_tmpfs();
                               });
    ::_exit(taken ? 0 : 1);
  }
  for (const auto child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(read_file(log, 1000).value(), "made\n");
  ::umount2((folder_ / "kept2/ns").c_str(), MNT_DETACH);
  ::umount2((folder_ / "kept2").c_str(), MNT_DETACH);
}

TEST_F(KeptMount, WhoTakesWhileOthersDropAlwaysGetsAMountThatIsKept) {
  constexpr int many = 8;
  constexpr int turns = 100;
  const auto take_and_drop = [&](int child) -> std::string {
    for (int turn = 0; turn < turns; ++turn) {
      const auto taken = kept_->take(job_key, kept_until::idle, new_tmpfs);
      if (!taken) return taken.error().text();
      if (!taken->obstacle.empty()) return taken->obstacle;
      const int way = (child + turn) % 4;
      const auto dropped = way == 0   ? kept_->drop(job_key)
                           : way == 1 ? kept_->sweep(0s)
                           : way == 2 ? kept_->end_of_job(job_key.job)
                                      : result<void>{};
      if (!dropped) return dropped.error().text();
    }
    return "";
  };
  std::vector<std::future<std::string>> told;
  for (int child = 0; child < many; ++child) {
    told.push_back(std::async(
        std::launch::async, [&, child] { return in_child([&] { return take_and_drop(child); }); }));
  }
  for (auto& one : told) EXPECT_EQ(one.get(), "");
}

TEST_F(KeptMount, NamesArePlainWords) {
  for (const auto* name : {"", "a/b", "..", "a b", "a\n", "\xc3\xa4"}) {
    const auto taken = kept_->take({name, 0, 0}, kept_until::idle, new_tmpfs);
    EXPECT_EQ(taken.has_value(), std::string(name) == "..") << name;
  }
  EXPECT_FALSE(kept_->take({std::string(129, 'a'), 0, 0}, kept_until::idle, new_tmpfs));
}

TEST_F(KeptMount, AChangedFileIsAnotherImage) {
  const auto identity = [](const std::string& path) {
    const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return identity_of(file.get()).value_or("?");
  };
  const auto path = folder_.write("image", "one");
  const auto before = identity(path);
  EXPECT_EQ(identity(path), before);
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), nullptr, 0), 0);
  const auto touched = identity(path);
  EXPECT_NE(touched, before);
  std::filesystem::rename(path, folder_ / "aside");
  folder_.write("image", "one");
  EXPECT_NE(identity(path), touched);
}

}  // namespace
}  // namespace berth::container
