#pragma once
// What the tests of this folder are played with: a folder of their own, images made from it, a
// process to try in what cannot be undone, and an ordinary user.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "container/identity.hpp"

namespace berth::container {

/// A folder that everybody can enter, removed at its end.
class scratch {
 public:
  explicit scratch(const std::filesystem::path& above = std::filesystem::temp_directory_path()) {
    auto pattern = (above / "berth-container-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~scratch() { std::filesystem::remove_all(path_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }
  std::string folder(const std::string& name, unsigned mode = 0755) const {
    std::filesystem::create_directories(path_ / name);
    std::filesystem::permissions(path_ / name, std::filesystem::perms(mode));
    return path_ / name;
  }
  std::string write(const std::string& name, std::string_view content, unsigned mode = 0644) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    std::filesystem::permissions(file, std::filesystem::perms(mode));
    return file;
  }
  /// A squashfs image of the folder `root`.
  std::string pack(const std::string& root, const std::string& name) const {
    const auto made = run_ok({{"mksquashfs", path_ / root, path_ / name, "-quiet", "-no-progress",
                               "-noappend", "-comp", "gzip", "-all-root"},
                              current_environment(),
                              {}});
    EXPECT_TRUE(made) << made.error().text();
    return path_ / name;
  }
  /// An EROFS image of the folder `root`.
  std::string pack_erofs(const std::string& root, const std::string& name) const {
    const auto made =
        run_ok({{"mkfs.erofs", "--quiet", "-zlz4hc", "--all-root", path_ / name, path_ / root},
                current_environment(),
                {}});
    EXPECT_TRUE(made) << made.error().text();
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Runs `work` in a child process and returns the complaint that it returns; "" is success.
inline std::string in_child(const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return "cannot create a pipe";
  const auto pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    const bool told = write_all(ends[1], work()).has_value();
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  const unique_fd reader(ends[0]);
  const auto complaint = read_all(reader.get(), 1 << 20);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) return "the child ended with status " + std::to_string(status);
  return complaint ? *complaint : complaint.error().text();
}

/// The text of an error, "" of a success: for in_child.
template <class Value>
std::string complaint(const result<Value>& outcome) {
  return outcome ? "" : outcome.error().text();
}

/// Somebody without any rights of their own.
inline identity nobody() {
  return {65534, 65534, {}};
}

}  // namespace berth::container
