#include "container/image_fstab.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

result<std::vector<fstab_mount>> mounts_of(std::string_view text, const std::string& user = {}) {
  const auto lines = image::parse_fstab(text);
  if (!lines) return failure(lines.error());
  const auto value_of = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "/home/ada";
    if (name == "ODD") return "/a b:c,d";
    if (name == "EVIL") return "/x\n/etc /y none bind";
    return std::nullopt;
  };
  return fstab_mounts(*lines, "/jobs", value_of,
                      user.empty() ? std::vector<mount_request>{} : *parse_mounts(user, "/jobs"));
}

TEST(ImageFstab, ALineIsWhatTheOptionMakesOfTheSameWords) {
  const std::pair<const char*, const char*> lines[] = {
      {"/data /mnt none x-create=dir,bind", "/data:/mnt:bind"},
      {"/data /mnt none rbind,bind,ro,nosuid", "/data:/mnt:ro"},
      {"/data", "/data"},
      {"./in /mnt none rbind", "./in:/mnt"},
      {"tmpfs /fast tmpfs size=64M,mode=700,noexec", "tmpfs:/fast:noexec+size=64M"},
      {"${HOME}/x mnt//d/ none rbind,rslave,noatime,defaults", "/home/ada/x:/mnt/d"},
      {"${ODD} /mnt none rbind,private", "/a b\\:c\\,d:/mnt:private"},
      {"${NONE}/data /mnt none rbind", "/data:/mnt"},
  };
  for (const auto& [line, option] : lines) {
    const auto asked = mounts_of(line);
    ASSERT_TRUE(asked) << line << ": " << asked.error().text();
    const auto same = parse_mounts(option, "/jobs");
    ASSERT_TRUE(same) << option << ": " << same.error().text();
    EXPECT_THAT(*asked, ElementsAre(fstab_mount{same->front(), true})) << line;
  }
}

TEST(ImageFstab, WhatTheUserCouldNotAskForIsOneLine) {
  const std::pair<const char*, const char*> lines[] = {
      {"/etc/x /proc/sys none bind", "the container's own"},
      {"/x /dev none bind", "the container's own"},
      {"/x / none bind", "the container's own"},
      {"/x /a/../proc none bind", "holds \"..\""},
      {"etc /x none bind", "neither a path"},
      {"${NONE} /x none bind", "its source ${NONE} is empty"},
      {"${EVIL} /x none bind", "control character"},
      {"/a /x\\033[31m none bind", "control character"},
      {"/a /x\\302\\233 none bind", "control character"},
      {"/dev/sda1 /x ext4 rw 0 0", "file system of type \"ext4\""},
      {"overlay /x overlay lowerdir=/", "file system of type \"overlay\""},
      {"none /x none x-detach", "\"x-detach\""},
      {"/a /x none x-move", "\"x-move\""},
      {"/a /x none bind,suid", "unknown flag \"suid\""},
      {"/a /x none bind,dev", "unknown flag \"dev\""},
      {"/a /x none bind,shared", "unknown flag \"shared\""},
      {"/a /x none ro", "neither \"bind\" nor \"rbind\""},
      {"tmpfs /x tmpfs size=much", "size"},
      {"tmpfs /x tmpfs uid=0", "unknown flag \"uid=0\""},
      {"${ENROOT_ROOTFS}/etc /x none bind", "no folder of a container twice"},
      {"${ENROOT_ROOTFS}/../../etc /../../etc none bind", "holds \"..\""},
  };
  for (const auto& [line, why] : lines) {
    const auto asked = mounts_of(std::string("\n") + line);
    ASSERT_FALSE(asked) << line;
    const auto& text = asked.error().text();
    EXPECT_THAT(text, AllOf(testing::StartsWith("line 2: "), HasSubstr(why), Not(HasSubstr("\n")),
                            Not(HasSubstr("\033")), Not(HasSubstr("\xc2\x9b"))));
  }
}

TEST(ImageFstab, TheCureIsTheUsersOwnMount) {
  const std::string text = "/dev/sda1 /data/ ext4\nnone /tools none x-detach\n/a /b none bind\n";
  EXPECT_THAT(mounts_of(text).error().text(),
              HasSubstr("; --container-mounts=tmpfs:/data starts without it"));
  const auto left = mounts_of(text, "tmpfs:/data,/opt:/tools");
  ASSERT_TRUE(left) << left.error().text();
  EXPECT_THAT(*left, ElementsAre(fstab_mount{parse_mounts("/a:/b:bind", "/")->front(), true}));
  EXPECT_THAT(mounts_of("/a /proc/x none bind").error().text(), Not(HasSubstr("starts without")));
}

TEST(ImageFstab, OfOneTargetTheLastLineCounts) {
  const auto asked = mounts_of("/a /x none rbind\n/b /x/ none rbind,nofail\n");
  ASSERT_TRUE(asked) << asked.error().text();
  EXPECT_THAT(*asked, ElementsAre(fstab_mount{parse_mounts("/b:/x", "/")->front(), false}));
}

TEST(ImageFstab, AVolumeIsAFolderOfTheContainer) {
  const auto asked =
      mounts_of("${ENROOT_ROOTFS}/var/lib/db /var/lib/db none x-create=dir,bind,rw,nosuid,nodev\n");
  ASSERT_TRUE(asked) << asked.error().text();
  ASSERT_EQ(asked->size(), 1U);
  EXPECT_EQ(asked->front().mount.kind, mount_kind::folder);
  EXPECT_EQ(asked->front().mount.target, "/var/lib/db");
  EXPECT_THAT(asked->front().mount.source, IsEmpty());
}

}  // namespace
}  // namespace berth::container
