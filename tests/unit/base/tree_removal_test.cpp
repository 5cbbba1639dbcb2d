#include "base/tree_removal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/unique_fd.hpp"

namespace berth {
namespace {

namespace fs = std::filesystem;

class TreeRemoval : public testing::Test {
 protected:
  TreeRemoval() {
    auto pattern = (fs::temp_directory_path() / "berth-removal-XXXXXX").string();
    top_ = ::mkdtemp(pattern.data());
    folder_.reset(::open(top_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~TreeRemoval() override { fs::remove_all(top_); }
  fs::path top_;
  unique_fd folder_;
};

TEST_F(TreeRemoval, TakesFilesLinksAndFolders) {
  fs::create_directories(top_ / "gone/a/b");
  fs::create_directories(top_ / "kept/inside");
  std::ofstream(top_ / "gone/a/file") << "x";
  fs::create_symlink(top_ / "kept", top_ / "gone/a/link");
  ASSERT_TRUE(remove_tree(folder_.get(), "gone"));
  EXPECT_FALSE(fs::exists(top_ / "gone"));
  EXPECT_TRUE(fs::exists(top_ / "kept/inside"));
  fs::create_symlink(top_ / "kept", top_ / "link");
  ASSERT_TRUE(remove_tree(folder_.get(), "link"));
  EXPECT_TRUE(fs::exists(top_ / "kept/inside"));
  EXPECT_TRUE(remove_tree(folder_.get(), "absent"));
}

TEST_F(TreeRemoval, DeepTreesNeedFewDescriptors) {
  ASSERT_EQ(::mkdirat(folder_.get(), "deep", 0755), 0);
  unique_fd at(::openat(folder_.get(), "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int level = 0; level < 400; ++level) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
    at.reset(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  at.reset();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{128, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto done = remove_tree(folder_.get(), "deep");
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_FALSE(fs::exists(top_ / "deep"));
}

TEST_F(TreeRemoval, OpensFoldersThatTheirOwnerLocked) {
  fs::create_directories(top_ / "locked/below");
  std::ofstream(top_ / "locked/below/file") << "x";
  fs::permissions(top_ / "locked/below", fs::perms(0));
  fs::permissions(top_ / "locked", fs::perms(0500));
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(top_.c_str(), 65534, 0), 0);
    ASSERT_EQ(::chown((top_ / "locked").c_str(), 65534, 0), 0);
    ASSERT_EQ(::chown((top_ / "locked/below").c_str(), 65534, 0), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto done = remove_tree(folder_.get(), "locked");
  if (::getuid() == 0) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_FALSE(fs::exists(top_ / "locked"));
}

}  // namespace
}  // namespace berth
