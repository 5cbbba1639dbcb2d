#include "base/error.hpp"

#include <gtest/gtest.h>

namespace berth {
namespace {

result<int> broken() {
  return fail_errno("cannot open \"x\"", ENOENT);
}

TEST(Error, SaysOperationObjectReasonAndCure) {
  auto r = broken();
  ASSERT_FALSE(r);
  const auto e = std::move(r).error().with_context("node \"n1\"").with_hint("check the path");
  EXPECT_EQ(e.text(), "node \"n1\": cannot open \"x\": No such file or directory; check the path");
  EXPECT_EQ(e.code(), std::errc::no_such_file_or_directory);
}

TEST(Error, PassesFromOneResultTypeToAnother) {
  const auto outer = []() -> result<std::string> { return pass(broken(), "image"); };
  EXPECT_EQ(outer().error().text(), "image: cannot open \"x\": No such file or directory");
}

}  // namespace
}  // namespace berth
