#include "inference/order_statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace berth::apps {

namespace {

constexpr std::uint64_t sign = std::uint64_t{1} << 63;

// Unsigned numbers in the order of the doubles.
std::uint64_t key_of(double value) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

double value_of(std::uint64_t key) noexcept {
  return std::bit_cast<double>((key & sign) != 0 ? key & ~sign : ~key);
}

std::int64_t count_up_to(const std::vector<double>& sorted, std::uint64_t key) {
  const auto end = std::ranges::upper_bound(sorted, key, {}, key_of);
  return end - sorted.begin();
}

}  // namespace

std::vector<double> order_statistics(const communicator& comm, const std::vector<double>& sorted,
                                     const std::vector<std::int64_t>& places) {
  // The smallest key with more than `place` numbers up to it.
  std::vector<std::uint64_t> found(places.size(), 0);
  std::vector<std::int64_t> counts(places.size());
  for (auto bit = sign; bit != 0; bit >>= 1) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      counts[i] = count_up_to(sorted, found[i] | (bit - 1));
    }
    comm.sum(std::span<std::int64_t>(counts));
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (counts[i] <= places[i]) found[i] |= bit;
    }
  }
  std::vector<double> values;
  for (const auto key : found) values.push_back(value_of(key));
  return values;
}

std::vector<double> quartiles(const communicator& comm, std::vector<double> mine) {
  std::ranges::sort(mine, {}, key_of);
  std::vector<std::int64_t> total{std::ssize(mine)};
  comm.sum(std::span<std::int64_t>(total));
  const std::int64_t last = total[0] - 1;
  std::vector<std::int64_t> places;
  for (std::int64_t quarter = 0; quarter <= 4; ++quarter) {
    const std::int64_t below = last / 4 * quarter + last % 4 * quarter / 4;
    places.push_back(below);
    places.push_back(std::min(below + 1, last));
  }
  const auto at = order_statistics(comm, mine, places);
  std::vector<double> out;
  for (std::int64_t quarter = 0; quarter <= 4; ++quarter) {
    const auto i = static_cast<std::size_t>(quarter) * 2;
    const double share = static_cast<double>(last % 4 * quarter % 4) / 4;
    out.push_back(share == 0 ? at[i] : (1 - share) * at[i] + share * at[i + 1]);
  }
  return out;
}

}  // namespace berth::apps
