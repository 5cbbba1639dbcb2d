#pragma once
// Whether two ranks see the same file.

#include <cstdint>
#include <string>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace berth::apps {

/// Size and a hash of samples: the first and the last 4 KiB, and some in between. Not a checksum of
/// the whole: it tells stale and half-copied files apart, not forged ones.
struct file_digest {
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;

  friend bool operator==(const file_digest&, const file_digest&) = default;
};
result<file_digest> digest_of(const std::string& path);

/// Each rank compares its own view of the file with rank 0's. Errors name the host and both sizes.
/// Collective, agreed.
result<void> check_same_file(const communicator& comm, const std::string& path);

}  // namespace berth::apps
