// berth-stage: copies of images on the nodes of a job, not for users. srun's plugin runs it once
// the job has its nodes, the node helper and the end of a job run it there.
//
//   berth-stage copy SITE CHOICE JOB NODES IMAGE   as the user: prints the copy, or nothing
//   berth-stage digest FILE                        as the user: prints the SHA-256
//   berth-stage clean SITE JOB...                  as root: removes the jobs' copies on this node;
//                                                  prints jobs that may be over, too

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <span>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "binding/site_process.hpp"
#include "cli/report.hpp"
#include "cli/run_folder.hpp"
#include "container/staged.hpp"
#include "image/digest.hpp"
#include "image/shared_file_system.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;
namespace fs = std::filesystem;
using words = std::span<const std::string>;

// Which copy a record is of: another file, or the same one changed, is another image.
result<std::string> key_of(const image_file& image) {
  auto stamp = stamp_of(image.fd.get());
  if (!stamp) return stamp;
  image::sha256 sum;
  sum.add(image.path + '\n' + *stamp);
  return sum.hex().substr(0, 16);
}

// What says, to later steps of the job that are started on this machine, that the copies are
// complete: it holds the digest. Locked while they are made, so that steps that start together
// make one copy.
result<unique_fd> lock_record(const std::string& path) {
  unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("\"{}\"", path));
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid()) {
    return fail(fmt::format("\"{}\" belongs to another user", path));
  }
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno(fmt::format("cannot lock \"{}\"", path));
  }
  return fd;
}

result<void> broadcast(const image_file& image, const std::string& job, const std::string& target) {
  auto environment = current_environment();
  std::erase_if(environment, [](const auto& entry) { return entry.starts_with("SBCAST_"); });
  const auto done = run_ok(
      {{"sbcast", "--force", "--jobid=" + job, image.path, target}, std::move(environment), {}});
  return done ? result<void>() : failure(done.error());
}

// Records of jobs that are over stay on the machine where srun was called.
void sweep_records(const std::string& folder, const std::string& own) {
  constexpr std::string_view begin = "berth-staged-";
  std::vector<fs::path> old;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const auto name = entry.path().filename().string();
    struct stat info {};
    const bool mine = ::lstat(entry.path().c_str(), &info) == 0 && info.st_uid == ::geteuid();
    if (mine && name.starts_with(begin) && name.ends_with(".copied") && !name.starts_with(own)) {
      old.push_back(entry.path());
    }
  }
  if (old.empty()) return;
  const auto jobs =
      run_ok({{"squeue", "--me", "--noheader", "--format=%A"}, current_environment(), {}});
  if (!jobs) return;
  const auto alive = split(*jobs, '\n');
  for (const auto& path : old) {
    const auto rest = path.filename().string().substr(begin.size());
    if (std::find(alive.begin(), alive.end(), rest.substr(0, rest.find('-'))) != alive.end())
      continue;
    ::unlink(path.c_str());
  }
}

result<staged_copy> copy_once(const image_file& image, const site::config& rules,
                              const std::string& job) {
  const auto key = key_of(image);
  if (!key) return failure(key.error());
  const auto number = parse_unsigned(job);
  if (!number) return fail(fmt::format("\"{}\" is no job", job));
  const auto prefix = staged_prefix(static_cast<std::uint32_t>(*number));
  sweep_records(rules.stage.folder, prefix);
  const fs::path folder(rules.stage.folder);
  const auto record = lock_record(folder / (prefix + *key + ".copied"));
  if (!record) return failure(record.error());
  const auto target = [&](const std::string& digest) {
    return (folder / (prefix + digest.substr(0, 16))).string();
  };
  auto known = read_all(record->get(), 64);
  if (known && known->size() == 64) return staged_copy{target(*known), *known};
  auto digest = image::sha256_of(image.fd.get());
  if (!digest) return pass(std::move(digest));
  staged_copy copy{target(*digest), *digest};
  auto sent = broadcast(image, job, copy.path).and_then([&] {
    return write_all(record->get(), copy.digest);
  });
  if (!sent) return pass(std::move(sent));
  return copy;
}

result<lua::site_process> start_site(const std::string& file) {
  return lua::site_process::start_or_default(file.empty() ? lua::default_site_file : file);
}

stage_choice choice_of(const std::string& word) {
  if (word == "always") return stage_choice::always;
  return word == "never" ? stage_choice::never : stage_choice::any;
}

