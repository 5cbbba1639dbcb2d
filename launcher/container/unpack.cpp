#include "container/unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "container/image_mount.hpp"
#include "image/digest.hpp"
#include "image/squashfs_unpack.hpp"

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

// A process that works with the user's rights. It ends with this object.
class child {
 public:
  child(pid_t pid, unique_fd output) : pid_(pid), output_(std::move(output)) {}
  child(child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), output_(std::move(other.output_)) {}
  child& operator=(child&&) = delete;
  ~child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  child_end wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    ::lseek(output_.get(), 0, SEEK_SET);
    auto printed = read_all(output_.get(), output_limit);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            printed ? std::move(*printed) : std::string()};
  }

 private:
  pid_t pid_;
  unique_fd output_;
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

// Starts `work` with the user's rights and three descriptors. `target` may be -1.
result<child> start_as(const identity& user, int image, int target,
                       const std::function<int()>& work) {
  unique_fd output(::memfd_create("output", MFD_CLOEXEC));
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
  return child(pid, std::move(output));
}

int exec_tool(std::vector<const char*> argv) {
  argv.push_back(nullptr);
  std::array<const char*, 3> env{"PATH=/usr/bin:/bin", "LC_ALL=C", nullptr};
  ::umask(0022);
  ::execve(argv.front(), const_cast<char**>(argv.data()), const_cast<char**>(env.data()));
  return not_found;
}

// For the end of a child's work: 0, or 1 and the error printed.
template <class T>
int say(const result<T>& done) {
  if (done) return 0;
  (void)write_all(STDOUT_FILENO, done.error().text());
  return 1;
}

// The user's bytes are read with the user's rights: his file system may never answer.
result<child> start_digest(const image_file& image, const identity& user) {
  return start_as(user, image.fd.get(), -1, [] {
    const auto sum = image::sha256_of(image_number);
    return say(sum ? write_all(STDOUT_FILENO, *sum) : failure(sum.error()));
  });
}

result<std::string> digest_of(child& summing) {
  auto end = summing.wait();
  if (end.exit_code == 0) return std::move(end.printed);
  return fail(fmt::format("cannot read it to the end: {}", trim(end.printed)));
}

unsigned processors() {
  cpu_set_t mine;
  return ::sched_getaffinity(0, sizeof mine, &mine) == 0 ? static_cast<unsigned>(CPU_COUNT(&mine))
                                                         : 1;
}

constexpr const char* erofs_tool = "/usr/bin/fsck.erofs";

// The working directory is the target.
result<child> start_unpacking(const image_file& image, const identity& user, int target,
                              std::uint64_t limit) {
  return start_as(user, image.fd.get(), target, [&] {
    if (image.kind == image::kind::erofs) {
      return exec_tool({erofs_tool, "--no-preserve", "--extract=.", "/proc/self/fd/3"});
    }
    return say(image::unpack_squashfs(image_number, target_number, limit, processors()));
  });
}

result<void> finish_unpacking(child& unpacking, const image_file& image) {
  const auto end = unpacking.wait();
  if (end.exit_code == 0) return {};
  if (end.exit_code == not_found) {
    return fail(fmt::format("cannot run \"{}\"; install the package erofs-utils", erofs_tool));
  }
  auto why = split(trim(end.printed), '\n').back();
  if (image.kind == image::kind::erofs || why.empty()) {
    why = fmt::format("unpacking failed with exit code {}: {}", end.exit_code, why);
  }
  if (end.printed.find("No space left") == std::string::npos) return fail(std::move(why));
  return fail_errno(why.substr(0, why.find(": No space left")), ENOSPC);
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
  const auto checked = [&](result<std::string> sum) -> result<std::string> {
    if (!sum || unchanged(before, image.fd.get())) return sum;
    return fail("changes while it is read");
  };
  const auto digest = [&]() -> result<std::string> {
    auto summing = start_digest(image, user);
    if (!summing) return pass(std::move(summing));
    return checked(digest_of(*summing));
  };
  const auto fill = [&](int target, std::uint64_t limit) -> result<void> {
    auto unpacking = start_unpacking(image, user, target, limit);
    if (!unpacking) return pass(std::move(unpacking));
    auto done = finish_unpacking(*unpacking, image);
    if (!done || unchanged(before, image.fd.get())) return done;
    return fail("changes while it is read");
  };
  const auto both = [&](int target, std::uint64_t limit) -> result<std::string> {
    auto summing = start_digest(image, user);
    if (!summing) return pass(std::move(summing));
    if (auto done = fill(target, limit); !done) return pass(std::move(done));
    return checked(digest_of(*summing));
  };
  auto tree = cache.take({before, image.path, user.uid, user.gid, digest, fill, both});
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
