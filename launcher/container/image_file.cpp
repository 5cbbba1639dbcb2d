#include "container/image_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "image/kind.hpp"
#include "image/trust.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

failure open_failure(const std::string& name, int errnum) {
  auto failed = fail_errno(fmt::format("image \"{}\": cannot open", name), errnum);
  auto& reason = failed.value();
  switch (errnum) {
    case ENOENT:
      return failure(
          std::move(reason).with_hint("give the path of an image that this node can see"));
    case ELOOP:
      return failure(std::move(reason).with_hint(
          "give the file's own path; links of /proc to other processes' files are not followed"));
    case EACCES:
      return failure(std::move(reason).with_hint(
          "you need read permission on the file and search permission on its folders"));
    default:
      return failed;
  }
}

// O_NONBLOCK: opening a FIFO must not wait for its other end.
unique_fd open_first(const std::vector<std::string>& candidates, const identity& user,
                     int& errnum) {
  const auto rights = user_rights::take(user);
  if (!rights) {
    errnum = rights.error().code().value();
    return {};
  }
  for (const auto& path : candidates) {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    // /proc/PID/root leads into mount namespaces that users make: what is found there has the path
    // of another file, by which a site's policy may go.
    how.resolve = RESOLVE_NO_MAGICLINKS;
    unique_fd fd(
        static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
    errnum = errno;
    if (fd || errnum != ENOENT) return fd;
  }
  return {};
}

}  // namespace

std::vector<std::string> image_candidates(const std::string& name, const std::string& submit_dir,
                                          const std::vector<std::string>& folders) {
  if (name.find('/') != std::string::npos) return {fs::path(submit_dir) / name};
  std::vector<std::string> candidates{fs::path(submit_dir) / name};
  for (const auto& folder : folders) candidates.push_back(fs::path(folder) / name);
  return candidates;
}

result<image_file> open_image(const std::string& name, const std::string& submit_dir,
                              const std::vector<std::string>& folders, const identity& user) {
  // Names end up in logs and policies, where a newline would start a line of its own.
  if (std::any_of(name.begin(), name.end(),
                  [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return fail("image: its name has control characters; rename the file");
  }
  int errnum = ENOENT;
  image_file image;
  image.fd = open_first(image_candidates(name, submit_dir, folders), user, errnum);
  if (!image.fd) return open_failure(name, errnum);
  struct stat info {};
  if (::fstat(image.fd.get(), &info) != 0) return open_failure(name, errno);
  const auto content = image::recognise(image.fd.get());
  if (!content) return fail(fmt::format("image \"{}\" {}", name, content.error().text()));
  image.kind = image::kind_of(*content);
  std::error_code code;
  image.path = fs::read_symlink(fmt::format("/proc/self/fd/{}", image.fd.get()), code);
  if (code) return fail(fmt::format("image \"{}\": cannot find its path", name));
  image.size = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
  image.owner = info.st_uid;
  return image;
}

bool is_trusted(const image_file& image, const std::vector<std::string>& trusted_folders) {
  const fs::path path(image.path);
  const auto below = [&](const fs::path& folder) {
    const auto relative = path.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
  };
  if (!path.is_absolute() || std::none_of(trusted_folders.begin(), trusted_folders.end(), below)) {
    return false;
  }
  struct stat found {};
  struct stat opened {};
  const auto weakest = image::weakest_part(image.path, found);
  return weakest && weakest->empty() && ::fstat(image.fd.get(), &opened) == 0 &&
         found.st_dev == opened.st_dev && found.st_ino == opened.st_ino;
}

}  // namespace berth::container