result<void> copy(words given) {
  const auto site = start_site(given[0]);
  if (!site) return failure(site.error());
  const auto& rules = site->config();
  const auto image =
      open_image(given[4], fs::current_path().string(), rules.images.folders, current_identity());
  if (!image) return failure(image.error());
  const auto choice = choice_of(given[1]);
  if (image->kind == image::kind::folder) {
    if (choice == stage_choice::any) return {};
    return fail(fmt::format("image \"{}\" {}", image->path, image::folder_refusal));
  }
  const auto shared = image::shared_file_system(image->fd.get());
  const stage_facts facts{choice, static_cast<std::uint32_t>(parse_unsigned(given[3]).value_or(1)),
                          shared && !shared->empty(), is_trusted(*image, rules.images.trusted),
                          image->owner == ::geteuid()};
  const auto wanted = should_stage(facts, rules);
  if (!wanted) return failure(wanted.error());
  if (!*wanted) return {};
  auto made = copy_once(*image, rules, given[2]);
  if (!made) {
    return pass(std::move(made), fmt::format("cannot stage image \"{}\"", image->path));
  }
  return write_all(STDOUT_FILENO, format_staged(*made));
}

result<void> digest(words given) {
  const unique_fd fd(::open(given[0].c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", given[0]));
  const auto sum = image::sha256_of(fd.get());
  return sum ? write_all(STDOUT_FILENO, *sum) : failure(sum.error());
}

using job_set = std::set<std::uint32_t>;

// A node that crashed, or a slurmd that was not there, has not seen the end of its jobs. Only whose
// copy is older than this is asked about.
bool is_old(int folder, const char* name) {
  constexpr std::chrono::hours doubtful_after{1};
  struct stat info {};
  if (::fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const auto age = std::chrono::system_clock::now() -
                   std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec);
  return age > doubtful_after;
}

// By name in an open folder: nothing is followed. Adds the jobs that may be over to `doubtful`.
result<void> remove_of_jobs(const std::string& folder, const job_set& jobs, job_set& doubtful) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (!open) return errno == ENOENT ? result<void>() : fail_errno(fmt::format("\"{}\"", folder));
  const auto self = ::dirfd(open.get());
  while (const auto* entry = ::readdir(open.get())) {
    const auto job = job_of_staged(entry->d_name);
    if (!job) continue;
    if (!jobs.contains(*job)) {
      if (is_old(self, entry->d_name)) doubtful.insert(*job);
      continue;
    }
    // A folder of that name is nobody's copy.
    if (::unlinkat(self, entry->d_name, 0) == 0 || errno == ENOENT || errno == EISDIR) continue;
    return fail_errno(fmt::format("cannot remove \"{}/{}\"", folder, entry->d_name));
  }
  return {};
}

result<void> clean(words given) {
  job_set jobs;
  for (const auto& word : given.subspan(1)) {
    const auto job = parse_unsigned(word);
    if (!job) return fail(fmt::format("\"{}\" is no job", word));
    jobs.insert(static_cast<std::uint32_t>(*job));
  }
  const auto site = start_site(given[0]);
  if (!site) return failure(site.error());
  job_set doubtful;
  for (const auto& folder : {site->config().stage.folder, std::string(run_folder)}) {
    if (auto done = remove_of_jobs(folder, jobs, doubtful); !done) return done;
  }
  std::string lines;
  for (const auto job : doubtful) lines += fmt::format("{}\n", job);
  return write_all(STDOUT_FILENO, lines);
}

struct verb {
  std::string_view name;
  std::size_t count;  // of words; more are possible where `several`
  result<void> (*run)(words);
  bool several = false;
};
constexpr std::array verbs{verb{"copy", 5, copy}, verb{"digest", 1, digest},
                           verb{"clean", 2, clean, true}};

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  using namespace berth::cli;
  // srun blocks signals; who ends it, or types Ctrl-C, ends this.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const std::vector<std::string> given(argv + std::min(argc, 2), argv + argc);
  for (const auto& one : verbs) {
    if (argc < 2 || one.name != argv[1] || given.size() < one.count) continue;
    if (given.size() > one.count && !one.several) continue;
    const auto done = one.run(given);
    return done ? 0 : report(done.error());
  }
  return report(berth::error("berth-stage: for Berth's own use"), 2);
}
