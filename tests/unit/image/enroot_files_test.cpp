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

TEST(EnrootFiles, FieldsOfAnFstabMayBeLeftOut) {
  using options = std::vector<std::string>;
  const std::pair<const char*, fstab_line> lines[] = {
      {"/data /mnt/d none x-create=dir,bind",
       {1, "/data", "/mnt/d", "none", {"x-create=dir", "bind"}}},
      {"tmpfs /scratch", {1, "tmpfs", "/scratch", "tmpfs", {}}},
      {"tmpfs /s tmpfs size=1M,,ro 0 -1", {1, "tmpfs", "/s", "tmpfs", {"size=1M", "ro"}}},
      {"/data", {1, "/data", "/data", "none", {"rbind", "x-create=auto"}}},
      {"\t/data   bind", {1, "/data", "/data", "none", {"bind"}}},
      {"/data /mnt", {1, "/data", "/mnt", "none", {"rbind", "x-create=auto"}}},
      {"/data /mnt ro,rbind", {1, "/data", "/mnt", "none", {"ro", "rbind"}}},
      {"/data none ro,rbind", {1, "/data", "/data", "none", {"ro", "rbind"}}},
      {"/a\\040b /c\\012 none bind", {1, "/a b", "/c\n", "none", {"bind"}}},
      {"/dev/sdb1 /data ext4", {1, "/dev/sdb1", "/data", "ext4", options{}}},
  };
  for (const auto& [text, line] : lines) {
    const auto parsed = parse_fstab(text);
    ASSERT_TRUE(parsed) << text << parsed.error().text();
    EXPECT_THAT(*parsed, ElementsAre(line)) << text;
  }
}

TEST(EnrootFiles, AnFstabOfAWholeSystemAsksForNothing) {
  const auto parsed = parse_fstab(
      "# UNCONFIGURED FSTAB\n\n  # more\nUUID=1 / ext4 errors=remount-ro 0 1\n"
      "/dev/sda2 none swap sw 0 0\nproc /proc proc defaults 0 0\nLABEL=h /home xfs defaults 1 2\n"
      "/dev/cdrom /media/cdrom udf,iso9660 user,noauto 0 0\nUUID=2 /data ext4 defaults 2\n");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_THAT(*parsed, SizeIs(0));
}

TEST(EnrootFiles, AnFstabHasLimits) {
  std::string text;
  for (int i = 0; i < 257; ++i) text += "tmpfs /t\n";
  EXPECT_THAT(parse_fstab(text).error().text(), HasSubstr("line 257 is mount 257"));
  EXPECT_THAT(parse_fstab("\ntmpfs\n").error().text(), HasSubstr("line 2 has no mount point"));
}

TEST(EnrootFiles, VariablesOfAnFstabAreNamedOnce) {
  const auto parsed = parse_fstab("${A}/x /m${B}/${A} none bind,size=${C}\n$D /d none ${A},ro\n");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(references_of(*parsed), ElementsAre("A", "B", "C"));
}

}  // namespace
}  // namespace berth::image
