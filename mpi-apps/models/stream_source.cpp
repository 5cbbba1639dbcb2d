#include "models/stream_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/collective.hpp"
#include "common/text.hpp"
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
  if (auto ok = made.choose(options.columns); !ok) return pass(std::move(ok));
  made.weights_ = options.weights && data.weights.has_value();
  made.panels_.statistics = false;
  made.panels_.threads = threads_each(comm);
  if (options.memory_bytes) made.panels_.memory_bytes = *options.memory_bytes;
  return made;
}

result<void> stream_source::choose(const std::vector<std::string>& columns) {
  if (columns.empty()) return {};
  std::vector<std::string> missing;
  for (const auto& name : columns) {
    const auto found = std::ranges::find(info_.names, name);
    if (found == info_.names.end()) missing.push_back(name);
    chosen_.push_back(static_cast<std::size_t>(found - info_.names.begin()));
  }
  if (!missing.empty()) {
    return fail(fmt::format("dataset \"{}\": has no feature {}; it has {}", info_.path,
                            quoted_list(missing), quoted_list(info_.names, 40)));
  }
  info_.names = columns;
  info_.features = std::ssize(columns);
  return {};
}

row_source stream_source::rows() {
  const auto visit = [this](const std::function<void(const row_view&)>& see) {
    return agree(*comm_, fits_single(*data_) ? stream<float>(see) : stream<double>(see));
  };
  return {{info_.features, data_->targets(), weights_}, info_.rows, visit, [this] {
            return explain_missing();
          }};
}

template <class T>
result<void> stream_source::stream(const std::function<void(const row_view&)>& see) {
  const auto mine = partition_blocks(row_blocks_of(info_.rows), comm_->size()).of(comm_->rank());
  auto panels = panel_stream<T>::open(*data_, mine, panels_);
  if (!panels) return pass(std::move(panels));
  while (true) {
    auto rows = panels->next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) break;
    show(**rows, see);
  }
  count(panels->facts());
  return {};
}

template <class T>
void stream_source::show(const panel<T>& rows, const std::function<void(const row_view&)>& see) {
  std::vector<T> chosen;
  if (!chosen_.empty()) choose_from(rows, chosen);
  const T* x = chosen_.empty() ? rows.x.data() : chosen.data();
  row_view view{rows.range, nullptr, nullptr, rows.y.data(),
                weights_ ? rows.weights.data() : nullptr};
  if constexpr (std::is_same_v<T, float>) {
    view.narrow = x;
  } else {
    view.x = x;
  }
  see(view);
}

template <class T>
void stream_source::choose_from(const panel<T>& rows, std::vector<T>& chosen) const {
  const auto width = static_cast<std::size_t>(data_->info.features);
  chosen.reserve(static_cast<std::size_t>(rows.range.count) * chosen_.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.range.count); ++i) {
    for (const std::size_t j : chosen_) chosen.push_back(rows.x[i * width + j]);
  }
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
    const auto mine = partition_blocks(row_blocks_of(info_.rows), comm_->size()).of(comm_->rank());
    auto panels = panel_stream<double>::open(*data_, mine, panels_);
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
