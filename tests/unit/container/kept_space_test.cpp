#include "container/kept_space.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <vector>

#include "kept_mount_scene.hpp"

namespace berth::container {
namespace {

using testing::HasSubstr;

std::vector<std::size_t> own_cpus() {
  cpu_set_t mask;
  std::vector<std::size_t> cpus;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return {0};
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
  }
  return cpus;
}

void stay_on(std::size_t cpu) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpu, &mask);
  ::sched_setaffinity(0, sizeof mask, &mask);
}

using KeptSpace = KeptMount;

TEST_F(KeptSpace, NobodyElseSeesTheMounts) {
  static_cast<void>(take(node_key));
  EXPECT_THAT(*read_file("/proc/self/mountinfo", 1 << 20), Not(HasSubstr("kept-test")));
  struct stat info {};
  ASSERT_EQ(::lstat(place().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  EXPECT_EQ(in_child([&]() -> std::string {
              if (auto done = become(nobody()); !done) return done.error().text();
              return ::access((place() + "/ns").c_str(), F_OK) == 0 ? "it can be reached" : "";
            }),
            "");
}

TEST_F(KeptSpace, AContainerThatShowsTheFolderGetsNoCopy) {
  const auto shown = folder_.folder("shown");
  ASSERT_EQ(::mount((folder_ / "").c_str(), shown.c_str(), nullptr, MS_BIND | MS_REC, nullptr), 0);
  EXPECT_FALSE(kept_mounts::open(shown + "/kept"));
  ::umount2(shown.c_str(), MNT_DETACH);
}

// The kernel numbers namespaces per CPU, and mounts none whose number is below that of the place.
TEST_F(KeptSpace, ItDoesNotMatterWhichCpuMadeTheNodesNamespace) {
  const auto cpus = own_cpus();
  for (const auto node : {cpus.front(), cpus.back()}) {
    for (const auto own : {cpus.front(), cpus.back()}) {
      EXPECT_EQ(in_child([&]() -> std::string {
                  stay_on(node);
                  if (::unshare(CLONE_NEWNS) != 0 ||
                      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
                    return "no namespace";
                  }
                  stay_on(own);
                  const auto kept = kept_mounts::open_or_create(folder_ / "kept3");
                  if (!kept) return kept.error().text();
                  return kept_mounts::open(folder_ / "kept3") ? "" : "is not kept";
                }),
                "")
          << node << ' ' << own;
    }
  }
}

TEST_F(KeptSpace, AFolderThatOthersCanChangeIsRefused) {
  folder_.folder("open", 0777);
  const auto refused = kept_mounts::open_or_create(folder_ / "open/kept");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("root alone can change"));
  folder_.folder("theirs", 0755);
  ASSERT_EQ(::chown((folder_ / "theirs").c_str(), 65534, 65534), 0);
  EXPECT_FALSE(kept_mounts::open_or_create(folder_ / "theirs/kept"));
  std::filesystem::create_directory_symlink(folder_.folder("real"), folder_ / "link");
  EXPECT_FALSE(kept_mounts::open_or_create(folder_ / "link/kept"));
}

}  // namespace
}  // namespace berth::container
