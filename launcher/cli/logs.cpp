// berth logs: what a batch job wrote so far, and what it goes on writing.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "cli/output_files.hpp"
#include "cli/report.hpp"
#include "cli/slurm_client.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

using std::chrono::steady_clock;

constexpr const char* examples = R"(Examples:
  berth logs 7                                what batch job 7 wrote
  berth logs -f 7                             and what it writes, until it ends
  berth logs -n 20 7_3                        the last 20 lines of an array's job

Standard output and standard error go to those of berth, as the job keeps them apart.)";

// How often Slurm is asked whether the job goes on, and files on other machines are looked at.
constexpr std::chrono::seconds pause_between_looks{1};

struct options {
  std::string name;
  bool follow = false;
  std::optional<std::uint64_t> tail;
};

result<output_files> find_files(const std::string& job) {
  const auto end = run({{"scontrol", "show", "job", job}, client_environment(), {}});
  if (!end) return failure(end.error());
  auto files = parse_output_files(end->out, job);
  if (files && files->uid != ::getuid() && ::getuid() != 0) {
    return fail(fmt::format("job {} belongs to another user", job));
  }
  return files;
}

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

// One of the job's files, copied to one of our own descriptors as it grows.
class copied_file {
 public:
  copied_file(std::string path, int to) : path_(std::move(path)), to_(to) {}

  /// Copies what is new; a file that is not there yet is empty.
  result<void> copy() {
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

  /// Leaves out all but the last `lines` of what is there now.
  result<void> skip_to_last(std::uint64_t lines) {
    from_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from_) return {};
    const auto begin = begin_of_last(from_.get(), lines);
    if (!begin) return failure(begin.error());
    if (::lseek(from_.get(), *begin, SEEK_SET) < 0) return fail_errno("cannot seek");
    return {};
  }

  void watch(int notifier) const {
    const auto folder = std::filesystem::path(path_).parent_path();
    // Where it fails, the pause between looks is all there is to wait for.
    ::inotify_add_watch(notifier, folder.c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO);
  }

 private:
  std::string path_;
  int to_;
  unique_fd from_;
};

result<void> copy_all(std::vector<copied_file>& files) {
  for (auto& file : files) {
    if (auto done = file.copy(); !done) return done;
  }
  return {};
}

result<bool> goes_on(const std::string& job) {
  const auto left = jobs(job);
  if (!left) return failure(left.error());
  return !left->empty();
}

result<void> follow(std::vector<copied_file>& files, const std::string& job) {
  const unique_fd notifier(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!notifier) return fail_errno("cannot watch files");
  for (const auto& file : files) file.watch(notifier.get());
  auto next_question = steady_clock::now();
  for (bool runs = true; runs;) {
    if (steady_clock::now() >= next_question) {
      const auto answer = goes_on(job);
      if (!answer) return failure(answer.error());
      runs = *answer;
      next_question = steady_clock::now() + pause_between_looks;
    }
    // After the question: what the job wrote before its end is copied.
    if (auto done = copy_all(files); !done || !runs) return done;
    pollfd entry{notifier.get(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(pause_between_looks).count()));
    std::array<char, 4096> events;
    while (::read(notifier.get(), events.data(), events.size()) > 0) {
    }
  }
  return {};
}

result<void> show(const options& given, const std::string& job) {
  const auto files = find_files(job);
  if (!files) return failure(files.error());
  std::vector<copied_file> copies;
  copies.emplace_back(files->out, STDOUT_FILENO);
  if (files->err != files->out) copies.emplace_back(files->err, STDERR_FILENO);
  for (auto& file : copies) {
    if (!given.tail) continue;
    if (auto done = file.skip_to_last(*given.tail); !done) return done;
  }
  return given.follow ? follow(copies, job) : copy_all(copies);
}

int print_logs(const options& given) {
  const auto name = parse_step_name(given.name);
  if (!name) return report(name.error(), 2);
  if (name->step) {
    return report(
        error(fmt::format("Slurm does not keep where step {} writes: to the file of its "
                          "srun --output, else to its job's; see: berth logs {}",
                          given.name, name->job)));
  }
  const auto shown = show(given, name->job);
  return shown ? 0 : report(shown.error());
}

}  // namespace

void add_logs(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("logs", "Print what a batch job wrote");
  auto given = std::make_shared<options>();
  verb->add_option("JOB", given->name, "A batch job, running or just ended")->required();
  verb->add_flag("-f,--follow", given->follow, "Go on until the job ends");
  verb->add_option("-n,--tail", given->tail, "Only the last lines of what is there")
      ->type_name("LINES");
  verb->footer(examples);
  verb->callback([given, &exit_code] { exit_code = print_logs(*given); });
}

}  // namespace berth::cli
