#include "data/array_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "data/file_bytes.hpp"
#include "data/filters.hpp"
#include "data/library_array.hpp"
#include "data/parallel.hpp"
#include "data/place.hpp"
#include "data/read_ahead.hpp"

namespace berth::apps {

namespace {

// What one worker fills at a time stays in its second-level cache until a consumer has seen it.
constexpr std::int64_t tile_bytes = std::int64_t{256} << 10;
// Of wide rows a few more, as long as they fit there at all.
constexpr std::int64_t least_rows = 64;
constexpr std::int64_t wide_tile_bytes = std::int64_t{1} << 20;
// Without a consumer and a conversion nothing is gained from small reads.
constexpr std::int64_t plain_bytes = std::int64_t{8} << 20;
// Reads below this size cost more for the call than for the copy.
constexpr std::int64_t least_piece = std::int64_t{16} << 10;
constexpr std::int64_t library_bytes = std::int64_t{64} << 20;

// In the place of an address: never written, and read as zeros, as HDF5 does by default.
constexpr std::uint64_t nowhere = UINT64_MAX;

std::uint64_t inside(const stored_chunk& chunk, std::int64_t bytes) {
  return chunk.bytes == 0 ? nowhere : chunk.address + static_cast<std::uint64_t>(bytes);
}

std::int64_t cached_rows(std::int64_t row_bytes) {
  return std::max(
      {std::int64_t{1}, tile_bytes / row_bytes, std::min(least_rows, wide_tile_bytes / row_bytes)});
}

std::int64_t overlap(row_range a, row_range b) {
  return std::max<std::int64_t>(0, std::min(a.end(), b.end()) - std::max(a.first, b.first));
}

}  // namespace

template <class T>
struct array_reader<T>::state {
  struct worker {
    buffer<std::byte> stored;
    buffer<T> numbers;
    std::optional<filter_decoder> decoder;
  };
  struct kept_band {
    std::int64_t band = -1;
    std::vector<buffer<std::byte>> chunks;  // decoded, from left to right
  };

  const array_storage* array;
  read_plan plan;
  int threads;
  bool keeps;
  std::optional<file_bytes> file;
  std::optional<library_array> library;
  std::vector<worker> workers;
  kept_band kept;
  std::optional<read_ahead> ahead;  // of narrow chunks
  std::atomic<std::int64_t> stored_bytes{0};
  std::atomic<std::int64_t> inexact{0};

  state(const array_storage& storage, int worker_count, std::int64_t keep_bytes);
  result<void> open();

  [[nodiscard]] std::int64_t columns() const { return array->columns(); }
  T* row_of(std::span<T> out, row_range range, std::int64_t row) const {
    return out.data() + (row - range.first) * columns();
  }
  std::span<std::byte> scratch(worker& mine, std::int64_t bytes) {
    mine.stored.resize(static_cast<std::size_t>(bytes));
    return mine.stored;
  }

