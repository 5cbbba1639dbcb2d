#include "dataset/label_counter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace berth::apps {

void label_counter::count(double value, seen more) {
  if (continuous_) return;
  const auto [at, added] = values_.try_emplace(value, more);
  if (!added) {
    at->second.count += more.count;
    at->second.first_row = std::min(at->second.first_row, more.first_row);
  }
  if (values_.size() <= limit) return;
  continuous_ = true;
  values_.clear();
}

void label_counter::add(std::int64_t first, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size() && !continuous_; ++i) {
    if (!std::isfinite(values[i])) continue;
    count(values[i] + 0.0, {1, first + static_cast<std::int64_t>(i)});  // -0 is 0
  }
}

void label_counter::merge(const communicator& comm) {
  struct packed {
    double value;
    seen rows;
  };
  std::string bytes(continuous_ ? "c" : "");
  for (const auto& [value, rows] : values_) {
    const packed each{value, rows};
    bytes.append(reinterpret_cast<const char*>(&each), sizeof each);
  }
  const auto all = comm.gather(bytes);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == "c") continuous_ = true;
    for (std::size_t at = 0; at + sizeof(packed) <= all[rank].size(); at += sizeof(packed)) {
      packed each{};
      std::memcpy(&each, all[rank].data() + at, sizeof each);
      count(each.value, each.rows);
    }
  }
  if (continuous_) values_.clear();
}

}  // namespace berth::apps
