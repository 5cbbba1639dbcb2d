#pragma once
// Statistics of tiles that several threads finish in any order, merged in the order of the rows:
// the result has the same bits for any number of threads.

#include <map>
#include <mutex>

#include "data/statistics.hpp"

namespace berth::apps {

class ordered_statistics {
 public:
  explicit ordered_statistics(statistics_collector& into) : into_(&into) {}

  /// Tiles are numbered from 0 without gaps. Any thread.
  template <class T>
  void add(std::int64_t tile, std::span<const T> rows) {
    statistics_collector seen(static_cast<std::int64_t>(into_->columns().size()));
    seen.add(rows);
    const std::lock_guard lock(guard_);
    waiting_.emplace(tile, std::move(seen));
    for (auto next = waiting_.find(due_); next != waiting_.end(); next = waiting_.find(++due_)) {
      into_->merge(next->second);
      waiting_.erase(next);
    }
  }

 private:
  statistics_collector* into_;  // borrowed
  std::mutex guard_;
  std::map<std::int64_t, statistics_collector> waiting_;
  std::int64_t due_ = 0;
};

}  // namespace berth::apps
