#include "image/enroot_files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace berth::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(EnrootFiles, AnEnvironmentIsReadAsPamDoes) {
  const auto file = parse_environment(
      "# comment\n\n  A=1\nexport B=\"two words\"\nC='x'\nD=\nA=2\nE=\"open\n1F=x\nno sense\n=x\n");
  EXPECT_THAT(file.entries, ElementsAre("B=two words", "C=x", "D=", "A=2", "E=\"open"));
  EXPECT_THAT(file.problems, ElementsAre("line 9 is not NAME=VALUE", "line 10 is not NAME=VALUE",
                                         "line 11 is not NAME=VALUE"));
}

TEST(EnrootFiles, AnEnvironmentHasALimit) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("V{}=x\n", i);
  const auto file = parse_environment(text);
  EXPECT_THAT(file.entries, SizeIs(256));
  EXPECT_THAT(file.problems, ElementsAre("line 257 is variable 257"));
  EXPECT_THAT(parse_environment(std::string("A=x\0y\n", 6)).entries, SizeIs(0));
}

TEST(EnrootFiles, ReferencesAreReplacedOnce) {
  const auto value_of = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "/home/${USER}";
    if (name == "LONG") return std::string(100'000, 'x');
    return std::nullopt;
  };
  EXPECT_THAT(
      expand_references({"A=${HOME}/x", "B=${NONE}", "C=$HOME ${1} ${HOME", "D=${LONG}${LONG}"},
                        value_of),
      ElementsAre("A=/home/${USER}/x", "B=", "C=$HOME ${1} ${HOME"));
}

TEST(EnrootFiles, AnFstabIsDescribedWithTheCure) {
  const auto told = describe_fstab("# none\n/data /mnt/d none x-create=dir,bind\n\n/lone\n");
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0], HasSubstr("line 2 asks for \"/data\" on \"/mnt/d\""));
  EXPECT_THAT(told[0], HasSubstr("--container-mounts=/data:/mnt/d"));
  EXPECT_EQ(told[1], "line 4 has no mount point");
}

}  // namespace
}  // namespace berth::image
