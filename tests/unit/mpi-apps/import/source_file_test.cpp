#include "import/source_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <thread>

#include "import/file_digest.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

class SourceFile : public testing::Test {
 protected:
  result<source_file> open(const std::string& path) {
    return source_file::open(communicator::alone(), path, folder.file("out.h5"));
  }
  std::string compressed(const std::string& text) {
    const auto path = folder.file("t.csv.gz");
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return path;
  }
  static std::string long_text() {
    std::string text;
    for (int i = 0; i < 300'000; ++i) text += std::to_string(i) + "\n";
    return text;
  }
  temporary_folder folder;
};

TEST_F(SourceFile, ReadsPlainAndGzipAlikeAndLeavesNothing) {
  const auto text = long_text();
  for (const auto& path : {folder.write("t.csv", text), compressed(text)}) {
    const auto source = open(path);
    ASSERT_TRUE(source) << source.error().text();
    EXPECT_EQ(source->size(), std::ssize(text));
    EXPECT_EQ(*source->head(text.size() + 1), text);
    std::string middle(1000, ' ');
    EXPECT_EQ(*source->read(1'000'000, middle), 1000U);
    EXPECT_EQ(middle, text.substr(1'000'000, 1000));
    EXPECT_EQ(*source->read(source->size() - 10, middle), 10U);
  }
  EXPECT_EQ(folder.entries(), (std::set<std::string>{"t.csv", "t.csv.gz"}));
}

TEST_F(SourceFile, ReadsPipes) {
  const auto path = folder.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto text = long_text();
  const std::jthread writer([&] { std::ofstream(path) << text; });
  const auto source = open(path);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ(*source->head(text.size()), text);
}

TEST_F(SourceFile, RefusesMissingTruncatedAndFolders) {
  EXPECT_THAT(open(folder.file("none")).error().text(), HasSubstr("No such file or directory"));
  EXPECT_THAT(open(folder.file("")).error().text(), HasSubstr("Is a directory"));
  const auto path = compressed(std::string(100'000, 'x') + "end");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 20);
  const auto cut = open(path);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().text(), HasSubstr("truncated gzip file"));
  EXPECT_EQ(folder.entries(), (std::set<std::string>{"t.csv.gz"}));
}

TEST(FileDigest, IsThatOfSha256sum) {
  const temporary_folder folder;
  file_digest digest(folder.write("abc", "abc"));
  EXPECT_EQ(*digest.get(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  file_digest none(folder.file("none"));
  EXPECT_FALSE(none.get());
}

}  // namespace
}  // namespace berth::apps
