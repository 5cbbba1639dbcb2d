#include "cli/growing_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>

#include "base/file.hpp"

namespace berth::cli {
namespace {

using std::chrono::steady_clock;

// How often Slurm is asked whether the writers go on, and files on other machines are looked at.
constexpr std::chrono::seconds pause_between_looks{1};

// Where the last lines of an open file begin. A newline at its very end begins none.
result<off_t> begin_of_last(int file, std::uint64_t lines) {
  std::array<char, 65536> buffer;
  const auto size = ::lseek(file, 0, SEEK_END);
  if (size < 0) return fail_errno("cannot seek");
  if (lines == 0) return size;
  std::uint64_t found = 0;
  for (auto end = size; end > 0;) {
    const auto length = std::min<off_t>(end, static_cast<off_t>(buffer.size()));
    end -= length;
    if (::pread(file, buffer.data(), static_cast<std::size_t>(length), end) != length) {
      return fail_errno("cannot read");
    }
    for (auto i = length; i-- > 0;) {
      const auto next = end + i + 1;
      const bool is_newline = buffer[static_cast<std::size_t>(i)] == '\n';
      if (is_newline && next != size && ++found == lines) return next;
    }
  }
  return off_t{0};
}

}  // namespace

result<void> growing_file::copy() {
  if (!from_) from_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from_) {
    if (errno == ENOENT) return {};
    return fail_errno(fmt::format("cannot open \"{}\"", path_));
  }
  std::array<char, 65536> buffer;
  for (;;) {
    const auto n = ::read(from_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(fmt::format("cannot read \"{}\"", path_));
    if (n == 0) return {};
    auto done = write_all(to_, {buffer.data(), static_cast<std::size_t>(n)});
    if (!done) return done;
  }
}

result<void> growing_file::skip_to_last(std::uint64_t lines) {
  if (!from_) from_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from_) return {};
  const auto begin = begin_of_last(from_.get(), lines);
  if (!begin) return failure(begin.error());
  if (::lseek(from_.get(), *begin, SEEK_SET) < 0) return fail_errno("cannot seek");
  return {};
}

void growing_file::watch(int notifier) const {
  const auto folder = std::filesystem::path(path_).parent_path();
  // Where it fails, the pause between looks is all there is to wait for.
  ::inotify_add_watch(notifier, folder.c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO);
}

result<void> copy_all(std::vector<growing_file>& files) {
  for (auto& file : files) {
    if (auto done = file.copy(); !done) return done;
  }
  return {};
}

result<void> follow(std::vector<growing_file>& files,
                    const std::function<result<bool>()>& goes_on) {
  const unique_fd notifier(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!notifier) return fail_errno("cannot watch files");
  for (const auto& file : files) file.watch(notifier.get());
  auto next_question = steady_clock::now();
  for (bool runs = true; runs;) {
    if (steady_clock::now() >= next_question) {
      const auto answer = goes_on();
      if (!answer) return failure(answer.error());
      runs = *answer;
      next_question = steady_clock::now() + pause_between_looks;
    }
    // After the question: what was written before the end is copied.
    if (auto done = copy_all(files); !done || !runs) return done;
    pollfd entry{notifier.get(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(pause_between_looks).count()));
    std::array<char, 4096> events;
    while (::read(notifier.get(), events.data(), events.size()) > 0) {
    }
  }
  return {};
}

}  // namespace berth::cli
