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

}  // namespace
}  // namespace berth::image
