#include "pinning/sightings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr bool runs = true;
constexpr bool sleeps = false;

whereabouts counted(int samples, int threads, int migrations) {
  whereabouts expected;
  expected.samples = samples;
  expected.threads = threads;
  expected.migrations = migrations;
  return expected;
}

TEST(CrowdedCpus, AreThoseWithTwoThreadsThatWantToRun) {
  const std::vector<sighting> everybody = {{1, 0, runs},   {2, 5, runs},   {3, 0, runs},
                                           {4, 2, runs},   {5, 2, sleeps}, {6, 7, sleeps},
                                           {7, 7, sleeps}, {8, 5, runs},   {9, 5, runs}};
  EXPECT_THAT(crowded_cpus(everybody), ElementsAre(0, 5));
  EXPECT_THAT(crowded_cpus({}), IsEmpty());
}

TEST(Sightings, OfAThreadThatStaysAreNoMigrations) {
  sightings seen({0, 1});
  for (int i = 0; i < 5; ++i) seen.add(std::vector<sighting>{{10, 1, runs}}, {});
  EXPECT_EQ(seen.so_far(), counted(5, 1, 0));
}

TEST(Sightings, CountEveryMoveOfEveryThread) {
  sightings seen({0, 1, 2});
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 2, runs}}, {});
  seen.add(std::vector<sighting>{{10, 1, runs}, {11, 2, runs}}, {});
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 0, sleeps}}, {});
  EXPECT_EQ(seen.so_far(), counted(3, 2, 3));
}

TEST(Sightings, CountAThreadOutsideOnceAndNameWhereItWas) {
  sightings seen({1});
  seen.add(std::vector<sighting>{{10, 1, runs}, {11, 4, sleeps}}, {});
  seen.add(std::vector<sighting>{{10, 1, runs}, {11, 3, runs}}, {});
  seen.add(std::vector<sighting>{{10, 1, runs}, {11, 1, runs}}, {});
  seen.add(std::vector<sighting>{{10, 1, runs}, {11, 3, runs}}, {});
  const auto& found = seen.so_far();
  EXPECT_EQ(found.outside, 1);
  EXPECT_THAT(found.outside_cpus, ElementsAre(3, 4));
}

TEST(Sightings, AThreadThatCameBackIsAnotherOne) {
  sightings seen({0});
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 0, runs}}, {});
  seen.add(std::vector<sighting>{{10, 0, runs}}, {});
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 0, runs}}, {});
  EXPECT_EQ(seen.so_far(), counted(3, 3, 0));
}

TEST(Sightings, ShareACpuOnlyWhileTheyWantToRunThere) {
  sightings seen({0, 1});
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 1, sleeps}}, std::vector<int>{0, 9});
  seen.add(std::vector<sighting>{{10, 0, sleeps}, {11, 1, runs}}, std::vector<int>{0});
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 1, runs}}, std::vector<int>{0, 1});
  const auto& found = seen.so_far();
  EXPECT_EQ(found.crowded_samples, 2);
  EXPECT_THAT(found.crowded_cpus, ElementsAre(0, 1));
}

TEST(Sightings, AreOneLineWithTheSameKeysAlways) {
  sightings seen({0, 1, 2, 8});
  EXPECT_EQ(describe(seen, 3, "n2"),
            "rank 3 on n2: checked cpuset=0-2,8 samples=0 threads=0 migrations=0 outside=0 "
            "outside_cpus=- crowded_samples=0 crowded_cpus=-");
  seen.add(std::vector<sighting>{{10, 0, runs}, {11, 5, runs}}, std::vector<int>{0});
  seen.add(std::vector<sighting>{{10, 1, runs}, {11, 6, runs}}, {});
  EXPECT_EQ(describe(seen, 3, "n2"),
            "rank 3 on n2: checked cpuset=0-2,8 samples=2 threads=2 migrations=2 outside=1 "
            "outside_cpus=5-6 crowded_samples=1 crowded_cpus=0");
}

}  // namespace
}  // namespace berth::pinning
