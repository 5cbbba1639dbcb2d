#include "container/unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "container/image_mount.hpp"
#include "image/digest.hpp"

namespace berth::container {
namespace {

constexpr int image_number = 3;
constexpr int target_number = 4;
constexpr std::size_t output_limit = std::size_t{1} << 20;
constexpr int cannot_start = 126;
constexpr int not_found = 127;

struct child_end {
  int exit_code = 0;
  std::string printed;
};

// Image and target at 3 and 4, the output at 1 and 2, nothing else. Copies above both numbers
// first: either source may sit on the other's place.
bool arrange_descriptors(int image, int target, int output) {
  const auto nothing = ::open("/dev/null", O_RDONLY);
  const auto image_copy = ::fcntl(image, F_DUPFD, 16);
  const auto target_copy = ::fcntl(target < 0 ? nothing : target, F_DUPFD, 16);
  return ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
         ::dup2(output, STDERR_FILENO) >= 0 && ::dup2(image_copy, image_number) >= 0 &&
         ::dup2(target_copy, target_number) >= 0 && ::close_range(5, ~0U, 0) == 0;
}

// Runs `work` with the user's rights and three descriptors, and waits. `target` may be -1.
result<child_end> run_as(const identity& user, int image, int target,
                         const std::function<int()>& work) {
  const unique_fd output(::memfd_create("output", MFD_CLOEXEC));
  if (!output) return fail_errno("cannot keep a program's output");
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) {
    ::prctl(PR_SET_DUMPABLE, 0);
    const auto dropped = become(user).and_then(forbid_new_privileges);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dropped || ::getppid() != parent || ::chdir("/") != 0 ||
        !arrange_descriptors(image, target, output.get()) ||
        (target >= 0 && ::fchdir(target_number) != 0)) {
      ::_exit(cannot_start);
    }
    ::_exit(work());
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ::lseek(output.get(), 0, SEEK_SET);
  auto printed = read_all(output.get(), output_limit);
  return child_end{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                   printed ? std::move(*printed) : std::string()};
}

int exec_tool(std::vector<const char*> argv) {
  argv.push_back(nullptr);
  std::array<const char*, 3> env{"PATH=/usr/bin:/bin", "LC_ALL=C", nullptr};
  ::umask(0022);
  ::execve(argv.front(), const_cast<char**>(argv.data()), const_cast<char**>(env.data()));
  return not_found;
}

// The user's bytes are read with the user's rights: his file system may never answer.
result<std::string> digest_of(const image_file& image, const identity& user) {
  auto end = run_as(user, image.fd.get(), -1, [] {
    const auto sum = image::sha256_of(image_number);
    const auto& text = sum ? *sum : sum.error().text();
    return write_all(STDOUT_FILENO, text) && sum ? 0 : 1;
  });
  if (!end) return pass(std::move(end));
  if (end->exit_code == 0) return std::move(end->printed);
  return fail(fmt::format("cannot read it to the end: {}", trim(end->printed)));
}

struct unpacker {
  const char* program;
  const char* package;
  std::vector<const char*> arguments;
};

// The working directory is the target.
unpacker unpacker_for(image::kind kind) {
  if (kind == image::kind::erofs) {
    return {
        "/usr/bin/fsck.erofs", "erofs-utils", {"--no-preserve", "--extract=.", "/proc/self/fd/3"}};
  }
  return {"/usr/bin/unsquashfs",
          "squashfs-tools",
          {"-quiet", "-no-progress", "-no-xattrs", "-force", "-dest", ".", "/proc/self/fd/3"}};
}

// unsquashfs ends with 2 when it left something out. Device nodes are no loss: nobody could use
// them in a container.
bool lost_devices_alone(const child_end& end) {
  constexpr std::string_view harmless = "create_inode: could not create ";
  const auto lines = split(trim(end.printed), '\n');
  return end.exit_code == 2 &&
         std::all_of(lines.begin(), lines.end(), [&](const std::string& line) {
           return line.starts_with(harmless) && line.find(" device ") != std::string::npos;
         });
}

result<void> unpack(const image_file& image, const identity& user, int target) {
  auto how = unpacker_for(image.kind);
  auto argv = std::move(how.arguments);
  argv.insert(argv.begin(), how.program);
  const auto end = run_as(user, image.fd.get(), target, [&] { return exec_tool(std::move(argv)); });
  if (!end) return failure(end.error());
  if (end->exit_code == 0 || lost_devices_alone(*end)) return {};
  if (end->exit_code == not_found) {
    return fail(fmt::format("cannot run \"{}\"; install the package {}", how.program, how.package));
  }
  const auto lines = split(trim(end->printed), '\n');
  const auto full = end->printed.find("No space left") != std::string::npos;
  return fail_errno(
      fmt::format("\"{}\" failed with exit code {}: {}", how.program, end->exit_code, lines.back()),
      full ? ENOSPC : EIO);
}

bool unchanged(const struct stat& before, int fd) {
  struct stat now {};
  return ::fstat(fd, &now) == 0 && now.st_size == before.st_size &&
         now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == before.st_mtim.tv_nsec &&
         now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
         now.st_ctim.tv_nsec == before.st_ctim.tv_nsec;
}

}  // namespace

result<image::cached_tree> unpack_image(image::node_cache& cache, const image_file& image,
                                        const identity& user) {
  if (image.kind == image::kind::folder) return fail("is a folder already");
  struct stat before {};
  if (::fstat(image.fd.get(), &before) != 0) return fail_errno("cannot stat");
  // A file of holes is as long as its owner likes, and all of it would be read.
  if (static_cast<std::uint64_t>(before.st_size) > cache.quota()) {
    return fail(
        fmt::format("its {} bytes are more than the {} of the whole cache; use another "
                    "backend",
                    before.st_size, cache.quota()));
  }
  auto digest = cache.known_digest(user.uid, before);
  if (!digest) {
    auto sum = digest_of(image, user);
    if (!sum) return pass(std::move(sum));
    if (!unchanged(before, image.fd.get())) return fail("changes while it is read");
    if (auto kept = cache.remember_digest(user.uid, before, *sum); !kept) {
      return pass(std::move(kept));
    }
    digest = std::move(*sum);
  }
  auto tree = cache.take({*digest, image.path, user.uid, user.gid, [&](int target) -> result<void> {
                            auto done = unpack(image, user, target);
                            if (!done || unchanged(before, image.fd.get())) return done;
                            return fail("changes while it is read");
                          }});
  if (tree || tree.error().code() != std::errc::no_space_on_device) return tree;
  return failure(
      std::move(tree).error().with_hint("make room in the cache: berth cache prune --all"));
}

result<unique_fd> mount_tree(const image::cached_tree& tree) {
  image_file folder;
  folder.fd.reset(::fcntl(tree.folder.get(), F_DUPFD_CLOEXEC, 0));
  folder.path = tree.path;
  folder.kind = image::kind::folder;
  return mount_kernel(folder);
}

}  // namespace berth::container
