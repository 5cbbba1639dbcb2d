#include "data/panel_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "data/array_reader.hpp"
#include "data/csr_reader.hpp"
#include "data/ordered_statistics.hpp"
#include "data/parallel.hpp"
#include "data/target_reader.hpp"

namespace berth::apps {

namespace {

// For each thread that copies. Two panels fit into the share of the last cache that a core has:
// what was copied is still there when it is multiplied.
constexpr std::int64_t panel_bytes = std::int64_t{2} << 20;
// Chunks that are decoded go into a panel whole, up to here.
constexpr std::int64_t most_panel_bytes = std::int64_t{32} << 20;

}  // namespace

template <class T>
struct panel_source<T>::state {
  const dataset* data;
  panel_options options;
  statistics_collector features;
  statistics_collector targets;
  std::optional<array_reader<T>> dense;
  std::optional<csr_reader<T>> sparse;
  std::optional<target_reader> y;
  std::optional<target_reader> weights;

  state(const dataset& from, const panel_options& chosen);
  result<void> open();
  result<void> fill_dense(row_range range, panel<T>& out);
  result<void> fill_sparse(row_range range, panel<T>& out);
  result<void> fill(row_range range, panel<T>& out);
};

template <class T>
panel_source<T>::state::state(const dataset& from, const panel_options& chosen)
    : data(&from), options(chosen), features(from.info.features), targets(from.targets()) {
  if (options.threads < 1) options.threads = available_cpus();
}

template <class T>
result<void> panel_source<T>::state::open() {
  const auto keep = options.memory_bytes / 2;
  if (data->csr) {
    auto opened = csr_reader<T>::open(*data->csr, data->info, options.threads, keep);
    if (!opened) return pass(std::move(opened));
    sparse.emplace(std::move(*opened));
  } else {
    auto opened = array_reader<T>::open(data->x, options.threads, keep);
    if (!opened) return pass(std::move(opened));
    dense.emplace(std::move(*opened));
  }
  if (data->y) {
    auto opened = target_reader::open(*data->y, *data, keep);
    if (!opened) return pass(std::move(opened));
    y.emplace(std::move(*opened));
  }
  if (data->weights) {
    auto opened = target_reader::open(*data->weights, *data, keep);
    if (!opened) return pass(std::move(opened));
    weights.emplace(std::move(*opened));
  }
  return {};
}

template <class T>
result<void> panel_source<T>::state::fill_dense(row_range range, panel<T>& out) {
  out.x.resize(static_cast<std::size_t>(range.count * data->info.features));
  if (!options.statistics) return dense->read(range, out.x);
  ordered_statistics ordered(features);
  return dense->read(range, out.x,
                     [&](std::int64_t tile, std::span<const T> rows) { ordered.add(tile, rows); });
}

template <class T>
result<void> panel_source<T>::state::fill_sparse(row_range range, panel<T>& out) {
  if (!options.densify) {
    if (auto ok = sparse->read(range, out.csr); !ok) return ok;
    if (options.statistics) {
      features.add_sparse(range.count, std::span<const std::int64_t>(out.csr.columns),
                          std::span<const T>(out.csr.values));
    }
    return {};
  }
  out.x.assign(static_cast<std::size_t>(range.count * data->info.features), T{0});
  if (auto ok = sparse->read_dense(range, out.x); !ok) return ok;
  if (options.statistics) features.add(std::span<const T>(out.x));
  return {};
}

template <class T>
result<void> panel_source<T>::state::fill(row_range range, panel<T>& out) {
  out.range = range;
  features = statistics_collector(data->info.features);
  targets = statistics_collector(data->targets());
  auto ok = sparse ? fill_sparse(range, out) : fill_dense(range, out);
  if (ok && y) {
    ok = y->read(range, out.y);
    if (ok && options.statistics) targets.add(std::span<const double>(out.y));
  }
  if (ok && weights) ok = weights->read(range, out.weights);
  return ok;
}

template <class T>
result<panel_source<T>> panel_source<T>::open(const dataset& data, const panel_options& options) {
  auto all = std::make_unique<state>(data, options);
  if (auto ok = all->open(); !ok) return pass(std::move(ok), "dataset");
  return panel_source(std::move(all));
}

template <class T>
std::int64_t panel_source<T>::rows_at_once() const noexcept {
  const auto& all = *state_;
  const auto allowed = all.options.memory_bytes / 4;
  const auto bytes = std::min(panel_bytes * all.options.threads, allowed);
  const auto sides = 8 * (all.data->targets() + 1);
  const auto dense_row = all.data->info.features * static_cast<std::int64_t>(sizeof(T));
  if (!all.sparse) {
    const auto multiple = all.dense->plan().row_multiple;
    const auto whole = std::min({multiple * (dense_row + sides), most_panel_bytes, allowed});
    return panel_rows(std::max(bytes, whole), dense_row + sides, multiple);
  }
  const auto sparse_row = all.sparse->bytes_per_row();
  return panel_rows(bytes, (all.options.densify ? dense_row : 0) + sparse_row + sides, 1);
}

template <class T>
result<void> panel_source<T>::fill(row_range range, panel<T>& out) {
  try {
    if (auto ok = state_->fill(range, out); !ok) return pass(std::move(ok), "dataset");
    return {};
  } catch (const std::bad_alloc&) {
    return fail(fmt::format("dataset \"{}\": not enough memory for {} rows x {} features; use more "
                            "ranks",
                            state_->data->info.path, range.count, state_->data->info.features),
                blame::run);
  }
}

template <class T>
const statistics_collector& panel_source<T>::feature_statistics() const noexcept {
  return state_->features;
}
template <class T>
const statistics_collector& panel_source<T>::target_statistics() const noexcept {
  return state_->targets;
}

template <class T>
std::string panel_source<T>::mode_text() const {
  if (state_->dense) return plan_text(state_->dense->plan());
  return "sparse rows, " + plan_text(state_->sparse->plan());
}

template <class T>
std::int64_t panel_source<T>::stored_bytes() const noexcept {
  const auto features = state_->dense ? state_->dense->counts() : state_->sparse->counts();
  const auto of = [](const auto& side) { return side ? side->counts().stored_bytes : 0; };
  return features.stored_bytes + of(state_->y) + of(state_->weights);
}

template <class T>
std::int64_t panel_source<T>::inexact() const noexcept {
  const auto features = state_->dense ? state_->dense->counts() : state_->sparse->counts();
  return features.inexact + (state_->y ? state_->y->counts().inexact : 0);
}

template <class T>
panel_source<T>::panel_source(std::unique_ptr<state> all) : state_(std::move(all)) {}
template <class T>
panel_source<T>::panel_source(panel_source&&) noexcept = default;
template <class T>
panel_source<T>& panel_source<T>::operator=(panel_source&&) noexcept = default;
template <class T>
panel_source<T>::~panel_source() = default;

template class panel_source<float>;
template class panel_source<double>;

}  // namespace berth::apps
