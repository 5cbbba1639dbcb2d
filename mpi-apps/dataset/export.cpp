#include "dataset/export.hpp"

#include <functional>

#include "dataset/csv_rows.hpp"
#include "dataset/text_sink.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t panel_memory = std::int64_t{32} << 20;

using consumer = std::function<result<void>(std::string_view)>;

// Hands the lines of `range` to `consume`, a panel at a time.
template <class T>
result<void> stream_rows(const dataset& data, row_range range, const consumer& consume) {
  panel_options options;
  options.memory_bytes = panel_memory;
  options.statistics = false;
  auto stream = panel_stream<T>::open(data, range, options);
  if (!stream) return pass(std::move(stream));
  std::string text;
  for (;;) {
    auto rows = stream->next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) return {};
    text.clear();
    append_rows(text, data, **rows);
    if (auto ok = consume(text); !ok) return ok;
  }
}

result<void> stream_rows(const dataset& data, row_range range, const consumer& consume) {
  const auto& element = data.csr ? data.csr->data.element : data.x.element;
  const bool single = element.kind == element_kind::floating && element.bytes <= 4;
  return single ? stream_rows<float>(data, range, consume)
                : stream_rows<double>(data, range, consume);
}

}  // namespace

result<export_summary> export_dataset(const export_request& request) {
  auto data = open_dataset(request.path, request.parts);
  if (!data) return pass(std::move(data));
  auto sink = text_sink::open(request.output, request.path);
  if (!sink) return pass(std::move(sink));
  auto ok = sink->write(csv_header(*data));
  if (ok) {
    ok = stream_rows(*data, {0, data->info.rows},
                     [&](std::string_view text) { return sink->write(text); });
  }
  if (ok) ok = sink->commit();
  if (!ok) return pass(std::move(ok));
  return export_summary{data->info.rows, data->info.features + std::ssize(other_columns(*data))};
}

result<std::string> csv_head(const dataset& data, std::int64_t rows) {
  std::string text = csv_header(data);
  auto ok = stream_rows(data, {0, rows}, [&](std::string_view part) -> result<void> {
    text += part;
    return {};
  });
  if (!ok) return pass(std::move(ok));
  return text;
}

}  // namespace berth::apps
