#include "pinning/shares.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace berth::pinning {

std::vector<std::size_t> cut_evenly(std::span<const std::int64_t> gain, std::size_t parts) {
  assert(parts >= 1 && parts <= gain.size());
  const auto size = gain.size() / parts;
  const auto large = gain.size() % parts;
  const auto width = large + 1;
  constexpr auto impossible = std::numeric_limits<std::int64_t>::min();

  // best[e]: largest gain of the first `piece` pieces of which e are large.
  std::vector<std::int64_t> best(width, impossible);
  std::vector<bool> took_large((parts + 1) * width, false);
  best[0] = 0;
  for (std::size_t piece = 1; piece <= parts; ++piece) {
    for (std::size_t e = std::min(piece, large) + 1; e-- > 0;) {
      const auto with_small = best[e];
      const auto with_large = e > 0 ? best[e - 1] : impossible;
      // In a tie this piece is small, so that the larger ones come earlier.
      took_large[piece * width + e] = with_large > with_small;
      const auto previous = std::max(with_small, with_large);
      const auto end = piece * size + e;
      best[e] = previous == impossible || end > gain.size() ? impossible
                : end == gain.size()                        ? previous
                                                            : previous + gain[end];
    }
  }

  std::vector<std::size_t> cuts(parts + 1, 0);
  auto e = large;
  for (auto piece = parts; piece > 0; --piece) {
    cuts[piece] = piece * size + e;
    if (took_large[piece * width + e]) --e;
  }
  return cuts;
}

std::vector<std::size_t> pack_pieces(std::span<const std::int64_t> cost, std::size_t pieces,
                                     std::size_t size) {
  assert(size >= 1 && pieces >= 1 && pieces * size <= cost.size());
  // Piece i stands at i * size + slack, where slack is at most `spare` and never falls from one
  // piece to the next. total[p]: costs of all boundaries before the items 1 to p.
  const auto spare = cost.size() - pieces * size;
  std::vector<std::int64_t> total(cost.size(), 0);
  for (std::size_t p = 1; p < cost.size(); ++p) total[p] = total[p - 1] + cost[p];

  using price = std::array<std::int64_t, 3>;  // inside pieces, from first to last, left out
  std::vector<price> best(spare + 1, price{});
  std::vector<std::size_t> came_from(pieces * (spare + 1), 0);
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    std::size_t from = 0;
    std::vector<price> next(spare + 1);
    for (std::size_t slack = 0; slack <= spare; ++slack) {
      const auto first = piece * size + slack;
      const auto inside = total[first + size - 1] - total[first];
      price before{};
      if (piece > 0) {
        const auto reach = [&](std::size_t s) {
          const auto last = (piece - 1) * size + s + size - 1;
          return price{best[s][0], best[s][1] + total[first] - total[last],
                       best[s][2] + static_cast<std::int64_t>(slack - s)};
        };
        if (reach(slack) < reach(from)) from = slack;
        before = reach(from);
        came_from[piece * (spare + 1) + slack] = from;
      }
      next[slack] = {before[0] + inside, before[1] + inside, before[2]};
    }
    best = std::move(next);
  }

  auto slack = static_cast<std::size_t>(std::min_element(best.begin(), best.end()) - best.begin());
  std::vector<std::size_t> firsts(pieces, 0);
  for (auto piece = pieces; piece-- > 0;) {
    firsts[piece] = piece * size + slack;
    slack = came_from[piece * (spare + 1) + slack];
  }
  return firsts;
}

std::vector<std::size_t> deal_evenly(std::span<const std::size_t> capacity, std::size_t tasks) {
  const auto dealt_at = [&](std::size_t level) {
    std::size_t sum = 0;
    for (const auto room : capacity) sum += std::min(room, level);
    return sum;
  };
  std::size_t level = 0;
  while (dealt_at(level + 1) <= tasks && dealt_at(level + 1) > dealt_at(level)) ++level;

  const auto extra = tasks - dealt_at(level);
  const auto with_room = static_cast<std::size_t>(
      std::count_if(capacity.begin(), capacity.end(), [&](auto room) { return room > level; }));
  assert(extra <= with_room);
  std::vector<std::size_t> dealt;
  dealt.reserve(capacity.size());
  std::size_t candidate = 0;
  for (const auto room : capacity) {
    auto count = std::min(room, level);
    if (room > level) {
      // One more where the running quota passes a whole number: evenly spaced along the row.
      if ((candidate + 1) * extra / with_room > candidate * extra / with_room) ++count;
      ++candidate;
    }
    dealt.push_back(count);
  }
  return dealt;
}

}  // namespace berth::pinning
