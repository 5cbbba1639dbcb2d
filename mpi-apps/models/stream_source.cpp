#include "models/stream_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/collective.hpp"
#include "common/memory.hpp"
#include "common/text.hpp"
#include "data/parallel.hpp"
#include "data/read_plan.hpp"
#include "data/read_rows.hpp"

namespace berth::apps {

namespace {

bool fits_single(const dataset& data) {
  const auto& element = data.csr ? data.csr->data.element : data.x.element;
  return element.kind == element_kind::floating ? element.bytes <= 4
                                                : element.is_plain() && element.bytes <= 2;
}

// Of streams that run at the same time: the work of both, the time of the slower.
void add_at_once(read_facts& to, const read_facts& other) {
  to.stored_bytes += other.stored_bytes;
  to.value_bytes += other.value_bytes;
  to.read_seconds = std::max(to.read_seconds, other.read_seconds);
  to.wait_seconds = std::max(to.wait_seconds, other.wait_seconds);
  to.inexact += other.inexact;
}

}  // namespace

result<stream_source> stream_source::create(const communicator& comm, const dataset& data,
                                            const stream_options& options) {
  stream_source made(comm, data);
  made.info_ = data.info;
  if (auto ok = made.choose(options); !ok) return pass(std::move(ok));
  made.weights_ = options.weights && data.weights.has_value();
  made.panels_.statistics = false;
  made.panels_.threads = threads_each(comm);
  if (options.memory_bytes) made.panels_.memory_bytes = *options.memory_bytes;
  made.threads_ = options.threads.value_or(made.panels_.threads);
  made.least_block_ = options.least_block;
  made.sums_bytes_ = made.bytes_for_sums(options);
  return made;
}

// What was asked for, else as much as this rank's rows, if the host has four times that left.
double stream_source::bytes_for_sums(const stream_options& options) const {
  const double free = available_memory() / ranks_here(*comm_) / 4;
  if (options.memory_bytes) return static_cast<double>(*options.memory_bytes);
  const double rows = static_cast<double>(info_.rows) / comm_->size();
  const double share = rows * static_cast<double>(info_.features) * sizeof(double);
  return std::min(free, std::max(share, static_cast<double>(panels_.memory_bytes)));
}

result<void> stream_source::choose(const stream_options& options) {
  map_ = feature_map(info_.names.size());
  if (options.like) {
    auto found = map_features(*options.like, info_);
    if (!found) return pass(std::move(found));
    map_ = std::move(*found);
    info_.names = options.like->names;
    info_.references = options.like->references;
    info_.features = std::ssize(info_.names);
    return {};
  }
  const auto& columns = options.columns;
  if (columns.empty()) return {};
  std::vector<std::string> missing;
  std::vector<feature_rule> rules;
  for (const auto& name : columns) {
    const auto found = std::ranges::find(info_.names, name);
    if (found == info_.names.end()) missing.push_back(name);
    rules.push_back({0, 1, {static_cast<std::size_t>(found - info_.names.begin())}});
  }
  if (!missing.empty()) {
    return fail(fmt::format("dataset \"{}\": has no feature {}; it has {}", info_.path,
                            quoted_list(missing), quoted_list(info_.names, 40)));
  }
  map_ = feature_map(info_.names.size(), std::move(rules));
  info_.names = columns;
  info_.features = std::ssize(columns);
  return {};
}

bool stream_source::reads_single() const noexcept {
  return fits_single(*data_) && map_.is_choice();
}

row_source stream_source::rows() {
  row_source made{{info_.features, data_->targets(), weights_}, info_.rows, {}, [this] {
                    return explain_missing();
                  }};
  made.mine = mine();
  made.threads = threads_;
  made.sums_bytes = sums_bytes_;
  made.together = rows_together();
  made.visit_part = [this](row_range range, const std::function<bool(const row_view&)>& see) {
    read_facts facts;
    auto ok = read_part(range, panels_, facts, see);
    count(facts);
    return ok;
  };
  made.visit_shares = [this](std::span<const row_range> shares,
                             const std::function<void(std::size_t, const row_view&)>& see) {
    return visit_shares(shares, see);
  };
  made.visit = [this](const std::function<void(const row_view&)>& see) {
    const std::array<row_range, 1> all{mine()};
    return visit_shares(all, [&see](std::size_t, const row_view& rows) { see(rows); });
  };
  return made;
}

result<void> stream_source::visit_shares(
    std::span<const row_range> shares,
    const std::function<void(std::size_t, const row_view&)>& see) {
  const auto count_shares = std::ssize(shares);
  auto options = panels_;
  options.memory_bytes /= count_shares;
  options.threads = std::max(1, options.threads / static_cast<int>(count_shares));
  std::vector<read_facts> facts(shares.size());
  const auto read = [&](std::int64_t job, int) {
    const auto share = static_cast<std::size_t>(job);
    return read_part(shares[share], options, facts[share], [&see, share](const row_view& rows) {
      see(share, rows);
      return true;
    });
  };
  auto ok = parallel_for(count_shares, static_cast<int>(count_shares), read);
  for (std::size_t k = 1; k < facts.size(); ++k) add_at_once(facts[0], facts[k]);
  count(facts[0]);
  return agree(*comm_, std::move(ok));
}

result<void> stream_source::read_part(row_range range, const panel_options& options,
                                      read_facts& facts,
                                      const std::function<bool(const row_view&)>& see) const {
  return reads_single() ? stream<float>(range, options, facts, see)
                        : stream<double>(range, options, facts, see);
}

std::int64_t stream_source::rows_together() const {
  const auto stored = data_->csr ? 1 : plan_read(data_->x).row_multiple;
  return std::max<std::int64_t>(1, (least_block_ + stored - 1) / stored) * stored;
}

row_range stream_source::mine() const {
  const auto blocks = row_blocks_of(info_.rows, rows_together());
  return partition_blocks(blocks, comm_->size()).of(comm_->rank());
}

template <class T>
result<void> stream_source::stream(row_range range, const panel_options& options, read_facts& facts,
                                   const std::function<bool(const row_view&)>& see) const {
  auto panels = panel_stream<T>::open(*data_, range, options);
  if (!panels) return pass(std::move(panels));
  while (true) {
    auto rows = panels->next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) break;
    if (!show(**rows, see)) break;
  }
  facts = panels->facts();
  return {};
}

