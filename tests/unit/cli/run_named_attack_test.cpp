// Links and strangers in the folder where named containers stay.

#include "named_scene.hpp"

namespace berth::cli {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string not_own(const fs::path& folder) {
  return std::string("\"").append(folder).append("\" is not a folder of this user's own");
}

class NamedAttack : public named_scene {
 protected:
  void SetUp() override {
    named_scene::SetUp();
    make_users(victim());
    std::ofstream(victim() / "precious") << "kept";
    ASSERT_EQ(::chown((victim() / "precious").c_str(), 65534, 65534), 0);
  }
  void TearDown() override {
    EXPECT_EQ(*read_file(victim() / "precious", 100), "kept");
    EXPECT_EQ(std::distance(fs::directory_iterator(victim()), fs::directory_iterator()), 1);
  }
  [[nodiscard]] fs::path victim() const { return folder_ / "home/victim"; }
  void link(const fs::path& at, const fs::path& to) const {
    fs::remove_all(at);
    make_users(at.parent_path());
    fs::create_symlink(to, at);
    ASSERT_EQ(::lchown(at.c_str(), 65534, 65534), 0);
  }
};

TEST_F(NamedAttack, LinksInPlaceOfFoldersAreNotFollowed) {
  for (const auto& at : {state() / "c", state(), state().parent_path()}) {
    link(at, victim());
    for (const auto& end : {in({"c", image()}, ":"), in({"c"}, ":")}) {
      expect_refusal(end, 125, not_own(at));
    }
    expect_refusal(remove({"c"}), 1, not_own(at));
    fs::remove(at);
  }
}

TEST_F(NamedAttack, LinksInPlaceOfFilesAreNotFollowed) {
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  for (const auto* name : {"lock", "record", "upper", "work"}) {
    const auto at = state() / "c" / name;
    const auto before = state() / "before";
    fs::rename(at, before);
    for (const auto& to : {victim() / "precious", victim()}) {
      link(at, to);
      expect_refusal(in({"c"}, ":"), 125, at.string());
    }
    fs::remove(at);
    ASSERT_EQ(::mkfifo(at.c_str(), 0600), 0);
    ASSERT_EQ(::chown(at.c_str(), 65534, 65534), 0);
    expect_refusal(in({"c"}, ":"), 125, at.string());
    fs::remove(at);
    fs::rename(before, at);
  }
  EXPECT_EQ(in({"c"}, ":").exit_code, 0);
}

TEST_F(NamedAttack, RemovalRemovesLinksNotWhatTheyLeadTo) {
  ASSERT_EQ(in({"c", image()}, "mkdir /d").exit_code, 0);
  link(state() / "c/upper/d/link", victim());
  link(state() / "c/record", victim() / "precious");
  link(state() / "c/work", victim());
  EXPECT_EQ(remove({"c"}).out, "c\n");
  EXPECT_FALSE(fs::exists(state() / "c"));
}

TEST_F(NamedAttack, WhatOthersCanWriteOrOwnIsNotBelieved) {
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  for (const auto& at : {state() / "c/upper", state() / "c", state(), state().parent_path()}) {
    ASSERT_EQ(::chmod(at.c_str(), 0777), 0);
    expect_refusal(in({"c"}, ":"), 125, not_own(at));
    ASSERT_EQ(::chmod(at.c_str(), 0755), 0);
    ASSERT_EQ(::chown(at.c_str(), 0, 0), 0);
    expect_refusal(in({"c"}, ":"), 125, not_own(at));
    ASSERT_EQ(::chown(at.c_str(), 65534, 65534), 0);
  }
  EXPECT_EQ(in({"c"}, ":").exit_code, 0);
}

TEST_F(NamedAttack, ADamagedRecordIsToldAndCanBeRemoved) {
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  for (const auto& text : {std::string(), std::string("x"), std::string(1 << 20, 'x')}) {
    std::ofstream(state() / "c/record") << text;
    const auto end = in({"c"}, ":");
    expect_refusal(end, 125, "record\" is damaged");
    EXPECT_THAT(end.err, HasSubstr("berth rm c"));
  }
  EXPECT_EQ(remove({"c"}).out, "c\n");
}

// A container's earlier command left them; nothing outside may be made through them. Not in /tmp,
// which the maker of the root has covered at that time.
TEST_F(NamedAttack, LinksInTheLayerLeadNoMountPointOutside) {
  auto pattern = std::string("/var/tmp/berth-outside-XXXXXX");
  const fs::path outside = ::mkdtemp(pattern.data());
  ASSERT_EQ(::chown(outside.c_str(), 65534, 65534), 0);
  ASSERT_EQ(in({"c", image()}, "rm -r /mnt").exit_code, 0);
  link(state() / "c/upper/mnt", outside);
  link(state() / "c/upper/etc/apt", outside);
  for (const auto* option : {"--container-remap-root", "--no-container-remap-root"}) {
    static_cast<void>(
        in({"c", option, "--container-mounts", "tmpfs:/mnt/new,tmpfs:/etc/apt/new"}, ":"));
  }
  EXPECT_TRUE(fs::is_empty(outside));
  fs::remove_all(outside);
}

TEST_F(NamedAttack, TheCommandCannotReachTheFolderThroughItsLock) {
  const auto end = in({"c", "--no-container-mount-home", image()},
                      "for i in /proc/self/fd/*; do ls $i/../upper; done 2>/dev/null; "
                      "echo done");
  EXPECT_EQ(end.out, "done\n") << end.err;
}

}  // namespace
}  // namespace berth::cli
