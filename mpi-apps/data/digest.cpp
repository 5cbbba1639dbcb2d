#include "data/digest.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "common/collective.hpp"
#include "common/placement.hpp"
#include "data/file_bytes.hpp"

namespace berth::apps {

namespace {

constexpr std::uint64_t sample_bytes = 4096;
constexpr std::uint64_t samples = 8;

// FNV-1a, 64 bits.
std::uint64_t hash(std::span<const std::byte> data, std::uint64_t so_far) {
  for (const auto byte : data) {
    so_far = (so_far ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
  }
  return so_far;
}

}  // namespace

result<file_digest> digest_of(const std::string& path) {
  auto file = file_bytes::open(path);
  if (!file) return pass(std::move(file));
  std::error_code reason;
  file_digest digest{std::filesystem::file_size(path, reason), 0xcbf29ce484222325U};
  if (reason) return failure(error(fmt::format("\"{}\": cannot open", path), reason));
  std::array<std::byte, sample_bytes> sample{};
  const auto length = std::min(sample_bytes, digest.bytes);
  const auto part = std::span(sample).first(length);
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto last = digest.bytes - length;
    const auto address = i + 1 == samples ? last : last / (samples - 1) * i;
    if (auto ok = file->read(address, part); !ok) return pass(std::move(ok));
    digest.hash = hash(part, digest.hash);
  }
  return digest;
}

result<void> check_same_file(const communicator& comm, const std::string& path) {
  auto local = digest_of(path);
  if (!local) {
    local = pass(std::move(local),
                 fmt::format("dataset: on {}, rank {}", my_placement().host, comm.rank()));
  }
  auto mine = agree(comm, std::move(local));
  if (!mine) return pass(std::move(mine));
  std::array<std::int64_t, 2> root{static_cast<std::int64_t>(mine->bytes),
                                   static_cast<std::int64_t>(mine->hash)};
  comm.broadcast(std::span<std::int64_t>(root));
  const file_digest theirs{static_cast<std::uint64_t>(root[0]),
                           static_cast<std::uint64_t>(root[1])};
  result<void> same;
  if (*mine != theirs) {
    same =
        fail(fmt::format("dataset \"{}\": rank {} on {} sees another file than rank 0 ({} and {} "
                         "bytes); wait until the file system has caught up, or copy it again",
                         path, comm.rank(), my_placement().host, mine->bytes, theirs.bytes));
  }
  return agree(comm, std::move(same));
}

}  // namespace berth::apps
