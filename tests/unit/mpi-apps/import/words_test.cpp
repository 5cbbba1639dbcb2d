#include "import/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string scratch;
  for_each_word(text, scratch, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

TEST(Words, AreTwoOrMoreLettersDigitsOrUnderscores) {
  EXPECT_THAT(words_of("Go until 2 a.m., U r WINNER_1!"), ElementsAre("go", "until", "winner_1"));
  EXPECT_THAT(words_of("caf\xC3\xA9 \xC3\xA9"), ElementsAre("caf\xC3\xA9", "\xC3\xA9"));
  EXPECT_TRUE(words_of(" .. a ").empty());
}

TEST(Words, AreCountedOncePerText) {
  word_counts counts;
  counts.add("to be or not to be", {});
  counts.add("be quick", {});
  EXPECT_THAT(counts.words(), UnorderedElementsAre(Pair("to", 1), Pair("be", 2), Pair("or", 1),
                                                   Pair("not", 1), Pair("quick", 1)));
}

TEST(Words, HaveTheBucketsOfFnv1a) {
  // The published test vector of "foobar" is 85944171f73967e8, folded here to 16 bits.
  EXPECT_EQ(word_bucket("foobar", 16), (0x85944171f73967e8U ^ 0x85944171U) & 0xFFFFU);
  word_options hashed;
  hashed.mode = word_mode::hash;
  hashed.bits = 4;
  hashed.tf_idf = true;
  word_counts counts;
  counts.add("foobar foobar", hashed);
  ASSERT_EQ(counts.buckets().size(), 16U);
  EXPECT_EQ(counts.buckets()[word_bucket("foobar", 4)], 1);
}

}  // namespace
}  // namespace berth::apps
