#pragma once
// A node cache of its own for one test, and images to fill it from.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "image/cache.hpp"
#include "scratch.hpp"

namespace berth::image {

namespace fs = std::filesystem;

inline constexpr std::uint64_t plenty = std::uint64_t{1} << 30;
inline constexpr uid_t ada = 60001;
inline constexpr uid_t bob = 60002;

inline std::string digest(char digit) {
  return std::string(64, digit);
}

/// As root, in a folder that only root can change: the temporary folder is everybody's.
class Cache : public testing::Test {
 protected:
  Cache() {
    auto pattern = std::string("/root/berth-cache-XXXXXX");
    top_ = ::mkdtemp(pattern.data());
  }
  ~Cache() override { fs::remove_all(top_); }

  node_cache open(std::uint64_t quota = plenty) const {
    auto cache = node_cache::open(folder(), quota);
    EXPECT_TRUE(cache) << cache.error().text();
    return std::move(*cache);
  }
  [[nodiscard]] std::string folder() const { return top_ / "cache"; }
  [[nodiscard]] fs::path place(uid_t user, const std::string& name) const {
    return top_ / "cache" / std::to_string(user) / name;
  }
  /// An image of its own length, of one file with `size` bytes; counts the calls.
  fill_request request(char name, uid_t user = ada, std::size_t size = 10000) {
    return request(name, user, [this, size](int folder) {
      ++fills_;
      return put(folder, "file", std::string(size, 'x'));
    });
  }
  fill_request request(char name, uid_t user, const std::function<result<void>(int)>& fill) {
    fill_request made;
    made.image.st_ino = 1;
    made.image.st_size = name;
    made.source = "/images/a.sqsh";
    made.user = user;
    made.group = user;
    made.digest = [this, name] {
      ++digests_;
      return digest(name);
    };
    made.fill = [fill](int folder, std::uint64_t) { return fill(folder); };
    made.fill_and_digest = [fill, name](int folder, std::uint64_t) {
      return fill(folder).map([&] { return digest(name); });
    };
    return made;
  }
  static std::string length(char name) { return fmt::format("{:x}", int{name}); }
  static result<void> put(int folder, const char* name, std::string_view text) {
    const unique_fd fd(::openat(folder, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    return fd ? write_all(fd.get(), text) : result<void>(fail_errno("put"));
  }
  static std::string content(const cached_tree& tree) {
    const unique_fd fd(::openat(tree.folder.get(), "file", O_RDONLY | O_CLOEXEC));
    return read_all(fd.get(), plenty).value_or("unreadable");
  }
  std::vector<std::string> digests(const node_cache& cache) const {
    std::vector<std::string> all;
    const auto entries = cache.list();
    EXPECT_TRUE(entries);
    for (const auto& entry : *entries) all.push_back(entry.digest.substr(0, 1));
    std::sort(all.begin(), all.end());
    return all;
  }
  fs::path top_;
  int fills_ = 0;
  int digests_ = 0;
};

}  // namespace berth::image
