#include "plugin/attach.hpp"

#include <gtest/gtest.h>

namespace berth::plugin {
namespace {

TEST(Attach, ReadsJobStepAndTask) {
  EXPECT_EQ(parse_attach("7.0"), (attach_target{7, 0, {}}));
  EXPECT_EQ(parse_attach("4294967290.12:3"), (attach_target{4294967290, 12, 3}));
}

TEST(Attach, RefusesEverythingElse) {
  for (const auto* text : {"", "7", "7.", ".0", "7.0:", "7.0:x", "7.0.1", "7.0:1:2", "7.batch",
                           "-1.0", "7.4294967295", "4294967296.0", "7 .0"}) {
    EXPECT_FALSE(parse_attach(text)) << text;
  }
}

}  // namespace
}  // namespace berth::plugin
