#include "image/tree_facts.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <vector>

#include "base/unique_fd.hpp"
#include "image/digest.hpp"

namespace berth::image {
namespace {

constexpr unsigned depth_limit = 256;

struct folder_closer {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

result<std::vector<std::string>> sorted_names(int folder) {
  const std::unique_ptr<DIR, folder_closer> open(
      ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!open) return fail_errno("cannot list a folder");
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

class examiner {
 public:
  result<void> enter(int folder, const std::string& path, unsigned depth) {
    if (depth > depth_limit) return fail(fmt::format("has folders deeper than {}", depth_limit));
    const auto names = sorted_names(folder);
    if (!names) return failure(names.error());
    for (const auto& name : *names) {
      if (auto done = add(folder, name, path + '/' + name, depth); !done) return done;
    }
    return {};
  }
  tree_facts finish() {
    facts_.fingerprint = sum_.hex();
    return facts_;
  }

 private:
  result<void> add(int folder, const std::string& name, const std::string& path, unsigned depth) {
    struct stat info {};
    if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(fmt::format("\"{}\"", path));
    }
    facts_.files += 1;
    // Of several hard links the first counts; most trees have none.
    const bool shared = info.st_nlink > 1 && !S_ISDIR(info.st_mode);
    const auto bytes = static_cast<std::uint64_t>(info.st_blocks) * 512;
    facts_.bytes += shared ? bytes / info.st_nlink : bytes;
    sum_.add(fmt::format("{}\n{} {} {} {} {} {}.{:09}\n", path.size(), path, info.st_mode,
                         info.st_uid, info.st_gid, S_ISDIR(info.st_mode) ? 0 : info.st_size,
                         info.st_ctim.tv_sec, info.st_ctim.tv_nsec));
    if (S_ISLNK(info.st_mode)) {
      std::array<char, PATH_MAX> target;
      const auto n = ::readlinkat(folder, name.c_str(), target.data(), target.size());
      if (n < 0) return fail_errno(fmt::format("\"{}\"", path));
      sum_.add({target.data(), static_cast<std::size_t>(n)});
    }
    if (!S_ISDIR(info.st_mode)) return {};
    const unique_fd below(
        ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) return fail_errno(fmt::format("\"{}\"", path));
    return enter(below.get(), path, depth + 1);
  }

  sha256 sum_;
  tree_facts facts_;
};

}  // namespace

result<tree_facts> examine_tree(int folder) {
  examiner work;
  if (auto done = work.enter(folder, "", 0); !done) return pass(std::move(done));
  return work.finish();
}

}  // namespace berth::image
