#include "data/csr_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::apps {

namespace {

constexpr std::int64_t dense_rows_at_once = 4096;

}  // namespace

template <class T>
result<csr_reader<T>> csr_reader<T>::open(const csr_storage& from, const dataset_info& info,
                                          int threads, std::int64_t keep_bytes) {
  auto values = array_reader<T>::open(from.data, threads, keep_bytes);
  if (!values) return pass(std::move(values));
  auto columns = array_reader<std::int64_t>::open(from.indices, threads, keep_bytes);
  if (!columns) return pass(std::move(columns));
  auto starts = array_reader<std::int64_t>::open(from.indptr, 1, keep_bytes);
  if (!starts) return pass(std::move(starts));
  return csr_reader(from, info, std::move(*values), std::move(*columns), std::move(*starts));
}

template <class T>
result<void> csr_reader<T>::read_starts(row_range range, buffer<std::int64_t>& out) {
  out.resize(static_cast<std::size_t>(range.count) + 1);
  if (auto ok = starts_.read({range.first, range.count + 1}, out); !ok) return ok;
  const auto broken = std::ranges::is_sorted_until(out);
  if (broken == out.end() && out.front() >= 0 && out.back() <= from_->data.rows()) return {};
  const auto row = range.first + std::max<std::int64_t>(0, broken - out.begin() - 2) + 1;
  return fail(
      fmt::format("\"{}\": {}: row {} does not lie within the {} stored elements; the file "
                  "is damaged",
                  from_->indptr.file, from_->indptr.path, broken == out.end() ? range.end() : row,
                  from_->data.rows()));
}

template <class T>
result<void> csr_reader<T>::read(row_range range, csr_rows<T>& out) {
  if (auto ok = read_starts(range, out.starts); !ok) return ok;
  const auto first = out.starts.front();
  const row_range stored{first, out.starts.back() - first};
  out.columns.resize(static_cast<std::size_t>(stored.count));
  out.values.resize(static_cast<std::size_t>(stored.count));
  if (auto ok = columns_.read(stored, out.columns); !ok) return ok;
  if (auto ok = values_.read(stored, out.values); !ok) return ok;
  for (auto& start : out.starts) start -= first;
  const auto beyond = std::ranges::find_if(
      out.columns, [&](std::int64_t column) { return column < 0 || column >= info_->features; });
  if (beyond == out.columns.end()) return {};
  const auto row = std::ranges::upper_bound(out.starts, beyond - out.columns.begin());
  return fail(fmt::format("\"{}\": {}: row {} has column {}, but there are {} features",
                          from_->indices.file, from_->indices.path,
                          range.first + (row - out.starts.begin()), *beyond, info_->features));
}

template <class T>
result<void> csr_reader<T>::read_dense(row_range range, std::span<T> out) {
  csr_rows<T> rows;
  for (std::int64_t done = 0; done < range.count; done += dense_rows_at_once) {
    const row_range part{range.first + done, std::min(dense_rows_at_once, range.count - done)};
    if (auto ok = read(part, rows); !ok) return ok;
    for (std::int64_t i = 0; i < part.count; ++i) {
      T* const row = out.data() + (done + i) * info_->features;
      for (auto k = rows.starts[static_cast<std::size_t>(i)];
           k < rows.starts[static_cast<std::size_t>(i) + 1]; ++k) {
        row[rows.columns[static_cast<std::size_t>(k)]] += rows.values[static_cast<std::size_t>(k)];
      }
    }
  }
  return {};
}

template <class T>
std::int64_t csr_reader<T>::bytes_per_row() const noexcept {
  const auto each = static_cast<std::int64_t>(sizeof(T) + sizeof(std::int64_t));
  return 8 + each * (1 + from_->data.rows() / std::max<std::int64_t>(1, info_->rows));
}

template <class T>
read_counts csr_reader<T>::counts() const noexcept {
  const auto v = values_.counts();
  const auto c = columns_.counts();
  return {v.stored_bytes + c.stored_bytes + starts_.counts().stored_bytes, v.inexact};
}

template class csr_reader<float>;
template class csr_reader<double>;

}  // namespace berth::apps
