#include "common/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(AtomicFile, AppearsOnCommitWithTheUmasksPermissions) {
  const temporary_folder folder;
  auto file = atomic_file::create(folder.file("out"));
  ASSERT_TRUE(file);
  std::ofstream(file->temporary()) << "new";
  EXPECT_FALSE(folder.entries().contains("out"));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(folder.entries(), std::set<std::string>{"out"});
  EXPECT_EQ(content(folder.file("out")), "new");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  struct stat status {};
  ::stat(folder.file("out").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0666U & ~mask);
}

TEST(AtomicFile, LeavesTheOldFileAndNoTemporaryWithoutCommit) {
  const temporary_folder folder;
  const auto path = folder.write("out", "old");
  {
    auto file = atomic_file::create(path);
    ASSERT_TRUE(file);
    std::ofstream(file->temporary()) << "half";
  }
  EXPECT_EQ(folder.entries(), std::set<std::string>{"out"});
  EXPECT_EQ(content(path), "old");
}

TEST(AtomicFile, RefusesFoldersAndMissingFoldersByName) {
  const temporary_folder folder;
  const auto is_folder = check_writable(folder.file("."));
  ASSERT_FALSE(is_folder);
  EXPECT_NE(is_folder.error().text().find("Is a directory"), std::string::npos);
  const auto missing = check_writable(folder.file("none/out.h5"));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().text().find("/none\": No such file or directory"), std::string::npos)
      << missing.error().text();
  EXPECT_TRUE(folder.entries().empty());
}

}  // namespace
}  // namespace berth::apps
