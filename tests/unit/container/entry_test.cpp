#include "container/entry.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

TEST(Entry, WordsOfAnyTextComeBack) {
  const std::vector<std::string> lists[] = {
      {"/usr/bin/tini", "--"}, {"a b", "", "c\nd", "100%", "%0A", "%25%0A"}, {""}, {"", ""}};
  for (const auto& words : lists) EXPECT_EQ(decode_words(encode_words(words)), words);
}

}  // namespace
}  // namespace berth::container
