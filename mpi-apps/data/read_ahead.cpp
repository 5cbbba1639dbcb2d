#include "data/read_ahead.hpp"

#include <algorithm>

namespace berth::apps {

namespace {

// Several of the longest requests of a disk.
constexpr std::int64_t announced_bytes = std::int64_t{16} << 20;

}  // namespace

std::int64_t read_ahead::bands_ahead() const noexcept {
  return announced_bytes / (array_->chunks_across() * array_->chunk_bytes());
}

void read_ahead::begin(std::int64_t band) noexcept {
  if (announced_ > band + 1 + bands_ahead()) announced_ = band;
}

void read_ahead::reach(std::int64_t band) noexcept {
  const auto across = array_->chunks_across();
  const auto end = std::min(array_->bands(), band + 1 + bands_ahead());
  auto from = announced_.load();
  while (from < end && !announced_.compare_exchange_weak(from, end)) {
  }
  stored_chunk run;
  std::uint64_t bytes = 0;
  for (auto i = std::max(from, band) * across; i < end * across; ++i) {
    const auto& chunk = array_->chunks[static_cast<std::size_t>(i)];
    if (bytes > 0 && chunk.address != run.address + bytes) {
      file_->announce(run.address, bytes);
      bytes = 0;
    }
    if (bytes == 0) run = chunk;
    bytes += chunk.bytes;
  }
  if (bytes > 0) file_->announce(run.address, bytes);
}

}  // namespace berth::apps
