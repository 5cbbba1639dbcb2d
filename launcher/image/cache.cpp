#include "image/cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/tree_removal.hpp"
#include "image/cache_entry.hpp"
#include "image/trust.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t private_mode = 0700;
constexpr int most_attempts = 16;
constexpr const char* room_lock = "room";  // who counts and makes room; no digest has this name

struct folder_closer {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::vector<std::string> names_in(int folder) {
  const std::unique_ptr<DIR, folder_closer> open(
      ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  std::vector<std::string> names;
  while (const auto* entry = open ? ::readdir(open.get()) : nullptr) {
    names.emplace_back(entry->d_name);
  }
  return names;
}

result<unique_fd> make_folder(int parent, const std::string& name) {
  if (::mkdirat(parent, name.c_str(), private_mode) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot create \"{}\"", name));
  }
  unique_fd fd(::openat(parent, name.c_str(), folder_flags));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", name));
  return fd;
}

// The folder must be private: everything in it is then the owner's doing.
result<void> check_private(int folder, const std::string& path) {
  struct stat info {};
  if (::fstat(folder, &info) != 0) return fail_errno("cannot stat");
  if (info.st_uid != ::geteuid()) return fail(fmt::format("belongs to uid {}", info.st_uid));
  if ((info.st_mode & 077) != 0) return fail("others may enter it; chmod 700");
  if (info.st_uid != 0) return {};
  const auto weakest = weakest_part(path, info);
  if (!weakest) return failure(weakest.error());
  if (weakest->empty()) return {};
  return fail(fmt::format("others than root can change \"{}\"; choose a folder that they cannot",
                          *weakest));
}

std::string identity_of(const struct stat& file) {
  return fmt::format("{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}.known", file.st_dev, file.st_ino,
                     file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_ctim.tv_sec,
                     file.st_ctim.tv_nsec);
}

bool locked_by_others(int users, const std::string& digest) {
  return !lock_entry(users, digest, LOCK_EX | LOCK_NB);
}

cache_entry describe(int users, uid_t user, const std::string& digest) {
  cache_entry entry{user, digest, {}, 0, 0, 0, 0, locked_by_others(users, digest), {}};
  struct stat lock {};
  if (::fstatat(users, (digest + ".lock").c_str(), &lock, AT_SYMLINK_NOFOLLOW) == 0) {
    entry.used = lock.st_mtim.tv_sec;
  }
  const auto folder = open_entry(users, digest);
  if (!folder) {
    entry.problem = "it is no folder";
    return entry;
  }
  if (const auto facts = read_facts(folder->get()); facts) {
    entry.source = facts->source;
    entry.bytes = facts->tree.bytes;
    entry.files = facts->tree.files;
    entry.filled = facts->filled;
  }
  if (const auto tree = open_tree_of(folder->get()); !tree) entry.problem = tree.error().text();
  return entry;
}

std::vector<uid_t> users_of(int cache) {
  std::vector<uid_t> users;
  for (const auto& name : names_in(cache)) {
    const auto uid = parse_unsigned(name);
    if (uid && *uid <= UINT32_MAX) users.push_back(static_cast<uid_t>(*uid));
  }
  return users;
}

std::string read_known(int users, const std::string& name) {
  const unique_fd fd(::openat(users, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return fd ? read_all(fd.get(), 64).value_or("") : std::string();
}

// What dead fills left, and digests of images that are not in the cache.
result<void> sweep(int users) {
  for (const auto& name : names_in(users)) {
    if (name.ends_with(".known") && !open_entry(users, read_known(users, name))) {
      ::unlinkat(users, name.c_str(), 0);
    }
    const auto digest = name.substr(0, name.find('.'));
    if (!name.ends_with(".new") || !is_digest(digest)) continue;
    const auto alone = lock_entry(users, digest, LOCK_EX | LOCK_NB);
    if (!alone) continue;
    if (auto done = remove_tree(users, name); !done) return done;
  }
  return {};
}

}  // namespace

result<node_cache> node_cache::open(const std::string& folder, std::uint64_t quota) {
  const auto named = fmt::format("cache \"{}\"", folder);
  std::error_code code;
  const auto path = fs::absolute(folder, code).lexically_normal();
  if (code) return failure(error(named, code));
  if (!fs::exists(path.parent_path())) fs::create_directories(path.parent_path(), code);
  if (::mkdir(path.c_str(), private_mode) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("{}: cannot create", named));
  }
  const auto real = fs::canonical(path, code);
  if (code) return failure(error(named, code));
  unique_fd fd(::open(real.c_str(), folder_flags));
  if (!fd) return fail_errno(fmt::format("{}: cannot open", named));
  if (auto safe = check_private(fd.get(), real); !safe) return pass(std::move(safe), named);
  return node_cache(std::move(fd), real, quota);
}

