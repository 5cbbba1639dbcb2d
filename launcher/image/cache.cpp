#include "image/cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/tree_removal.hpp"
#include "image/cache_entry.hpp"
#include "image/known_digest.hpp"
#include "image/trust.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t private_mode = 0700;
constexpr int most_attempts = 16;
constexpr const char* no_digest = "the cache is given no digest";
constexpr const char* room_lock = "room";  // who counts and makes room; no digest has this name

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

// What dead fills left, and digests of images that are not in the cache.
result<void> sweep(int users) {
  forget_digests(users);
  for (const auto& name : names_in(users)) {
    if (!name.ends_with(".new")) continue;
    const auto alone = lock_entry(users, name.substr(0, name.find('.')), LOCK_EX | LOCK_NB);
    if (!alone) continue;
    if (auto done = remove_tree(users, name); !done) return done;
  }
  return {};
}

// Fills NAME.new and writes down what is in it. @pre the lock of this name is held alone
result<std::pair<std::string, std::uint64_t>> fill_new(
    int users, const std::string& name, const fill_request& request,
    const std::function<result<std::string>(int folder)>& fill) {
  const auto place = name + ".new";
  if (auto removed = remove_tree(users, place); !removed) return pass(std::move(removed));
  const auto entry = make_folder(users, place);
  if (!entry) return failure(entry.error());
  auto filled = [&]() -> result<std::pair<std::string, std::uint64_t>> {
    const auto root = make_folder(entry->get(), "root");
    if (!root) return failure(root.error());
    if (::geteuid() == 0 && ::fchown(root->get(), request.user, request.group) != 0) {
      return fail_errno("cannot hand over a folder of the cache");
    }
    auto digest = fill(root->get());
    if (!digest) return pass(std::move(digest));
    auto tree = examine_tree(root->get());
    const auto boot = boot_id();
    if (!tree) return pass(std::move(tree));
    if (!boot) return failure(boot.error());
    const auto bytes = tree->bytes;
    const entry_facts facts{std::move(*tree), request.source, *boot, std::time(nullptr)};
    if (auto done = write_facts(entry->get(), facts); !done) return pass(std::move(done));
    return std::pair{std::move(*digest), bytes};
  }();
  if (filled) return filled;
  if (auto left = remove_tree(users, place); !left) return pass(std::move(left));
  return filled;
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
  const auto users = user_folder(request.user, true);
  if (!users) return failure(users.error());
  bool filled = false;
  auto digest = known_digest(users->get(), request.image);
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (!digest) {
      auto learnt = learn_digest(users->get(), request, filled);
      if (!learnt) return pass(std::move(learnt));
      digest = std::move(*learnt);
    }
    auto tree = lease(users->get(), request.user, *digest);
    if (!tree) return pass(std::move(tree));
    if (*tree) {
      (*tree)->filled = filled;
      return std::move(**tree);
    }
    const auto alone = lock_entry(users->get(), *digest, LOCK_EX);
    if (!alone) return failure(alone.error());
    const auto entry = open_entry(users->get(), *digest);
    if (entry && open_tree_of(entry->get())) continue;  // somebody was faster
    auto made = fill_new(users->get(), *digest, request, [&](int folder) -> result<std::string> {
      if (auto done = request.fill(folder, quota_); !done) return pass(std::move(done));
      return *digest;
    });
    if (!made) return pass(std::move(made));
    if (auto done = publish(users->get(), *digest, *digest, made->second); !done) {
      return pass(std::move(done));
    }
    filled = true;
  }
  return fail("the cache is too small: its entries are evicted as soon as they are filled");
}

// The entry, if it is there and whole.
result<std::optional<cached_tree>> node_cache::lease(int users, uid_t user,
                                                     const std::string& digest) const {
  auto shared = lock_entry(users, digest, LOCK_SH);
  if (!shared) return pass(std::move(shared));
  const auto entry = open_entry(users, digest);
  if (!entry) return std::nullopt;
  auto tree = open_tree_of(entry->get());
  if (!tree) return std::nullopt;
  ::futimens(shared->get(), nullptr);  // last use
  return cached_tree{std::move(*tree), std::move(*shared),
                     fmt::format("{}/{}/{}/root", path_, user, digest)};
}

// Of an image that was not seen before. Reading it for its digest and then once more would take
// longer; but when it may be a copy of one that is there it is not unpacked for nothing.
result<std::string> node_cache::learn_digest(int users, const fill_request& request, bool& filled) {
  const auto length = fmt::format("{:x}", request.image.st_size);
  const auto alone = lock_entry(users, length, LOCK_EX);
  if (!alone) return failure(alone.error());
  if (auto known = known_digest(users, request.image)) return std::move(*known);
  if (knows_length(users, request.image.st_size)) {
    auto digest = request.digest();
    if (!digest) return digest;
    if (!is_digest(*digest)) return fail(no_digest);
    if (auto kept = remember_digest(users, request.image, *digest); !kept) {
      return pass(std::move(kept));
    }
    return digest;
  }
  auto made = fill_new(users, length, request,
                       [&](int folder) { return request.fill_and_digest(folder, quota_); });
  if (!made) return pass(std::move(made));
  auto& [digest, bytes] = *made;
  if (!is_digest(digest)) return fail(no_digest);
  const auto there = lease(users, request.user, digest);
  if (!there) return failure(there.error());
  if (*there) {  // whoever unpacked it died before he could say of what it is the digest
    if (auto left = remove_tree(users, length + ".new"); !left) return pass(std::move(left));
  } else {
    const auto entry_alone = lock_entry(users, digest, LOCK_EX);
    if (!entry_alone) return failure(entry_alone.error());
    auto done = publish(users, length, digest, bytes);
    if (!done) return pass(std::move(done));
    filled = true;
  }
  if (auto kept = remember_digest(users, request.image, digest); !kept) {
    return pass(std::move(kept));
  }
  return std::move(digest);
}

// Makes room, and an entry of what was filled. @pre the locks of both names are held alone
result<void> node_cache::publish(int users, const std::string& filling, const std::string& digest,
                                 std::uint64_t bytes) {
  const auto alone = lock_entry(folder_.get(), room_lock, LOCK_EX);
  if (!alone) return failure(alone.error());
  const auto place = filling + ".new";
  if (auto removed = remove_tree(users, digest); !removed) return removed;
  if (auto room = make_room(bytes); !room) {
    if (auto left = remove_tree(users, place); !left) return left;
    return room;
  }
  if (::renameat(users, place.c_str(), users, digest.c_str()) != 0) {
    return fail_errno("cannot keep what was unpacked");
  }
  return {};
}

// @pre the lock on the room is held alone
result<void> node_cache::make_room(std::uint64_t bytes) const {
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
  if (total <= quota_) return {};
  return fail(
      fmt::format("unpacked it takes {} bytes, and the cache \"{}\" has {} for all, {} of "
                  "them in use; give it more, or use another backend",
                  bytes, path_, quota_, total - bytes));
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
