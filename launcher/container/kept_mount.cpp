#include "container/kept_mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <set>

#include "base/file.hpp"
#include "base/text.hpp"
#include "container/cgroup.hpp"
#include "container/process_mark.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds end_patience{1000};
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_state = 16384;
constexpr const char* renewable_word = "renewable";
constexpr const char* lasting_word = "lasting";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// "node_NAME" or "job_7_1000_NAME".
result<std::string> entry_of(const kept_key& key) {
  if (key.name.empty() || key.name.size() > longest_name ||
      !std::all_of(key.name.begin(), key.name.end(), is_plain)) {
    return fail(fmt::format("\"{}\" cannot be the name of a kept mount", key.name));
  }
  if (key.job == 0) return fmt::format("node_{}", key.name);
  return fmt::format("job_{}_{}_{}", key.job, key.uid, key.name);
}

std::optional<std::uint32_t> job_of(const std::string& entry) {
  const auto parts = split(entry, '_');
  if (parts.size() < 4 || parts[0] != "job") return std::nullopt;
  const auto job = parse_unsigned(parts[1]);
  return job ? std::optional(static_cast<std::uint32_t>(*job)) : std::nullopt;
}

std::string mount_point(const std::string& entry) {
  return "/" + entry + "/mount";
}

struct entry_state {
  kept_until until = kept_until::idle;
  process_mark server;  ///< of process 0: none
  std::vector<std::string> cgroups;
};

std::string encode(const entry_state& state) {
  return fmt::format("{} {} {}\n{}\n",
                     state.until == kept_until::idle ? renewable_word : lasting_word,
                     state.server.pid, state.server.start, fmt::join(state.cgroups, "\n"));
}

std::optional<entry_state> decode(std::string_view text) {
  auto lines = split(trim(text), '\n');
  const auto words = split(lines.front(), ' ');
  if (words.size() != 3 || !text.ends_with('\n')) return std::nullopt;
  const auto pid = parse_unsigned(words[1]);
  const auto start = parse_unsigned(words[2]);
  if (!pid || !start || (words[0] != renewable_word && words[0] != lasting_word)) {
    return std::nullopt;
  }
  const auto until = words[0] == lasting_word ? kept_until::job_ends : kept_until::idle;
  lines.erase(lines.begin());
  return entry_state{until, {static_cast<pid_t>(*pid), *start}, std::move(lines)};
}