result<unique_fd> node_cache::user_folder(uid_t user, bool create) const {
  const auto name = fmt::format("{}", user);
  if (create) return make_folder(folder_.get(), name);
  unique_fd fd(::openat(folder_.get(), name.c_str(), folder_flags));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}/{}\"", path_, name));
  return fd;
}

result<cached_tree> node_cache::take(const fill_request& request) {
  if (!is_digest(request.digest)) return fail("the cache is asked for no digest");
  const auto users = user_folder(request.user, true);
  if (!users) return failure(users.error());
  bool filled = false;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto lease = lock_entry(users->get(), request.digest, LOCK_SH);
    if (!lease) return pass(std::move(lease));
    if (const auto entry = open_entry(users->get(), request.digest)) {
      if (auto tree = open_tree_of(entry->get()); tree) {
        ::futimens(lease->get(), nullptr);  // last use
        return cached_tree{std::move(*tree), std::move(*lease),
                           fmt::format("{}/{}/{}/root", path_, request.user, request.digest),
                           filled};
      }
    }
    lease->reset();
    const auto alone = lock_entry(users->get(), request.digest, LOCK_EX);
    if (!alone) return failure(alone.error());
    const auto entry = open_entry(users->get(), request.digest);
    if (entry && open_tree_of(entry->get())) continue;  // somebody was faster
    if (auto done = fill_entry(users->get(), request); !done) return pass(std::move(done));
    filled = true;
  }
  return fail("the cache is too small: its entries are evicted as soon as they are filled");
}

// With the entry's lock held alone.
result<void> node_cache::fill_entry(int users, const fill_request& request) {
  const auto name = request.digest + ".new";
  auto removed =
      remove_tree(users, name).and_then([&] { return remove_tree(users, request.digest); });
  if (!removed) return removed;
  const auto entry = make_folder(users, name);
  if (!entry) return failure(entry.error());
  const auto filled = [&]() -> result<void> {
    const auto root = make_folder(entry->get(), "root");
    if (!root) return failure(root.error());
    if (::geteuid() == 0 && ::fchown(root->get(), request.user, request.group) != 0) {
      return fail_errno("cannot hand over a folder of the cache");
    }
    if (auto done = request.fill(root->get()); !done) return done;
    auto tree = examine_tree(root->get());
    const auto boot = boot_id();
    if (!tree) return pass(std::move(tree));
    if (!boot) return failure(boot.error());
    const auto bytes = tree->bytes;
    const entry_facts facts{std::move(*tree), request.source, *boot, std::time(nullptr)};
    if (auto done = write_facts(entry->get(), facts); !done) return done;
    return publish(users, request, bytes);
  }();
  if (filled) return {};
  if (auto left = remove_tree(users, name); !left) return left;
  return filled;
}

result<void> node_cache::publish(int users, const fill_request& request, std::uint64_t bytes) {
  const auto alone = lock_entry(folder_.get(), room_lock, LOCK_EX);
  if (!alone) return failure(alone.error());
  auto entries = list();
  if (!entries) return pass(std::move(entries));
  std::uint64_t total = bytes;
  for (const auto& entry : *entries) total += entry.bytes;
  std::sort(entries->begin(), entries->end(),
            [](const cache_entry& a, const cache_entry& b) { return a.used < b.used; });
  for (const auto& entry : *entries) {
    if (total <= quota_) break;
    const auto freed = evict(entry);
    if (!freed) return failure(freed.error());
    total -= std::min(total, *freed);
  }
  if (total > quota_) {
    return fail(
        fmt::format("unpacked it takes {} bytes, and the cache \"{}\" has {} for all, {} of "
                    "them in use; give it more, or use another backend",
                    bytes, path_, quota_, total - bytes));
  }
  if (::renameat(users, (request.digest + ".new").c_str(), users, request.digest.c_str()) != 0) {
    return fail_errno("cannot keep what was unpacked");
  }
  return {};
}

