#include "dataset/split_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "common/collective.hpp"
#include "data/array_reader.hpp"
#include "data/target_reader.hpp"
#include "dataset/label_counter.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t rows_at_once = std::int64_t{1} << 18;
constexpr std::int64_t keep_bytes = std::int64_t{8} << 20;

using row_consumer = std::function<result<void>(std::span<const double> labels, row_range rows)>;

// Calls `consume` with the labels of all rows of `mine`, or with none where they are not wanted.
result<void> for_each_row(const dataset& data, bool labels, row_range mine,
                          const row_consumer& consume) {
  std::optional<target_reader> reader;
  if (labels) {
    auto opened = target_reader::open(*data.y, data, keep_bytes);
    if (!opened) return pass(std::move(opened));
    reader.emplace(std::move(*opened));
  }
  buffer<double> y;
  for (auto first = mine.first; first < mine.end(); first += rows_at_once) {
    const row_range rows{first, std::min(rows_at_once, mine.end() - first)};
    if (reader) {
      if (auto ok = reader->read(rows, y); !ok) return ok;
    }
    if (auto ok = consume(y, rows); !ok) return ok;
  }
  return {};
}

failure too_many_labels(const dataset& data) {
  return fail(
      fmt::format("dataset \"{}\": target \"{}\" has more than {} values; --stratify is for "
                  "classes",
                  data.info.path, data.info.target, label_counter::limit));
}

result<std::map<double, std::int64_t>> count_labels(const dataset& data, row_range mine) {
  std::map<double, std::int64_t> counts;
  auto ok = for_each_row(
      data, true, mine, [&](std::span<const double> y, row_range rows) -> result<void> {
        for (std::size_t i = 0; i < y.size(); ++i) {
          if (!std::isfinite(y[i])) {
            return fail(fmt::format(
                "dataset \"{}\": target \"{}\" has no label in row {}, which "
                "--stratify needs",
                data.info.path, data.info.target, rows.first + static_cast<std::int64_t>(i) + 1));
          }
          ++counts[y[i] + 0.0];
        }
        if (counts.size() <= label_counter::limit) return {};
        return too_many_labels(data);
      });
  if (!ok) return pass(std::move(ok));
  return counts;
}

// All labels that any rank has, ascending, on every rank.
std::vector<double> all_labels(const communicator& comm,
                               const std::map<double, std::int64_t>& mine) {
  std::string bytes;
  for (const auto& [label, count] : mine) {
    bytes.append(reinterpret_cast<const char*>(&label), sizeof label);
  }
  std::string joined;
  for (const auto& part : comm.gather(bytes)) joined += part;
  comm.broadcast(joined);
  std::vector<double> labels(joined.size() / sizeof(double));
  std::copy_n(joined.data(), joined.size(), reinterpret_cast<char*>(labels.data()));
  std::ranges::sort(labels);
  const auto tail = std::ranges::unique(labels);
  labels.erase(tail.begin(), tail.end());
  return labels;
}

result<void> check_stratify(const dataset& data) {
  if (data.targets() == 1) return {};
  return fail(fmt::format(
      "dataset \"{}\": --stratify needs one target, but {}", data.info.path,
      data.y ? fmt::format("{} has {}", data.y->path, data.targets()) : "there is none"));
}

}  // namespace

result<part_finder> part_finder::prepare(const communicator& comm, const dataset& data,
                                         const split_request& request, row_range mine) {
  part_finder finder;
  finder.stratified_ = request.stratify;
  if (!request.stratify) {
    finder.groups_.emplace(0, group{split_group(request, 0, data.info.rows), mine.first});
    return finder;
  }
  if (auto ok = check_stratify(data); !ok) return pass(std::move(ok));
  auto counted = agree(comm, count_labels(data, mine));
  if (!counted) return pass(std::move(counted));
  const auto labels = all_labels(comm, *counted);
  if (labels.size() > label_counter::limit) return too_many_labels(data);
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<std::int64_t> table(labels.size() * ranks, 0);
  for (std::size_t k = 0; k < labels.size(); ++k) {
    const auto at = counted->find(labels[k]);
    table[k * ranks + static_cast<std::size_t>(comm.rank())] =
        at == counted->end() ? 0 : at->second;
  }
  comm.sum(std::span<std::int64_t>(table));
  for (std::size_t k = 0; k < labels.size(); ++k) {
    std::int64_t before = 0;
    std::int64_t all = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      if (rank == static_cast<std::size_t>(comm.rank())) before = all;
      all += table[k * ranks + rank];
    }
    finder.groups_.emplace(labels[k],
                           group{split_group(request, static_cast<std::int64_t>(k), all), before});
  }
  return finder;
}

std::size_t part_finder::next(double label) {
  auto& own = groups_.at(stratified_ ? label + 0.0 : 0);
  return own.parts.of(own.index++);
}

result<std::vector<part_counts>> count_parts(const communicator& comm, const dataset& data,
                                             part_finder finder, std::size_t parts,
                                             row_range mine) {
  const auto stride = 2 * parts;
  std::vector<std::int64_t> table(stride * static_cast<std::size_t>(comm.size()), 0);
  const auto own = std::span(table).subspan(stride * static_cast<std::size_t>(comm.rank()), stride);
  std::optional<array_reader<std::int64_t>> starts;
  result<void> ok;
  if (data.csr) {
    auto opened = array_reader<std::int64_t>::open(data.csr->indptr, 1, keep_bytes);
    if (opened) starts.emplace(std::move(*opened));
    if (!opened) ok = pass(std::move(opened));
  }
  buffer<std::int64_t> at;
  const auto count = [&](std::span<const double> y, row_range rows) -> result<void> {
    if (starts) {
      at.resize(static_cast<std::size_t>(rows.count + 1));
      if (auto read = starts->read({rows.first, rows.count + 1}, at); !read) return read;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.count); ++i) {
      const auto part = finder.next(y.empty() ? 0 : y[i]);
      ++own[2 * part];
      if (starts) own[2 * part + 1] += at[i + 1] - at[i];
    }
    return {};
  };
  if (ok) ok = for_each_row(data, finder.is_stratified(), mine, count);
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  comm.sum(std::span<std::int64_t>(table));
  std::vector<part_counts> counts(static_cast<std::size_t>(comm.size()));
  for (std::size_t k = 0; k < table.size(); k += 2) {
    counts[k / stride].rows.push_back(table[k]);
    counts[k / stride].entries.push_back(table[k + 1]);
  }
  return counts;
}

}  // namespace berth::apps