  result<void> fetch(std::uint64_t address, std::span<std::byte> into);
  result<void> take(std::uint64_t address, const piece& shape, T* out, worker& mine);
  [[nodiscard]] std::uint64_t address_of(std::int64_t row) const;
  [[nodiscard]] std::int64_t run_length(std::int64_t row, std::int64_t rows) const;
  result<void> read_consecutive(row_range rows, T* out, worker& mine);
  result<void> gather(row_range rows, T* out, worker& mine);
  [[nodiscard]] std::int64_t tile_rows(bool consumed) const;
  result<void> read_tiles(row_range range, std::span<T> out, const row_consumer& consume);
  result<std::span<const std::byte>> decoded(std::size_t chunk, worker& mine);
  result<void> decode_chunk(std::int64_t band, std::int64_t across, row_range range,
                            std::span<T> out, worker& mine, kept_band& keep);
  result<void> read_decoded(row_range range, std::span<T> out, const row_consumer& consume);
  result<void> read_library(row_range range, std::span<T> out, const row_consumer& consume);
  result<void> show(row_range range, std::span<T> out, const row_consumer& consume);
};

template <class T>
array_reader<T>::state::state(const array_storage& storage, int worker_count,
                              std::int64_t keep_bytes)
    : array(&storage),
      plan(plan_read(storage)),
      threads(std::max(1, worker_count)),
      keeps(plan.mode == read_mode::decoded &&
            storage.chunks_across() * storage.chunk_bytes() <= keep_bytes),
      workers(static_cast<std::size_t>(threads)) {}

template <class T>
result<void> array_reader<T>::state::open() {
  if (plan.mode == read_mode::library) {
    auto opened = library_array::open(*array);
    if (!opened) return pass(std::move(opened));
    library.emplace(std::move(*opened));
    return {};
  }
  auto opened = file_bytes::open(array->file);
  if (!opened) return pass(std::move(opened));
  file.emplace(std::move(*opened));
  ahead.emplace(*array, *file);
  if (plan.mode == read_mode::decoded) {
    for (auto& each : workers) each.decoder.emplace(*array);
  }
  return {};
}

template <class T>
result<void> array_reader<T>::state::fetch(std::uint64_t address, std::span<std::byte> into) {
  if (address == nowhere) {
    std::ranges::fill(into, std::byte{0});
    return {};
  }
  stored_bytes += std::ssize(into);
  return file->read(address, into);
}

// A piece whose bytes are consecutive in the file.
template <class T>
result<void> array_reader<T>::state::take(std::uint64_t address, const piece& shape, T* out,
                                          worker& mine) {
  const auto bytes = shape.rows * shape.stride * array->element.bytes;
  if (is_native<T>(array->element) && shape.stride == columns() && shape.width == columns()) {
    return fetch(address, std::as_writable_bytes(
                              std::span(out, static_cast<std::size_t>(shape.rows * columns()))));
  }
  const auto stored = scratch(mine, bytes);
  if (auto ok = fetch(address, stored); !ok) return ok;
  piece here = shape;
  here.from = stored.data();
  inexact += place(here, array->element, out, columns(), mine.numbers);
  return {};
}

template <class T>
std::uint64_t array_reader<T>::state::address_of(std::int64_t row) const {
  const auto row_bytes = columns() * array->element.bytes;
  if (array->layout == layout_kind::contiguous) {
    return array->address + static_cast<std::uint64_t>(row * row_bytes);
  }
  const auto& chunk = array->chunks[static_cast<std::size_t>(row / array->chunk_rows)];
  return inside(chunk, row % array->chunk_rows * row_bytes);
}

// Rows from `row`, at most `rows`, that follow each other in the file, across chunks too.
template <class T>
std::int64_t array_reader<T>::state::run_length(std::int64_t row, std::int64_t rows) const {
  if (array->layout == layout_kind::contiguous) return rows;
  const auto start = address_of(row);
  const auto row_bytes = static_cast<std::uint64_t>(columns() * array->element.bytes);
  std::int64_t run = std::min(rows, array->chunk_rows - row % array->chunk_rows);
  while (run < rows &&
         address_of(row + run) == start + static_cast<std::uint64_t>(run) * row_bytes) {
    run += std::min(rows - run, array->chunk_rows);
  }
  return run;
}

template <class T>
result<void> array_reader<T>::state::read_consecutive(row_range rows, T* out, worker& mine) {
  for (std::int64_t done = 0; done < rows.count;) {
    const auto run = run_length(rows.first + done, rows.count - done);
    const piece shape{nullptr, run, columns(), columns()};
    auto ok = take(address_of(rows.first + done), shape, out + done * columns(), mine);
    if (!ok) return ok;
    done += run;
  }
  return {};
}

template <class T>
result<void> array_reader<T>::state::gather(row_range rows, T* out, worker& mine) {
  const auto across = array->chunks_across();
  for (std::int64_t done = 0; done < rows.count;) {
    const auto row = rows.first + done;
    const auto band = row / array->chunk_rows;
    const auto skip = row % array->chunk_rows;
    const auto count = std::min(rows.count - done, array->chunk_rows - skip);
    ahead->reach(band);
    for (std::int64_t i = 0; i < across; ++i) {
      const auto column = i * array->chunk_columns;
      const piece shape{nullptr, count, array->chunk_columns,
                        std::min(array->chunk_columns, columns() - column)};
      const auto& chunk = array->chunks[static_cast<std::size_t>(band * across + i)];
      const auto before = skip * array->chunk_columns * array->element.bytes;
      auto ok = take(inside(chunk, before), shape, out + done * columns() + column, mine);
      if (!ok) return ok;
    }
    done += count;
  }
  return {};
}

template <class T>
std::int64_t array_reader<T>::state::tile_rows(bool consumed) const {
  const auto row_bytes = columns() * static_cast<std::int64_t>(sizeof(T));
  if (plan.mode == read_mode::gathered) {
    const auto piece_row = array->chunk_columns * array->element.bytes;
    return std::max(cached_rows(row_bytes), std::min(least_piece / piece_row, array->chunk_rows));
  }
  const bool copied = consumed || !is_native<T>(array->element);
  return copied ? cached_rows(row_bytes) : std::max<std::int64_t>(1, plain_bytes / row_bytes);
}

template <class T>
result<void> array_reader<T>::state::read_tiles(row_range range, std::span<T> out,
                                                const row_consumer& consume) {
  const auto step = tile_rows(static_cast<bool>(consume));
  if (plan.mode == read_mode::gathered) ahead->begin(range.first / array->chunk_rows);
  return parallel_for((range.count + step - 1) / step, threads, [&](std::int64_t job, int at) {
    const auto first = range.first + job * step;
    const row_range tile{first, std::min(step, range.end() - first)};
    auto& mine = workers[static_cast<std::size_t>(at)];
    T* const to = row_of(out, range, first);
    auto ok =
        plan.mode == read_mode::direct ? read_consecutive(tile, to, mine) : gather(tile, to, mine);
    if (ok && consume) {
      consume(job, std::span<const T>(to, static_cast<std::size_t>(tile.count * columns())));
    }
    return ok;
  });
}

template <class T>
result<std::span<const std::byte>> array_reader<T>::state::decoded(std::size_t chunk,
                                                                   worker& mine) {
  const auto& where = array->chunks[chunk];
  if (where.bytes == 0) {
    const auto zeros = scratch(mine, array->chunk_bytes());
    std::ranges::fill(zeros, std::byte{0});
    return zeros;
  }
  const auto stored = scratch(mine, where.bytes);
  if (auto ok = fetch(where.address, stored); !ok) return pass(std::move(ok));
  return mine.decoder->decode(stored, where.skipped);
}

template <class T>
result<void> array_reader<T>::state::decode_chunk(std::int64_t band, std::int64_t across,
                                                  row_range range, std::span<T> out, worker& mine,
                                                  kept_band& keep) {
  const auto at = static_cast<std::size_t>(across);
  const row_range rows{band * array->chunk_rows, array->chunk_rows};
  const auto column = across * array->chunk_columns;
  std::span<const std::byte> data;
  if (band == kept.band) {
    data = kept.chunks[at];
  } else {
    auto got = decoded(static_cast<std::size_t>(band * array->chunks_across() + across), mine);
    if (!got) {
      return pass(std::move(got),
                  fmt::format("\"{}\": {}: chunk of rows {} to {}, columns {} to {}", array->file,
                              array->path, rows.first + 1, std::min(rows.end(), array->rows()),
                              column + 1, std::min(column + array->chunk_columns, columns())));
    }
    data = *got;
  }
  const auto first = std::max(rows.first, range.first);
  const auto skip = (first - rows.first) * array->chunk_columns * array->element.bytes;
  const piece shape{data.data() + skip, overlap(rows, range), array->chunk_columns,
                    std::min(array->chunk_columns, columns() - column)};
  inexact +=
      place(shape, array->element, row_of(out, range, first) + column, columns(), mine.numbers);
  if (band == keep.band) keep.chunks[at].assign(data.begin(), data.end());
  return {};
}

template <class T>
result<void> array_reader<T>::state::read_decoded(row_range range, std::span<T> out,
                                                  const row_consumer& consume) {
  const auto across = array->chunks_across();
  const auto first = range.first / array->chunk_rows;
  const auto last = (range.end() - 1) / array->chunk_rows;
  kept_band keep;
  if (keeps && range.end() < std::min((last + 1) * array->chunk_rows, array->rows())) {
    keep.band = last;
    keep.chunks.resize(static_cast<std::size_t>(across));
  }
  auto ok = parallel_for((last - first + 1) * across, threads, [&](std::int64_t job, int at) {
    return decode_chunk(first + job / across, job % across, range, out,
                        workers[static_cast<std::size_t>(at)], keep);
  });
  kept = std::move(keep);
  return ok ? show(range, out, consume) : std::move(ok);
}

template <class T>
result<void> array_reader<T>::state::read_library(row_range range, std::span<T> out,
                                                  const row_consumer& consume) {
  const auto row_bytes = columns() * std::max(array->element.bytes, std::int64_t{8});
  const auto step = std::max<std::int64_t>(1, library_bytes / row_bytes);
  for (auto first = range.first; first < range.end(); first += step) {
    const row_range rows{first, std::min(step, range.end() - first)};
    const std::span<T> part(row_of(out, range, first),
                            static_cast<std::size_t>(rows.count * columns()));
    auto got = library->read(rows, part);
    if (!got) return pass(std::move(got));
    inexact += *got;
    stored_bytes += rows.count * columns() * array->element.bytes;
  }
  return show(range, out, consume);
}

template <class T>
result<void> array_reader<T>::state::show(row_range range, std::span<T> out,
                                          const row_consumer& consume) {
  if (!consume) return {};
  const auto row_bytes = columns() * static_cast<std::int64_t>(sizeof(T));
  const auto step = cached_rows(row_bytes);
  return parallel_for((range.count + step - 1) / step, threads, [&](std::int64_t job, int) {
    const auto first = range.first + job * step;
    const auto rows = std::min(step, range.end() - first);
    consume(job, std::span<const T>(row_of(out, range, first),
                                    static_cast<std::size_t>(rows * columns())));
    return result<void>();
  });
}

template <class T>
result<array_reader<T>> array_reader<T>::open(const array_storage& array, int threads,
                                              std::int64_t keep_bytes) {
  auto all = std::make_unique<state>(array, threads, keep_bytes);
  if (auto ok = all->open(); !ok) return pass(std::move(ok));
  return array_reader(std::move(all));
}

template <class T>
array_reader<T>::array_reader(std::unique_ptr<state> all) : state_(std::move(all)) {}
template <class T>
array_reader<T>::array_reader(array_reader&&) noexcept = default;
template <class T>
array_reader<T>& array_reader<T>::operator=(array_reader&&) noexcept = default;
template <class T>
array_reader<T>::~array_reader() = default;

template <class T>
result<void> array_reader<T>::read(row_range range, std::span<T> out, const row_consumer& consume) {
  if (range.count == 0) return {};
  switch (state_->plan.mode) {
    case read_mode::decoded:
      return state_->read_decoded(range, out, consume);
    case read_mode::library:
      return state_->read_library(range, out, consume);
    default:
      return state_->read_tiles(range, out, consume);
  }
}

template <class T>
const read_plan& array_reader<T>::plan() const noexcept {
  return state_->plan;
}

template <class T>
read_counts array_reader<T>::counts() const noexcept {
  return {state_->stored_bytes, state_->inexact};
}

template class array_reader<float>;
template class array_reader<double>;
template class array_reader<std::int64_t>;

}  // namespace berth::apps