template <class T>
bool stream_source::show(const panel<T>& rows,
                         const std::function<bool(const row_view&)>& see) const {
  std::vector<T> chosen;
  if (!map_.is_identity()) {
    chosen.resize(static_cast<std::size_t>(rows.range.count * info_.features));
    map_.apply(std::span<const T>(rows.x), std::span<T>(chosen));
  }
  const T* x = map_.is_identity() ? rows.x.data() : chosen.data();
  row_view view{rows.range, nullptr, nullptr, rows.y.data(),
                weights_ ? rows.weights.data() : nullptr};
  if constexpr (std::is_same_v<T, float>) {
    view.narrow = x;
  } else {
    view.x = x;
  }
  return see(view);
}

void stream_source::count(const read_facts& facts) {
  facts_.mode = facts.mode;
  facts_.stored_bytes += facts.stored_bytes;
  facts_.value_bytes += facts.value_bytes;
  facts_.read_seconds += facts.read_seconds;
  facts_.wait_seconds += facts.wait_seconds;
  facts_.inexact = facts.inexact;
}

result<void> stream_source::explain_missing() {
  panels_.statistics = true;
  statistics_collector features(data_->info.features);
  statistics_collector targets(data_->targets());
  const auto gather = [&]() -> result<void> {
    auto panels = panel_stream<double>::open(*data_, mine(), panels_);
    if (!panels) return pass(std::move(panels));
    while (true) {
      auto rows = panels->next();
      if (!rows) return pass(std::move(rows));
      if (*rows == nullptr) break;
    }
    features.merge(panels->feature_statistics());
    targets.merge(panels->target_statistics());
    return {};
  };
  if (auto ok = agree(*comm_, gather()); !ok) return ok;
  features.merge(*comm_);
  targets.merge(*comm_);
  return check_finite(data_->info, features.columns(), targets.columns());
}

}  // namespace berth::apps