// Zero for an entry that somebody uses.
result<std::uint64_t> node_cache::evict(const cache_entry& entry) const {
  const auto users = user_folder(entry.user, false);
  if (!users) return failure(users.error());
  const auto alone = lock_entry(users->get(), entry.digest, LOCK_EX | LOCK_NB);
  if (!alone) return std::uint64_t{0};
  // First out of its place: what is half removed must not be used.
  const auto aside = entry.digest + ".new";
  auto removed = remove_tree(users->get(), aside);
  if (removed && ::renameat(users->get(), entry.digest.c_str(), users->get(), aside.c_str()) != 0) {
    removed = fail_errno(fmt::format("cannot remove \"{}\"", entry.digest));
  }
  if (removed) removed = remove_tree(users->get(), aside);
  if (!removed) return pass(std::move(removed));
  return entry.bytes;
}

std::optional<std::string> node_cache::known_digest(uid_t user, const struct stat& file) const {
  const auto users = user_folder(user, false);
  if (!users) return std::nullopt;
  auto digest = read_known(users->get(), identity_of(file));
  if (!is_digest(digest)) return std::nullopt;
  return digest;
}

result<void> node_cache::remember_digest(uid_t user, const struct stat& file,
                                         const std::string& digest) {
  const auto users = user_folder(user, true);
  if (!users) return failure(users.error());
  const auto name = identity_of(file);
  const unique_fd fd(::openat(users->get(), name.c_str(),
                              O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("cannot write \"{}\"", name));
  return write_all(fd.get(), digest);
}

result<std::vector<cache_entry>> node_cache::list() const {
  std::vector<cache_entry> entries;
  for (const auto user : users_of(folder_.get())) {
    const auto users = user_folder(user, false);
    if (!users) return failure(users.error());
    for (const auto& name : names_in(users->get())) {
      if (is_digest(name)) entries.push_back(describe(users->get(), user, name));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const cache_entry& a, const cache_entry& b) {
    return a.user != b.user ? a.user < b.user : a.used > b.used;
  });
  return entries;
}

result<std::string> node_cache::verify(const cache_entry& entry) const {
  const auto users = user_folder(entry.user, false);
  if (!users) return failure(users.error());
  const auto lease = lock_entry(users->get(), entry.digest, LOCK_SH);
  if (!lease) return failure(lease.error());
  const auto folder = open_entry(users->get(), entry.digest);
  if (!folder) return std::string("it is gone");
  const auto facts = read_facts(folder->get());
  const auto tree = open_tree_of(folder->get());
  if (!facts) return facts.error().text();
  if (!tree) return tree.error().text();
  const auto now = examine_tree(tree->get());
  if (!now) return now.error().text();
  return std::string(now->fingerprint == facts->tree.fingerprint ? "" : "its files were changed");
}

result<pruned> node_cache::prune(const std::function<bool(const cache_entry&)>& doomed) {
  const auto entries = list();
  if (!entries) return failure(entries.error());
  pruned gone;
  for (const auto& entry : *entries) {
    if (entry.in_use || !doomed(entry)) continue;
    const auto freed = evict(entry);
    if (!freed) return failure(freed.error());
    const auto users = user_folder(entry.user, false);
    if (users && open_entry(users->get(), entry.digest)) continue;  // taken meanwhile
    gone.bytes += *freed;
    gone.entries.push_back(entry);
  }
  for (const auto user : users_of(folder_.get())) {
    const auto users = user_folder(user, false);
    if (!users) return failure(users.error());
    if (auto done = sweep(users->get()); !done) return pass(std::move(done));
  }
  return gone;
}

}  // namespace berth::image
