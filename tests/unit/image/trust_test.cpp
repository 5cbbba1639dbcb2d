#include "image/trust.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "scratch.hpp"

namespace berth::image {
namespace {

TEST(Trust, RootsOwnFilesAreRoots) {
  const auto facts = examine_path("/usr/bin/env");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->owner, 0U);
  EXPECT_EQ(facts->weakest, "");
}

TEST(Trust, AFolderThatOthersMayWriteToIsTheWeakest) {
  const scratch folder;
  const auto file = folder.write("img", "");
  const auto facts = examine_path(file);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->path, std::filesystem::canonical(file));
  EXPECT_EQ(facts->owner, ::getuid());
  EXPECT_EQ(facts->weakest, std::filesystem::canonical(std::filesystem::temp_directory_path()));
  EXPECT_FALSE(examine_path(folder / "absent"));
}

TEST(Trust, NothingBelowTheWeakestPartIsLookedAt) {
  const auto part = std::filesystem::canonical(std::filesystem::temp_directory_path());
  struct stat last {};
  EXPECT_EQ(*weakest_part(part / "absent/deeper", last), part);
}

TEST(Trust, OnlyWholeRealPathsAreWalked) {
  struct stat last {};
  EXPECT_FALSE(weakest_part("usr/bin/env", last));
  EXPECT_FALSE(weakest_part("/usr/bin/absent", last));
  EXPECT_FALSE(weakest_part("/proc/self/root", last));
  EXPECT_EQ(*weakest_part("/usr/bin/env", last), "");
  EXPECT_TRUE(S_ISREG(last.st_mode));
}

}  // namespace
}  // namespace berth::image
