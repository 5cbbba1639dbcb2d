#include "data/panels.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace berth::apps {

namespace {

using clock = std::chrono::steady_clock;

double since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

}  // namespace

// Two panels: the thread fills one while the caller has the other.
template <class T>
struct panel_stream<T>::state {
  panel_source<T> source;
  row_range range;
  std::int64_t features;
  struct slot {
    panel<T> rows;
    statistics_collector features{0};
    statistics_collector targets{0};
  };
  std::array<slot, 2> slots;
  statistics_collector feature_totals;
  statistics_collector target_totals;
  read_facts facts;

  std::mutex guard;
  std::condition_variable changed;
  std::int64_t filled = 0;    // panels that the thread has finished
  std::int64_t released = 0;  // panels that the caller has given back
  std::int64_t handed = 0;    // panels that the caller has had
  bool finished = false;
  bool unwanted = false;
  result<void> outcome;
  std::jthread thread;  // last: it is joined before what it uses goes away

  state(panel_source<T> from, row_range rows, const dataset& data)
      : source(std::move(from)),
        range(rows),
        features(data.info.features),
        feature_totals(features),
        target_totals(data.targets()) {
    facts.mode = source.mode_text();
    finished = range.count == 0;
    thread = std::jthread([this] { run(); });
  }
  ~state() {
    {
      const std::lock_guard lock(guard);
      unwanted = true;
    }
    changed.notify_all();
  }

  bool wait_for_space() {
    std::unique_lock lock(guard);
    changed.wait(lock, [&] { return unwanted || filled - released < 2; });
    return !unwanted;
  }
  void publish(result<void> done, double seconds, bool last) {
    {
      const std::lock_guard lock(guard);
      facts.read_seconds += seconds;
      facts.stored_bytes = source.stored_bytes();
      facts.inexact = source.inexact();
      if (done) ++filled;
      finished = last || !done;
      outcome = std::move(done);
    }
    changed.notify_all();
  }
  void run();
};

template <class T>
void panel_stream<T>::state::run() {
  const auto step = source.rows_at_once();
  // Panels begin at multiples of the step, so that only a range's first chunk is decoded in part.
  for (auto first = range.first; first < range.end();) {
    if (!wait_for_space()) return;
    const auto end = std::min(range.end(), (first / step + 1) * step);
    const auto start = clock::now();
    auto& to = slots[static_cast<std::size_t>(filled % 2)];
    auto done = source.fill({first, end - first}, to.rows);
    to.features = source.feature_statistics();
    to.targets = source.target_statistics();
    const bool ok = done.has_value();
    publish(std::move(done), since(start), end == range.end());
    if (!ok) return;
    first = end;
  }
}

template <class T>
result<panel_stream<T>> panel_stream<T>::open(const dataset& data, row_range range,
                                              const panel_options& options) {
  auto source = panel_source<T>::open(data, options);
  if (!source) return pass(std::move(source));
  return panel_stream(std::make_unique<state>(std::move(*source), range, data));
}

template <class T>
result<const panel<T>*> panel_stream<T>::next() {
  auto& all = *state_;
  const auto start = clock::now();
  std::unique_lock lock(all.guard);
  all.released = all.handed;
  all.changed.notify_all();
  all.changed.wait(lock, [&] { return all.filled > all.handed || all.finished; });
  all.facts.wait_seconds += since(start);
  if (all.filled > all.handed) {
    const auto& given = all.slots[static_cast<std::size_t>(all.handed++ % 2)];
    all.feature_totals.merge(given.features);
    all.target_totals.merge(given.targets);
    all.facts.value_bytes +=
        all.features * given.rows.range.count * static_cast<std::int64_t>(sizeof(T));
    return &given.rows;
  }
  if (!all.outcome) return failure(all.outcome.error());
  return nullptr;
}

template <class T>
const statistics_collector& panel_stream<T>::feature_statistics() const noexcept {
  return state_->feature_totals;
}
template <class T>
const statistics_collector& panel_stream<T>::target_statistics() const noexcept {
  return state_->target_totals;
}
template <class T>
const read_facts& panel_stream<T>::facts() const noexcept {
  return state_->facts;
}

template <class T>
panel_stream<T>::panel_stream(std::unique_ptr<state> all) : state_(std::move(all)) {}
template <class T>
panel_stream<T>::panel_stream(panel_stream&&) noexcept = default;
template <class T>
panel_stream<T>& panel_stream<T>::operator=(panel_stream&&) noexcept = default;
template <class T>
panel_stream<T>::~panel_stream() = default;

template class panel_stream<float>;
template class panel_stream<double>;

}  // namespace berth::apps
