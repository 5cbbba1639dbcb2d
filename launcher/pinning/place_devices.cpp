#include <algorithm>
#include <tuple>

#include "pinning/place.hpp"

namespace berth::pinning {
namespace {

using topology::device;
using topology::machine;

/// 0: near some of the cores, 1: near another core of a package of theirs, 2: elsewhere.
int distance(const machine& part, const device& it, cores_view cores) {
  if (it.near.count == 0) return 2;
  const auto end = it.near.first + it.near.count;
  const auto package = part.pus[static_cast<std::size_t>(it.near.first)].package;
  int least = 2;
  for (const auto& c : cores) {
    if (c.position >= it.near.first && c.position < end) return 0;
    if (c.package == package) least = 1;
  }
  return least;
}

}  // namespace

void place_devices(const machine& part, std::vector<share>& shares) {
  const auto candidates = choose_devices(part, "");
  if (!candidates) return;
  std::vector<std::size_t> uses(part.devices.size(), 0);
  for (auto& mine : shares) {
    if (mine.device) continue;
    const auto rank = [&](std::size_t d) {
      const auto& it = part.devices[d];
      return std::tuple(distance(part, it, mine.cores), uses[d], it.near.count, d);
    };
    mine.device = *std::min_element(candidates->begin(), candidates->end(),
                                    [&](auto a, auto b) { return rank(a) < rank(b); });
    ++uses[*mine.device];
  }
}

}  // namespace berth::pinning
