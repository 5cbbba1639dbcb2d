#include "image/known_digest.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cache_scene.hpp"
#include "image/cache_entry.hpp"
#include "image/digest.hpp"

namespace berth::image {
namespace {

TEST_F(Cache, AnImageOfAnotherLengthIsUnpackedWithoutReadingItTwice) {
  auto cache = open();
  ASSERT_TRUE(cache.take(request('a')));
  ASSERT_TRUE(cache.take(request('b')));
  EXPECT_EQ(digests_, 0);
  EXPECT_EQ(fills_, 2);
}

TEST_F(Cache, ACopyIsKnownByItsDigestAndAnImageOfEqualLengthIsNotTakenForIt) {
  auto cache = open();
  ASSERT_TRUE(cache.take(request('a')));
  auto copy = request('a');
  copy.image.st_ino = 2;
  const auto same = cache.take(copy);
  ASSERT_TRUE(same);
  EXPECT_FALSE(same->filled);
  EXPECT_EQ(digests_, 1);
  auto other = request('b');
  other.image.st_ino = 3;
  other.image.st_size = copy.image.st_size;
  const auto different = cache.take(other);
  ASSERT_TRUE(different);
  EXPECT_TRUE(different->filled);
  EXPECT_NE(different->path, same->path);
  EXPECT_EQ(fills_, 2);
}

TEST_F(Cache, WhoseFillerDiedBeforeHeNamedItIsUsed) {
  auto cache = open();
  const auto used = cache.take(request('a'));
  ASSERT_TRUE(used);
  for (const auto& file : fs::directory_iterator(place(ada, ""))) {
    if (file.path().extension() == ".known") fs::remove(file.path());
  }
  const auto again = cache.take(request('a'));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_FALSE(again->filled);
  EXPECT_FALSE(fs::exists(place(ada, length('a') + ".new")));
  EXPECT_EQ(cache.take(request('a'))->path, used->path);
  EXPECT_EQ(fills_, 2) << "the third is known";
}

TEST_F(Cache, WhatAnUnnamedFillLeftIsSweptWhenNobodyFills) {
  auto cache = open();
  ASSERT_TRUE(cache.take(request('a')));
  fs::create_directories(place(ada, "1f.new/root"));
  fs::create_directories(place(ada, "2f.new/root"));
  const auto none = [](const cache_entry&) { return false; };
  {
    const auto filling =
        lock_entry(unique_fd(::open(place(ada, "").c_str(), O_PATH)).get(), "2f", LOCK_EX);
    ASSERT_TRUE(cache.prune(none));
    EXPECT_FALSE(fs::exists(place(ada, "1f.new")));
    EXPECT_TRUE(fs::exists(place(ada, "2f.new")));
  }
  ASSERT_TRUE(cache.prune(none));
  EXPECT_FALSE(fs::exists(place(ada, "2f.new")));
}

TEST_F(Cache, AFillIsToldWhatThereIsRoomFor) {
  auto cache = open(350000);
  auto asking = request('a');
  std::uint64_t told = 0;
  asking.fill_and_digest = [&](int, std::uint64_t limit) -> result<std::string> {
    told = limit;
    return fail("larger");
  };
  EXPECT_FALSE(cache.take(asking));
  EXPECT_EQ(told, 350000U);
}

TEST_F(Cache, DigestsOfKnownFilesAreRememberedUntilTheyChange) {
  fs::create_directories(place(ada, ""));
  fs::create_directories(place(bob, ""));
  const unique_fd hers(::open(place(ada, "").c_str(), O_PATH | O_CLOEXEC));
  const unique_fd his(::open(place(bob, "").c_str(), O_PATH | O_CLOEXEC));
  const auto image = top_ / "image";
  std::ofstream(image) << "one";
  struct stat info {};
  ASSERT_EQ(::stat(image.c_str(), &info), 0);
  EXPECT_EQ(known_digest(hers.get(), info), std::nullopt);
  EXPECT_FALSE(knows_length(hers.get(), 3));
  ASSERT_TRUE(remember_digest(hers.get(), info, digest('a')));
  EXPECT_EQ(known_digest(hers.get(), info), digest('a'));
  EXPECT_EQ(known_digest(his.get(), info), std::nullopt);
  EXPECT_TRUE(knows_length(hers.get(), 3));
  EXPECT_FALSE(knows_length(hers.get(), 4));
  struct stat changed = info;
  changed.st_ctim.tv_nsec += 1;
  EXPECT_EQ(known_digest(hers.get(), changed), std::nullopt);
  forget_digests(hers.get());
  EXPECT_EQ(known_digest(hers.get(), info), std::nullopt);
}

TEST(Digest, IsSha256) {
  sha256 sum;
  sum.add("abc");
  EXPECT_EQ(sum.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace berth::image
