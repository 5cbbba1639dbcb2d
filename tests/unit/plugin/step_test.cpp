#include "plugin/step.hpp"

#include <gtest/gtest.h>

namespace berth::plugin {
namespace {

TEST(Step, IsRefusedForTheFirstReasonGiven) {
  current_step().reset();
  refuse_step("the first");
  refuse_step("the second");
  ASSERT_TRUE(current_step());
  EXPECT_EQ(current_step()->refusal, "the first");
  current_step().reset();
}

TEST(OneLine, LeavesNoControlCharacterAndCutsWhatIsLong) {
  EXPECT_EQ(one_line("image \"/home/ada/\u00e4.sqsh\""), "image \"/home/ada/\u00e4.sqsh\"");
  EXPECT_EQ(one_line("a\n[2026-11-22] error: b\r\x1b[2J\x7f"), "a?[2026-11-22] error: b??[2J?");
  EXPECT_EQ(one_line("a\u009b31mb\u00a0\u00c2"), "a?31mb\u00a0\u00c2");
  EXPECT_EQ(one_line(std::string(100'000, 'x')), std::string(2000, 'x') + "...");
}

}  // namespace
}  // namespace berth::plugin
