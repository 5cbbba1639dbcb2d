#pragma once
// One entry of the node cache on disk; cache.hpp has the layout.

#include <optional>
#include <string>
#include <vector>

#include "image/cache.hpp"
#include "image/tree_facts.hpp"

namespace berth::image {

/// flock(2) on the lock file of a digest, or another name, in a user's folder. `how` is LOCK_SH or
/// LOCK_EX, with LOCK_NB to fail with EWOULDBLOCK instead of waiting.
result<unique_fd> lock_entry(int users, const std::string& name, int how);

struct entry_facts {
  tree_facts tree;
  std::string source;
  std::string boot;  ///< the kernel's boot id when it was filled
  std::int64_t filled = 0;
};

/// Writes entry.json into the open folder of an entry.
result<void> write_facts(int entry, const entry_facts& facts);
/// Error: missing or damaged.
result<entry_facts> read_facts(int entry);

/// The open folder of an entry; nothing when there is none.
std::optional<unique_fd> open_entry(int users, const std::string& digest);
/// Its files. Error: it cannot be used, and why.
result<unique_fd> open_tree_of(int entry);

/// What is in an open folder (borrowed), "." and ".." too.
std::vector<std::string> names_in(int folder);

/// This boot of the kernel.
result<std::string> boot_id();

bool is_digest(std::string_view text);

}  // namespace berth::image
