#include "common/error.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(Error, NamesTheSystemsReasonAfterTheSentence) {
  const auto failed = fail_errno("\"a.h5\": cannot open", ENOENT);
  EXPECT_EQ(failed.value().text(), "\"a.h5\": cannot open: No such file or directory");
  EXPECT_EQ(failed.value().code(), std::errc::no_such_file_or_directory);
}

TEST(Error, ReadsFromContextToCure) {
  const error made = error("no rows").with_context("dataset").with_hint("add some");
  EXPECT_EQ(made.text(), "dataset: no rows; add some");
}

TEST(Error, BadInputIsExitCodeTwoAndTroubleOne) {
  EXPECT_EQ(error("x").exit_code(), 2);
  EXPECT_EQ(error("x", blame::run).exit_code(), 1);
}

}  // namespace
}  // namespace berth::apps