// An entry whose lock this process holds. All its functions are for use within the kept space.
class locked_entry {
 public:
  // Nothing without an error: another holds the lock, and `wait` is false; or there is no entry and
  // `create` is false.
  static result<std::optional<locked_entry>> lock(std::string entry, bool create, bool wait) {
    while (true) {
      const auto folder = "/" + entry;
      if (create) ::mkdir(folder.c_str(), 0700);
      unique_fd file(::open((folder + "/state").c_str(),
                            O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600));
      // Another process is removing the folder at this moment: then it is made again.
      if (!file && errno == ENOENT && create) continue;
      if (!file && errno == ENOENT) {
        ::rmdir(folder.c_str());
        return std::nullopt;
      }
      if (!file) return fail_errno("cannot open the entry of a kept mount");
      if (::flock(file.get(), LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
        if (errno == EWOULDBLOCK) return std::nullopt;
        if (errno == EINTR) continue;
        return fail_errno("cannot lock a kept mount");
      }
      struct stat info {};
      if (::fstat(file.get(), &info) == 0 && info.st_nlink > 0) {
        return locked_entry(std::move(entry), std::move(file), info);
      }
    }
  }

  locked_entry(locked_entry&& other) noexcept
      : entry_(std::move(other.entry_)), file_(std::move(other.file_)), info_(other.info_) {}
  locked_entry& operator=(locked_entry&&) = delete;
  // Not left to closing: a server that `make` started may hold a copy for a moment.
  ~locked_entry() {
    if (file_) ::flock(file_.get(), LOCK_UN);
  }

  [[nodiscard]] std::optional<entry_state> state() const {
    std::string text(longest_state, '\0');
    const auto n = ::pread(file_.get(), text.data(), text.size(), 0);
    return n > 0 ? decode(text.substr(0, static_cast<std::size_t>(n))) : std::nullopt;
  }

  [[nodiscard]] std::chrono::seconds idle_for() const {
    return std::chrono::seconds(::time(nullptr) - info_.st_mtim.tv_sec);
  }

  [[nodiscard]] result<unique_fd> copy() const {
    if (::futimens(file_.get(), nullptr) != 0) return fail_errno("cannot note the use");
    unique_fd mount(
        ::open_tree(AT_FDCWD, mount_point(entry_).c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!mount) return fail_errno("cannot copy a kept mount");
    return mount;
  }

  // Empty first: from here on the entry is half-made.
  result<void> clear() {
    if (::ftruncate(file_.get(), 0) != 0) return fail_errno("cannot clear a kept mount");
    while (::umount2(mount_point(entry_).c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    return {};
  }

  result<void> fill(const unique_fd& mount, const entry_state& state) {
    ::mkdir(mount_point(entry_).c_str(), 0700);
    if (::move_mount(mount.get(), "", AT_FDCWD, mount_point(entry_).c_str(),
                     MOVE_MOUNT_F_EMPTY_PATH) != 0) {
      return fail_errno("cannot keep the mount");
    }
    return note(state);
  }

  [[nodiscard]] result<void> note(const entry_state& state) const {
    return write_all(file_.get(), encode(state));
  }

  result<void> remove() {
    if (auto cleared = clear(); !cleared) return cleared;
    const auto folder = "/" + entry_;
    ::rmdir(mount_point(entry_).c_str());
    // The lock is on this file: whoever waits for it sees that it has no name any more.
    if (::unlink((folder + "/state").c_str()) != 0) return fail_errno("cannot drop a kept mount");
    ::rmdir(folder.c_str());
    return {};
  }

 private:
  locked_entry(std::string entry, unique_fd file, const struct stat& info)
      : entry_(std::move(entry)), file_(std::move(file)), info_(info) {}
  std::string entry_;
  unique_fd file_;
  struct stat info_;
};

// Of process 0: there is none. Nothing: it is gone, or will never answer.
std::optional<unique_fd> server_of(const entry_state& state) {
  if (state.server.pid == 0) return unique_fd();
  auto process = open_process(state.server);
  return process ? std::optional(std::move(*process)) : std::nullopt;
}

std::vector<std::string> entries() {
  std::vector<std::string> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/", code)) {
    found.push_back(entry.path().filename().string());
  }
  return found;
}

// Within the kept space; waits for whoever is busy with the entry.
result<std::optional<locked_entry>> lock_or_create(const std::string& entry) {
  auto there = locked_entry::lock(entry, false, true);
  if (!there || *there) return there;
  const auto job = job_of(entry);
  const auto all = job ? entries() : std::vector<std::string>{};
  const auto count =
      std::count_if(all.begin(), all.end(), [&](const auto& one) { return job_of(one) == job; });
  if (static_cast<std::size_t>(count) < most_of_a_job) {
    return locked_entry::lock(entry, true, true);
  }
  return fail(fmt::format(
      "the job has {} images and named containers on this node, the most that are kept for one; "
      "use one that is there, or start another job",
      most_of_a_job));
}

// Within the kept space; waits for whoever is busy with the entry. What it held, if anything.
result<std::optional<entry_state>> remove_entry(const std::string& entry) {
  auto locked = locked_entry::lock(entry, false, true);
  if (!locked) return pass(std::move(locked));
  if (!*locked) return std::nullopt;
  auto state = (*locked)->state();
  if (auto removed = (*locked)->remove(); !removed) return pass(std::move(removed));
  return state;
}

// What end_of_job has to remove although the mount is not kept until then: an entry without a
// mount, one for all of the job's. Within the kept space.
result<void> keep_cgroups(const std::string& entry, const std::optional<entry_state>& state) {
  if (!state || state->cgroups.empty()) return {};
  const auto owner = split(entry, '_');  // "job_7_1000_NAME"
  const auto record =
      locked_entry::lock(fmt::format("job_{}_{}_cgroups", owner[1], owner[2]), true, true);
  if (!record) return failure(record.error());
  if (!*record || (*record)->state()) return {};
  return (*record)->note({kept_until::job_ends, {}, state->cgroups});
}

// Without their mounts servers end by themselves; those that hang do not. Who attends a server
// ends a moment after it, and lives in the same cgroups.
void end_servers(const std::vector<entry_state>& lost) {
  std::vector<unique_fd> servers;
  std::vector<std::string> cgroups;
  for (const auto& state : lost) {
    cgroups.insert(cgroups.end(), state.cgroups.begin(), state.cgroups.end());
    auto server = state.server.pid == 0 ? std::nullopt : open_process(state.server);
    if (server) servers.push_back(std::move(*server));
  }
  end_processes(servers, end_patience);
  remove_cgroups(cgroups, end_patience);
}

template <class Work>
auto within(const kept_space& space, Work work) -> decltype(work()) {
  const auto visit = space.enter();
  if (!visit) return failure(visit.error());
  return work();
}

// The mount as it is kept, or nothing where a new one must be made.
std::optional<taken_mount> adopt(const kept_space& space, const locked_entry& entry) {
  const auto state = entry.state();
  auto server = state ? server_of(*state) : std::nullopt;
  if (!server) return std::nullopt;
  auto mount = within(space, [&] { return entry.copy(); });
  if (!mount) return std::nullopt;
  return taken_mount{std::move(*mount), std::move(*server), false};
}

// Nothing can be kept. A mount that can be made again is then made for this one use.
template <class Value>
result<taken_mount> use_once(kept_until until, const std::function<result<made_mount>()>& make,
                             const result<Value>& obstacle) {
  if (until == kept_until::job_ends) {
    return obstacle ? fail("cannot lock a kept mount") : failure(obstacle.error());
  }
  auto made = make();
  if (!made) return pass(std::move(made));
  return taken_mount{std::move(made->mount), std::move(made->server), true,
                     obstacle ? "it is being removed" : obstacle.error().text()};
}

bool is_useless(const locked_entry& entry, std::chrono::seconds idle) {
  const auto state = entry.state();
  if (!state) return true;
  if (state->until == kept_until::job_ends) return false;
  return entry.idle_for() >= idle || !server_of(*state);
}

}  // namespace

result<std::string> identity_of(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0) return fail_errno("cannot look at the image");
  return fmt::format("{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}", info.st_dev, info.st_ino, info.st_size,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec,
                     info.st_ctim.tv_nsec);
}

result<kept_mounts> kept_mounts::open_or_create(const std::string& folder) {
  auto space = kept_space::open_or_create(folder);
  if (!space) return pass(std::move(space));
  return kept_mounts(std::move(*space));
}

result<kept_mounts> kept_mounts::open(const std::string& folder) {
  auto space = kept_space::open(folder);
  if (!space) return pass(std::move(space));
  return kept_mounts(std::move(*space));
}

result<std::optional<taken_mount>> kept_mounts::find(const kept_key& key) const {
  const auto entry = entry_of(key);
  if (!entry) return failure(entry.error());
  const auto locked = within(space_, [&] { return locked_entry::lock(*entry, false, true); });
  if (!locked) return failure(locked.error());
  return *locked ? adopt(space_, **locked) : std::nullopt;
}

result<taken_mount> kept_mounts::take(const kept_key& key, kept_until until,
                                      const std::function<result<made_mount>()>& make) const {
  const auto entry = entry_of(key);
  if (!entry) return failure(entry.error());
  auto locked = within(space_, [&] { return lock_or_create(*entry); });
  if (!locked || !*locked) return use_once(until, make, locked);
  if (auto kept = adopt(space_, **locked)) return std::move(*kept);
  const auto cleared = within(space_, [&] { return (*locked)->clear(); });
  if (!cleared) return use_once(until, make, cleared);
  auto made = make();
  if (!made) {
    static_cast<void>(within(space_, [&] { return (*locked)->remove(); }));
    return pass(std::move(made));
  }
  entry_state state{until, {}, made->cgroups};
  if (made->server) {
    const auto mark = mark_process(made->server.get());
    // It has ended already: the taker finds out, and the next one starts another.
    if (!mark) return taken_mount{std::move(made->mount), std::move(made->server), true};
    state.server = *mark;
  }
  auto copy = within(space_, [&] {
    return (*locked)->fill(made->mount, state).and_then([&] { return (*locked)->copy(); });
  });
  if (!copy && until == kept_until::job_ends) return pass(std::move(copy));
  return taken_mount{copy ? std::move(*copy) : std::move(made->mount), std::move(made->server),
                     true, copy ? std::string() : copy.error().text()};
}

result<void> kept_mounts::drop(const kept_key& key) const {
  const auto entry = entry_of(key);
  if (!entry) return failure(entry.error());
  return within(space_, [&]() -> result<void> {
    const auto removed = remove_entry(*entry);
    return removed ? keep_cgroups(*entry, *removed) : failure(removed.error());
  });
}

result<void> kept_mounts::end_of_job(std::uint32_t job) const {
  std::vector<entry_state> lost;
  const auto dropped = within(space_, [&]() -> result<void> {
    result<void> outcome;
    for (const auto& entry : entries()) {
      if (job_of(entry) != job) continue;
      const auto state = remove_entry(entry);
      if (!state) outcome = failure(state.error());
      if (state && *state) lost.push_back(**state);
    }
    return outcome;
  });
  end_servers(lost);
  return dropped;
}

result<void> kept_mounts::sweep(std::chrono::seconds idle) const {
  const auto names = within(space_, [] { return result<std::vector<std::string>>(entries()); });
  if (!names) return failure(names.error());
  for (const auto& name : *names) {
    auto locked = within(space_, [&] { return locked_entry::lock(name, false, false); });
    if (!locked) return pass(std::move(locked));
    if (!*locked || !is_useless(**locked, idle)) continue;
    auto removed = within(space_, [&] {
      const auto state = (*locked)->state();
      return (*locked)->remove().and_then([&] { return keep_cgroups(name, state); });
    });
    if (!removed) return removed;
  }
  return {};
}

result<std::vector<std::uint32_t>> kept_mounts::jobs(std::chrono::seconds idle) const {
  return within(space_, [&]() -> result<std::vector<std::uint32_t>> {
    std::set<std::uint32_t> found;
    for (const auto& entry : entries()) {
      const auto job = job_of(entry);
      if (!job) continue;
      const auto locked = locked_entry::lock(entry, false, false);
      if (locked && *locked && (*locked)->idle_for() >= idle) found.insert(*job);
    }
    return std::vector<std::uint32_t>(found.begin(), found.end());
  });
}

}  // namespace berth::container
