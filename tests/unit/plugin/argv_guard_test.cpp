#include "plugin/argv_guard.hpp"

#include <gmock/gmock.h>

namespace berth::plugin {
namespace {

using testing::HasSubstr;

const std::vector<std::string> words{"train", "./train", "/usr/bin/env", "", "a b\nc", "[this"};

TEST(ArgvGuard, AGuardedWordIsFoundAgain) {
  for (const auto& word : words) EXPECT_EQ(unguarded(guard_word(word)), word);
}

TEST(ArgvGuard, AnUnguardedWordStaysAsItIs) {
  for (const auto& word : words) EXPECT_EQ(unguarded(word), word);
}

TEST(ArgvGuard, ACutSentenceIsNoGuard) {
  const auto guarded = guard_word("train");
  const auto cut = guarded.substr(0, guarded.size() - 7);
  EXPECT_EQ(unguarded(cut), cut);
  EXPECT_EQ(unguarded(" " + guarded), " " + guarded);
}

TEST(ArgvGuard, RestoringHappensInPlace) {
  for (const auto& word : words) {
    auto guarded = guard_word(word);
    restore(guarded.data());
    EXPECT_STREQ(guarded.c_str(), word.c_str());
    restore(guarded.data());
    EXPECT_STREQ(guarded.c_str(), word.c_str());
  }
}

TEST(ArgvGuard, TellsTheUserWhatHappenedAndWhatToDo) {
  const auto guarded = guard_word("train");
  EXPECT_THAT(guarded, HasSubstr("was not run"));
  EXPECT_THAT(guarded, HasSubstr("plugstack.conf"));
  EXPECT_EQ(guarded.find('/'), std::string::npos);
}

}  // namespace
}  // namespace berth::plugin
