#include "container/loop_device.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <set>

#include "scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LoopDevice : public testing::Test {
 protected:
  void SetUp() override {
    file_ = folder_.write("image", std::string(1 << 20, 'i'));
    image_.reset(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    ASSERT_EQ(::fstat(image_.get(), &info), 0);
    inode_ = info.st_ino;
  }
  /// Loop devices attached to this test's file; others may use devices at the same time.
  [[nodiscard]] std::set<std::string> attached() const {
    std::set<std::string> devices;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/block")) {
      const auto name = entry.path().filename().string();
      if (!name.starts_with("loop")) continue;
      const unique_fd device(::open(("/dev/" + name).c_str(), O_RDONLY | O_CLOEXEC));
      loop_info64 info{};
      if (device && ::ioctl(device.get(), LOOP_GET_STATUS64, &info) == 0 &&
          info.lo_inode == inode_) {
        devices.insert("/dev/" + name);
      }
    }
    return devices;
  }
  scratch folder_;
  std::string file_;
  unique_fd image_;
  std::uint64_t inode_ = 0;
};

TEST_F(LoopDevice, ShowsTheFileReadOnly) {
  const auto device = attach_loop(image_.get());
  ASSERT_TRUE(device) << device.error().text();
  EXPECT_EQ(attached(), std::set{device->path});
  const auto content = read_file(device->path, 2 << 20);
  ASSERT_TRUE(content);
  EXPECT_TRUE(*content == std::string(1 << 20, 'i'));
  const unique_fd writer(::open(device->path.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(writer && ::write(writer.get(), "x", 1) == 1);
}

TEST_F(LoopDevice, IsFreedWithItsLastDescriptor) {
  {
    const auto device = attach_loop(image_.get());
    ASSERT_TRUE(device);
    EXPECT_EQ(attached().size(), 1U);
  }
  EXPECT_EQ(attached(), std::set<std::string>{});
}

TEST_F(LoopDevice, ManyProcessesGetOneEach) {
  constexpr int processes = 24;
  int go[2];
  int told[2];
  int end[2];
  ASSERT_TRUE(::pipe(go) == 0 && ::pipe(told) == 0 && ::pipe(end) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const auto pid = ::fork();
    if (pid == 0) {
      ::close(go[1]);
      ::close(end[1]);
      char byte = 0;
      while (::read(go[0], &byte, 1) > 0) {
      }
      const auto device = attach_loop(image_.get());
      std::array<char, 32> name{};
      (device ? device->path : device.error().text()).copy(name.data(), name.size() - 1);
      if (::write(told[1], name.data(), name.size()) < 0) ::_exit(1);
      while (::read(end[0], &byte, 1) > 0) {
      }
      ::_exit(device ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const auto fd : {go[0], go[1], end[0], told[1]}) ::close(fd);
  std::set<std::string> devices;
  for (int i = 0; i < processes; ++i) {
    std::array<char, 32> name{};
    EXPECT_EQ(::read(told[0], name.data(), name.size()), 32);
    devices.emplace(name.data());
  }
  EXPECT_EQ(devices.size(), std::size_t{processes}) << testing::PrintToString(devices);
  EXPECT_EQ(attached(), devices);
  ::close(end[1]);
  ::close(told[0]);
  for (const auto pid : children) {
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(attached(), std::set<std::string>{});
}

TEST_F(LoopDevice, ANodeThatHasNoneSaysWhatIsMissing) {
  const auto without = [&](const std::function<bool()>& hide) {
    return in_child([&]() -> std::string {
      if (::unshare(CLONE_NEWNS) != 0 ||
          ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || !hide()) {
        return "cannot hide the devices";
      }
      return complaint(attach_loop(image_.get()));
    });
  };
  EXPECT_THAT(without([] {
                return ::mount("/dev/null", "/dev/loop-control", nullptr, MS_BIND, nullptr) == 0;
              }),
              AllOf(HasSubstr("no free loop device"), HasSubstr("losetup --list")));
  // As in a container whose /dev is a folder with a few devices.
  EXPECT_THAT(without([&] {
                struct stat control {};
                return ::stat("/dev/loop-control", &control) == 0 &&
                       ::mount("none", "/dev", "tmpfs", 0, nullptr) == 0 &&
                       ::mknod("/dev/loop-control", S_IFCHR | 0600, control.st_rdev) == 0;
              }),
              AllOf(HasSubstr("cannot open \"/dev/loop"), HasSubstr("mknod")));
  EXPECT_THAT(without([] { return ::mount("none", "/dev", "tmpfs", 0, nullptr) == 0; }),
              HasSubstr("modprobe loop"));
}

TEST_F(LoopDevice, ADescriptorThatIsNoFileIsAnError) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const unique_fd reader(ends[0]);
  const unique_fd writer(ends[1]);
  const auto device = attach_loop(reader.get());
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().text(), HasSubstr("cannot set up \"/dev/loop"));
}

}  // namespace
}  // namespace berth::container
