#include "models/stream_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "data/read_plan.hpp"
#include "data/read_rows.hpp"

namespace berth::apps {

namespace {

bool fits_single(const dataset& data) {
  const auto& element = data.csr ? data.csr->data.element : data.x.element;
  return element.kind == element_kind::floating ? element.bytes <= 4
                                                : element.is_plain() && element.bytes <= 2;
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
  return made;
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
  const auto part = [this](row_range range, const std::function<bool(const row_view&)>& see) {
    return reads_single() ? stream<float>(range, see) : stream<double>(range, see);
  };
  const auto visit = [this, part](const std::function<void(const row_view&)>& see) {
    return agree(*comm_, part(mine(), [&see](const row_view& view) {
      see(view);
      return true;
    }));
  };
  row_source made{{info_.features, data_->targets(), weights_}, info_.rows, visit, [this] {
                    return explain_missing();
                  }};
  made.visit_part = part;
  made.together = rows_together();
  return made;
}

std::int64_t stream_source::rows_together() const {
  return data_->csr ? 1 : plan_read(data_->x).row_multiple;
}

row_range stream_source::mine() const {
  const auto blocks = row_blocks_of(info_.rows, rows_together());
  return partition_blocks(blocks, comm_->size()).of(comm_->rank());
}

template <class T>
result<void> stream_source::stream(row_range range,
                                   const std::function<bool(const row_view&)>& see) {
  auto panels = panel_stream<T>::open(*data_, range, panels_);
  if (!panels) return pass(std::move(panels));
  while (true) {
    auto rows = panels->next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) break;
    if (!show(**rows, see)) break;
  }
  count(panels->facts());
  return {};
}

template <class T>
bool stream_source::show(const panel<T>& rows, const std::function<bool(const row_view&)>& see) {
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
