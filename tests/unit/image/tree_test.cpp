#include "image/tree.hpp"

#include <gmock/gmock.h>

#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(Tree, PutsParentsBeforeChildren) {
  tree files;
  ASSERT_TRUE(files.put("/a/b/c", text_file{"x"}));
  std::vector<std::string> order;
  for (const auto& [path, what] : files.nodes()) order.push_back(path);
  EXPECT_EQ(order, (std::vector<std::string>{"/a", "/a/b", "/a/b/c"}));
}

TEST(Tree, FollowsItsOwnLinks) {
  tree files;
  ASSERT_TRUE(files.put("/lib", symlink{"usr/lib"}));
  ASSERT_TRUE(files.put("/usr/far", symlink{"../lib/deep"}));
  ASSERT_TRUE(files.put("/lib/x", text_file{"x"}));
  ASSERT_TRUE(files.put("/usr/far/y", text_file{"y"}));
  EXPECT_TRUE(files.nodes().contains("/usr/lib/x"));
  EXPECT_TRUE(files.nodes().contains("/usr/lib/deep/y"));
  EXPECT_TRUE(files.contains("/lib/deep/y"));
}

TEST(Tree, RefusesTwoContentsForOnePathAndLinkCycles) {
  tree files;
  ASSERT_TRUE(files.put("/a", text_file{"x"}));
  EXPECT_TRUE(files.put("/a", text_file{"x"}));
  EXPECT_FALSE(files.put("/a", text_file{"y"}));
  EXPECT_FALSE(files.put("/a/b", text_file{"y"}));
  ASSERT_TRUE(files.put("/l", symlink{"/l"}));
  const auto looped = files.put("/l/x", text_file{""});
  ASSERT_FALSE(looped);
  EXPECT_THAT(looped.error().text(), HasSubstr("too many symbolic links"));
}

TEST(Tree, MirrorsEveryLinkOnTheWay) {
  const scratch folder;
  const auto real = folder.write("real/lib.so.1.2", "code");
  fs::create_symlink("lib.so.1.2", folder / "real/lib.so.1");
  fs::create_symlink("real", folder / "alias");
  tree files;
  ASSERT_TRUE(files.mirror(folder / "alias/lib.so.1"));
  EXPECT_EQ(std::get<symlink>(files.nodes().at(folder / "alias")).target, "real");
  EXPECT_EQ(std::get<symlink>(files.nodes().at(folder / "real/lib.so.1")).target, "lib.so.1.2");
  EXPECT_EQ(std::get<copied_file>(files.nodes().at(real)).size, 4U);
}

TEST(Tree, MirrorsFoldersWithAllBelow) {
  const scratch folder;
  folder.write("d/one", "1");
  folder.write("d/e/two", "2");
  tree files;
  ASSERT_TRUE(files.mirror(folder / "d"));
  EXPECT_TRUE(files.contains(folder / "d/one"));
  EXPECT_TRUE(files.contains(folder / "d/e/two"));
  EXPECT_FALSE(files.mirror(folder / "absent"));
}

}  // namespace
}  // namespace berth::image
