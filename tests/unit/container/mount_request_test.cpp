#include "container/mount_request.hpp"

#include <gmock/gmock.h>

#include "base/text.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

result<std::vector<mount_request>> parse(const std::string& text) {
  return parse_mounts(text, "/jobs/run");
}

mount_request only(const std::string& text) {
  auto mounts = parse(text);
  EXPECT_TRUE(mounts) << text << ": " << mounts.error().text();
  if (!mounts || mounts->size() != 1) return {};
  return mounts->front();
}

std::string complaint(const std::string& text) {
  const auto mounts = parse(text);
  return mounts ? "accepted" : mounts.error().text();
}

TEST(MountRequest, ProgramsCanBeKeptFromRunning) {
  const auto mounts = parse_mounts("/data:/mnt:noexec+ro,tmpfs:/t:noexec", "/");
  ASSERT_TRUE(mounts) << mounts.error().text();
  for (const auto& mount : *mounts) EXPECT_TRUE(mount.no_exec);
  EXPECT_EQ(*parse_mounts(format_mounts(*mounts), "/elsewhere"), *mounts);
}

TEST(Mounts, AreSourceTargetAndFlags) {
  const auto plain = only("/data:/mnt");
  EXPECT_EQ(plain.kind, mount_kind::bind);
  EXPECT_EQ(plain.source, "/data");
  EXPECT_EQ(plain.target, "/mnt");
  EXPECT_FALSE(plain.read_only);
  EXPECT_TRUE(plain.recursive);
  EXPECT_TRUE(plain.follows);
  EXPECT_TRUE(only("/data:/mnt:ro").read_only);
  EXPECT_FALSE(only("/data:/mnt:rw").read_only);
  EXPECT_FALSE(only("/data:/mnt:bind").recursive);
  EXPECT_FALSE(only("/data:/mnt:ro+rprivate").follows);
  EXPECT_TRUE(only("/data:/mnt:x-create=dir+ro+rbind+nosuid+nodev").read_only);
  EXPECT_EQ(only("/data:/mnt:"), plain);
}

TEST(Mounts, WithoutATargetAreWhereTheyAreOnTheNode) {
  EXPECT_EQ(only("/data/set"), only("/data/set:/data/set"));
  EXPECT_EQ(only("./set").target, "/jobs/run/set");
}

TEST(Mounts, RelativeSourcesStartInTheGivenFolder) {
  EXPECT_EQ(only("./set:/mnt").source, "/jobs/run/set");
  EXPECT_EQ(only(".:/mnt").source, "/jobs/run");
  EXPECT_EQ(only("../set:/mnt").source, "/jobs/set");
  EXPECT_EQ(only("/data/:/mnt/").source, "/data");
  EXPECT_EQ(only("///:/mnt").source, "/");
  EXPECT_EQ(only("/data//:/mnt/./x//").target, "/mnt/x");
}

TEST(Mounts, OfMemoryHaveASize) {
  const auto plain = only("tmpfs:/scratch");
  EXPECT_EQ(plain.kind, mount_kind::tmpfs);
  EXPECT_EQ(plain.source, "");
  EXPECT_EQ(plain.size, 0U);
  EXPECT_EQ(only("tmpfs:/scratch:size=512M+ro").size, 512U << 20);
  EXPECT_EQ(only("tmpfs:/scratch:x-create=dir"), plain);
  EXPECT_EQ(only("./tmpfs:/scratch").kind, mount_kind::bind);
}

TEST(Mounts, MayHaveSpacesUtf8AndEscapedSeparators) {
  EXPECT_EQ(only("/my data:/mnt/your data").target, "/mnt/your data");
  EXPECT_EQ(only("/d\u00e4ten:/mnt/\u6570").target, "/mnt/\u6570");
  EXPECT_EQ(only("/a\\:b:/mnt/c\\,d:ro").source, "/a:b");
  EXPECT_EQ(only("/a\\:b:/mnt/c\\,d:ro").target, "/mnt/c,d");
  EXPECT_EQ(only("/back\\slash:/mnt").source, "/back\\slash");
  EXPECT_EQ(only("/back\\\\:/mnt").source, "/back\\");
}

