#include "dataset/split_rows.hpp"

#include "data/panels.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t panel_memory = std::int64_t{64} << 20;

// Rows of a panel that go to one output.
template <class T>
struct selection {
  std::vector<T> x;
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> columns;
  std::vector<double> y;
  std::vector<double> weights;
  std::int64_t rows = 0;

  void clear() {
    x.clear();
    starts.assign(1, 0);
    columns.clear();
    y.clear();
    weights.clear();
    rows = 0;
  }
};

template <class V, class B>
void append(V& to, const B& from, std::size_t first, std::size_t count) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
}

template <class T>
void select(const dataset& data, const panel<T>& rows, std::size_t i, selection<T>& out) {
  const auto targets = static_cast<std::size_t>(data.targets());
  ++out.rows;
  if (data.csr) {
    const auto first = static_cast<std::size_t>(rows.csr.starts[i]);
    const auto count = static_cast<std::size_t>(rows.csr.starts[i + 1]) - first;
    append(out.x, rows.csr.values, first, count);
    append(out.columns, rows.csr.columns, first, count);
    out.starts.push_back(std::ssize(out.x));
  } else {
    const auto features = static_cast<std::size_t>(data.info.features);
    append(out.x, rows.x, i * features, features);
  }
  append(out.y, rows.y, i * targets, targets);
  if (data.weights) out.weights.push_back(rows.weights[i]);
}

template <class T>
result<void> write(open_output& to, const selection<T>& some) {
  if (some.rows == 0) return {};
  result<void> ok;
  if (to.writer.layout().sparse) {
    const sparse_rows<T> rows{some.starts, some.columns, some.x};
    ok = to.writer.write_features(to.row, to.entry, rows);
    to.entry += std::ssize(some.x);
  } else {
    ok = to.writer.write_features(to.row, std::span<const T>(some.x));
  }
  if (ok && !some.y.empty()) ok = to.writer.write_targets(to.row, some.y);
  if (ok && !some.weights.empty()) ok = to.writer.write_weights(to.row, some.weights);
  to.row += some.rows;
  return ok;
}

}  // namespace

template <class T>
result<void> distribute(const dataset& data, part_finder finder, row_range mine,
                        std::vector<open_output>& outputs) {
  panel_options options;
  options.memory_bytes = panel_memory;
  options.densify = false;
  options.statistics = false;
  auto stream = panel_stream<T>::open(data, mine, options);
  if (!stream) return pass(std::move(stream));
  std::vector<std::size_t> parts;
  selection<T> chosen;
  for (;;) {
    auto next = stream->next();
    if (!next) return pass(std::move(next));
    if (*next == nullptr) return {};
    const auto& rows = **next;
    const auto targets = static_cast<std::size_t>(data.targets());
    parts.clear();
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.range.count); ++i) {
      parts.push_back(finder.next(rows.y.empty() ? 0 : rows.y[i * targets]));
    }
    for (auto& output : outputs) {
      chosen.clear();
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (output.holds[parts[i]]) select(data, rows, i, chosen);
      }
      if (auto ok = write(output, chosen); !ok) return ok;
    }
  }
}

template result<void> distribute<float>(const dataset&, part_finder, row_range,
                                        std::vector<open_output>&);
template result<void> distribute<double>(const dataset&, part_finder, row_range,
                                         std::vector<open_output>&);

}  // namespace berth::apps
