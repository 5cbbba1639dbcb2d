#pragma once
// A kept space of its own for one test, and mounts to keep there.

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <csignal>

#include "container/fs_context.hpp"
#include "container/kept_mount.hpp"
#include "scene.hpp"

namespace berth::container {

inline const kept_key node_key{"image-1", 0, 0};
inline const kept_key job_key{"image-1", 7, 1000};

inline result<made_mount> new_tmpfs() {
  auto mount = mount_detached("tmpfs", {{"source", "kept-test"}}, false);
  if (!mount) return failure(mount.error());
  return made_mount{std::move(*mount), {}, {}};
}

inline result<made_mount> must_not_make() {
  return fail("was made again");
}

inline dev_t device_of(const taken_mount& taken) {
  struct stat info {};
  EXPECT_EQ(::fstat(taken.mount.get(), &info), 0);
  return info.st_dev;
}

// A process that does nothing, as the server of a mount.
class idler {
 public:
  idler() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  idler(const idler&) = delete;
  idler& operator=(const idler&) = delete;
  ~idler() { end(); }
  void end() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void stop() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }
  [[nodiscard]] unique_fd handle() const {
    return unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  }

 private:
  pid_t pid_;
};

class KeptMount : public testing::Test {
 protected:
  KeptMount() : kept_(kept_mounts::open_or_create(place())) {
    EXPECT_TRUE(kept_) << kept_.error().text();
  }
  ~KeptMount() override {
    ::umount2((place() + "/ns").c_str(), MNT_DETACH);
    ::umount2(place().c_str(), MNT_DETACH);
  }
  [[nodiscard]] std::string place() const { return folder_ / "kept"; }
  [[nodiscard]] taken_mount take(const kept_key& key,
                                 const std::function<result<made_mount>()>& make = new_tmpfs,
                                 kept_until until = kept_until::idle) const {
    auto taken = kept_->take(key, until, make);
    EXPECT_TRUE(taken) << taken.error().text();
    return taken ? std::move(*taken) : taken_mount{};
  }
  [[nodiscard]] taken_mount take_served(const idler& server) const {
    return take(job_key, [&]() -> result<made_mount> {
      auto made = new_tmpfs();
      made->server = server.handle();
      return made;
    });
  }
  scratch folder_;
  result<kept_mounts> kept_;
};

}  // namespace berth::container