TEST(Mounts, AreSeparatedByCommas) {
  const auto mounts = parse("/a:/x:ro,tmpfs:/y,/b");
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts->size(), 3U);
  EXPECT_EQ((*mounts)[2].target, "/b");
  // As pyxis does it: twice the same is once.
  EXPECT_EQ(parse("/a:/x,/a:/x")->size(), 1U);
}

TEST(Mounts, ReadBackWhatWasWritten) {
  for (const auto* text :
       {"/a:/x:ro,tmpfs:/y:size=1M,./b:/c d:bind+private", "/a\\:b:/c\\,d", "/\\\\:/x"}) {
    const auto mounts = parse(text);
    ASSERT_TRUE(mounts) << text;
    const auto again = parse_mounts(format_mounts(*mounts), "/elsewhere");
    ASSERT_TRUE(again) << format_mounts(*mounts);
    EXPECT_EQ(*again, *mounts) << text;
  }
}

TEST(Mounts, ThatCannotBeAreRefusedWithTheReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "its source is empty"},
      {",", "its source is empty"},
      {"/a:/x,", "its source is empty"},
      {":/x", "its source is empty"},
      {"/a::ro", "its target is empty"},
      {"data:/x", "write ./data"},
      {"umount:/x", "cannot take away mounts"},
      {"tmpfs", "write tmpfs:DST"},
      {"/a:x", "not an absolute path"},
      {"/a:../x", "not an absolute path"},
      {"/a:/x/../../etc", "holds \"..\""},
      {"/a:/..", "holds \"..\""},
      {"/a:/", "the container's own"},
      {"/a://", "the container's own"},
      {"/a:/.", "the container's own"},
      {"/a:/proc", "the container's own"},
      {"/a:/proc/self/", "the container's own"},
      {"/a:/./proc//sys", "the container's own"},
      {"/a:/sys/fs", "the container's own"},
      {"/a:/dev", "the container's own"},
      {"/a:/x:rx", "unknown flag \"rx\"; known are ro"},
      {"/a:/x:ro+", "unknown flag \"\""},
      {"/a:/x:size=1G", "unknown flag"},
      {"tmpfs:/x:bind", "unknown flag \"bind\""},
      {"tmpfs:/x:size=lots", "not a size"},
      {"tmpfs:/x:size=0", "holds nothing"},
      {"/a:/x:ro:more", "more than three parts"},
      {"/a:/x,/b:/x/", "\"/x\" is given twice"},
      {"/a\n:/x", "control character"},
      {"/a:/x\x1b[2J", "control character"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(complaint(text), HasSubstr(reason)) << text;
    EXPECT_THAT(complaint(text), Not(HasSubstr("\n")));
  }
  // Names that only begin alike are no folders of the container's.
  for (const auto* text : {"/a:/process", "/a:/sysroot", "/a:/dev/shm", "/a:/devices"}) {
    EXPECT_EQ(complaint(text), "accepted") << text;
  }
}

TEST(Mounts, HaveLimits) {
  EXPECT_THAT(complaint("/" + std::string(5000, 'a') + ":/x"), HasSubstr("longer than 4095 bytes"));
  EXPECT_THAT(complaint("/a:/" + std::string(5000, 'a')), HasSubstr("longer than 4095 bytes"));
  EXPECT_LT(complaint("/a:/" + std::string(1 << 20, 'a')).size(), 500U);
  std::string many = "/a:/0";
  for (int i = 1; i < 256; ++i) many += ",/a:/" + std::to_string(i);
  EXPECT_EQ(complaint(many), "accepted");
  EXPECT_THAT(complaint(many + ",/a:/more"), HasSubstr("more than 256 mounts"));
}

}  // namespace
}  // namespace berth::container
