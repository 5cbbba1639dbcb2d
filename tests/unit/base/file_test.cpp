#include "base/file.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace berth {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  File() {
    std::string pattern = fs::temp_directory_path() / "berth-file-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~File() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string path(const char* name) const { return folder_ / name; }
  [[nodiscard]] auto entries() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }
  fs::path folder_;
};

TEST_F(File, CommitReplacesTheOldFileAsAWhole) {
  for (const auto* content : {"old", "new"}) {
    auto out = atomic_file::create(path("a"));
    ASSERT_TRUE(out);
    ASSERT_TRUE(write_all(out->fd(), content));
    ASSERT_TRUE(out->commit());
  }
  EXPECT_EQ(*read_file(path("a"), 100), "new");
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, WithoutCommitTheOldFileStaysAndNothingIsLeft) {
  {
    auto out = atomic_file::create(path("a"));
    ASSERT_TRUE(out);
    ASSERT_TRUE(write_all(out->fd(), "half"));
  }
  EXPECT_EQ(entries(), 0);
}

TEST_F(File, ReadingStopsAtTheLimit) {
  auto out = atomic_file::create(path("a"));
  ASSERT_TRUE(write_all(out->fd(), std::string(1000, 'x')));
  ASSERT_TRUE(out->commit());
  EXPECT_TRUE(read_file(path("a"), 1000));
  EXPECT_FALSE(read_file(path("a"), 999));
  EXPECT_EQ(read_file(path("b"), 1).error().code(), std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace berth
