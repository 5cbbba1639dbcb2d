#include "data/digest.hpp"

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

TEST(Digest, TellsFilesApartByLengthBeginningAndEnd) {
  const temporary_folder folder;
  const std::string text(100'000, 'a');
  const auto digest = [&](std::string content) { return *digest_of(folder.write("f", content)); };
  const auto whole = digest(text);
  EXPECT_EQ(whole, digest(text));
  EXPECT_NE(whole, digest(text.substr(1)));
  auto changed = text;
  changed.front() = 'b';
  EXPECT_NE(whole, digest(changed));
  changed = text;
  changed.back() = 'b';
  EXPECT_NE(whole, digest(changed));
}

TEST(Digest, TakesFilesShorterThanASample) {
  const temporary_folder folder;
  EXPECT_NE(*digest_of(folder.write("a", "")), *digest_of(folder.write("b", "x")));
  EXPECT_FALSE(digest_of(folder.file("none")));
}

}  // namespace
}  // namespace berth::apps
