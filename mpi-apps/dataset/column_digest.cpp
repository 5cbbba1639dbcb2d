#include "dataset/column_digest.hpp"

#include <algorithm>
#include <bit>
#include <map>

namespace berth::apps {

namespace {

// The finaliser of SplitMix64: a bijection in which every bit of the input moves every other.
std::uint64_t mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

std::uint64_t row_key(std::int64_t row) noexcept {
  return mix(static_cast<std::uint64_t>(row) + 0x9E3779B97F4A7C15U);
}

void accumulate(digest& sum, std::uint64_t key, double value) noexcept {
  if (value == 0) return;
  const std::uint64_t bits = value == value ? std::bit_cast<std::uint64_t>(value) : ~0U;
  const std::uint64_t hash = mix(bits ^ key);
  sum.low += hash;
  sum.high += (hash ^ (hash >> 29)) * 0xD6E8FEB86659FD93U;
}

}  // namespace

template <class T>
void column_digests::add(std::int64_t first, std::span<const T> rows) {
  const std::size_t width = sums_.size();
  for (std::size_t at = 0; at < rows.size(); at += width, ++first) {
    const auto key = row_key(first);
    for (std::size_t j = 0; j < width; ++j) {
      accumulate(sums_[j], key, static_cast<double>(rows[at + j]));
    }
  }
}

template <class T>
void column_digests::add_sparse(std::int64_t row, std::span<const std::int64_t> columns,
                                std::span<const T> values) {
  const auto key = row_key(row);
  for (std::size_t k = 0; k < values.size(); ++k) {
    accumulate(sums_[static_cast<std::size_t>(columns[k])], key, static_cast<double>(values[k]));
  }
}

template void column_digests::add(std::int64_t, std::span<const float>);
template void column_digests::add(std::int64_t, std::span<const double>);
template void column_digests::add_sparse(std::int64_t, std::span<const std::int64_t>,
                                         std::span<const float>);
template void column_digests::add_sparse(std::int64_t, std::span<const std::int64_t>,
                                         std::span<const double>);

void column_digests::merge(const communicator& comm) {
  std::vector<std::int64_t> words;
  for (const auto& each : sums_) {
    words.push_back(std::bit_cast<std::int64_t>(each.low));
    words.push_back(std::bit_cast<std::int64_t>(each.high));
  }
  comm.sum(std::span<std::int64_t>(words));
  for (std::size_t j = 0; j < sums_.size(); ++j) {
    sums_[j] = {std::bit_cast<std::uint64_t>(words[2 * j]),
                std::bit_cast<std::uint64_t>(words[2 * j + 1])};
  }
}

std::vector<std::vector<std::size_t>> equal_columns(std::span<const digest> digests) {
  std::map<digest, std::vector<std::size_t>> by_digest;
  for (std::size_t j = 0; j < digests.size(); ++j) by_digest[digests[j]].push_back(j);
  std::vector<std::vector<std::size_t>> groups;
  for (auto& [key, columns] : by_digest) {
    if (columns.size() > 1) groups.push_back(std::move(columns));
  }
  std::ranges::sort(groups);
  return groups;
}

}  // namespace berth::apps
