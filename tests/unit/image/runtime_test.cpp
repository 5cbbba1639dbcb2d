#include "image/runtime.hpp"

#include <gmock/gmock.h>

namespace berth::image {
namespace {

TEST(Runtime, FindsThePathsCompiledIntoABinary) {
  using namespace std::string_view_literals;
  EXPECT_THAT(embedded_paths("\x01\0/usr/lib/openmpi\0x/no\0/etc/a%s\0/with blank\0/\0/end"sv),
              testing::ElementsAre("/etc/a%s", "/usr/lib/openmpi"));
  EXPECT_THAT(embedded_paths(""), testing::IsEmpty());
}

}  // namespace
}  // namespace berth::image
