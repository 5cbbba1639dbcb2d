#include "dataset/check_scan.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <sstream>

#include "common/collective.hpp"
#include "data/read_rows.hpp"

namespace berth::apps {

namespace {

using rows_panel = panel<double>;

// Adding 1 to the exponent of NaN and infinity, and of no other number, reaches the sign bit: a
// test without branches, one pass at the speed of memory.
bool some_missing(std::span<const double> values) noexcept {
  constexpr std::uint64_t exponent = 0x7FF0000000000000U;
  constexpr std::uint64_t one = 0x0010000000000000U;
  std::uint64_t carried = 0;
  for (const double value : values) {
    carried |= (std::bit_cast<std::uint64_t>(value) & exponent) + one;
  }
  return carried >> 63 != 0;
}

class scanner {
 public:
  explicit scanner(const dataset& data)
      : features_(data.info.features),
        targets_(data.targets()),
        digests_(static_cast<std::size_t>(features_)),
        target_digests_(static_cast<std::size_t>(targets_)) {
    facts_.fractions.resize(static_cast<std::size_t>(features_), 0);
  }

  void add(const rows_panel& rows) {
    const bool sparse = !rows.csr.starts.empty();
    if (sparse) {
      add_sparse(rows);
    } else {
      digests_.add<double>(rows.range.first, rows.x);
      count_fractions(rows.x);
    }
    target_digests_.add<double>(rows.range.first, rows.y);
    count_labels(rows);
    for (const double weight : rows.weights) count_weight(weight);
    if (!some_missing(rows.x) && !some_missing(rows.csr.values) && !some_missing(rows.y)) return;
    for (std::int64_t i = 0; i < rows.range.count; ++i) look_at(rows, i);
  }

  scan_facts finish(const communicator& comm, const panel_stream<double>& stream) {
    merge_bad_rows(comm);
    auto features = stream.feature_statistics();
    auto targets = stream.target_statistics();
    features.merge(comm);
    targets.merge(comm);
    facts_.features = features.columns();
    facts_.targets = targets.columns();
    digests_.merge(comm);
    target_digests_.merge(comm);
    facts_.digests = digests_.columns();
    facts_.digests.insert(facts_.digests.end(), target_digests_.columns().begin(),
                          target_digests_.columns().end());
    comm.sum(std::span<std::int64_t>(facts_.fractions));
    facts_.labels.merge(comm);
    facts_.read = stream.facts();
    std::vector<std::int64_t> counts{facts_.weights.negative, facts_.weights.missing,
                                     facts_.weights.zero, facts_.stored_zeros, facts_.read.inexact};
    comm.sum(std::span<std::int64_t>(counts));
    facts_.weights = {counts[0], counts[1], counts[2]};
    facts_.stored_zeros = counts[3];
    facts_.inexact = counts[4];
    return std::move(facts_);
  }

 private:
  void add_sparse(const rows_panel& rows) {
    for (std::int64_t i = 0; i < rows.range.count; ++i) {
      const auto begin = static_cast<std::size_t>(rows.csr.starts[static_cast<std::size_t>(i)]);
      const auto end = static_cast<std::size_t>(rows.csr.starts[static_cast<std::size_t>(i) + 1]);
      digests_.add_sparse<double>(rows.range.first + i,
                                  std::span(rows.csr.columns).subspan(begin, end - begin),
                                  std::span(rows.csr.values).subspan(begin, end - begin));
    }
    for (std::size_t k = 0; k < rows.csr.values.size(); ++k) {
      const double value = rows.csr.values[k];
      facts_.stored_zeros += value == 0;
      facts_.fractions[static_cast<std::size_t>(rows.csr.columns[k])] += value != std::trunc(value);
    }
  }

  void count_fractions(std::span<const double> x) {
    const auto width = facts_.fractions.size();
    for (std::size_t at = 0; at < x.size(); at += width) {
      for (std::size_t j = 0; j < width; ++j) {
        // Cheaper than trunc(), and what does not fit is whole.
        const double value = std::abs(x[at + j]) < 0x1p31 ? x[at + j] : 0;
        facts_.fractions[j] += value != static_cast<double>(static_cast<std::int32_t>(value));
      }
    }
  }

  void count_labels(const rows_panel& rows) {
    if (targets_ <= 1) return facts_.labels.add(rows.range.first, rows.y);
    std::vector<double> first;
    for (std::size_t at = 0; at < rows.y.size(); at += static_cast<std::size_t>(targets_)) {
      first.push_back(rows.y[at]);
    }
    facts_.labels.add(rows.range.first, first);
  }

  void count_weight(double weight) {
    facts_.weights.missing += !std::isfinite(weight);
    facts_.weights.negative += weight < 0;
    facts_.weights.zero += weight == 0;
  }

  void look_at(const rows_panel& rows, std::int64_t i) {
    bad_row bad{rows.range.first + i, {}};
    const auto note = [&](std::int64_t column, double value) {
      if (!std::isfinite(value)) bad.columns.push_back(column);
    };
    if (rows.csr.starts.empty()) {
      for (std::int64_t j = 0; j < features_; ++j) {
        note(j, rows.x[static_cast<std::size_t>(i * features_ + j)]);
      }
    } else {
      const auto end = rows.csr.starts[static_cast<std::size_t>(i) + 1];
      for (auto k = rows.csr.starts[static_cast<std::size_t>(i)]; k < end; ++k) {
        const auto at = static_cast<std::size_t>(k);
        note(rows.csr.columns[at], rows.csr.values[at]);
      }
    }
    for (std::int64_t j = 0; j < targets_; ++j) {
      note(features_ + j, rows.y[static_cast<std::size_t>(i * targets_ + j)]);
    }
    if (bad.columns.empty()) return;
    ++facts_.bad_rows;
    if (bad.columns.size() > most_columns) bad.columns.resize(most_columns);
    if (facts_.first_bad_rows.size() < scan_facts::most_bad_rows) {
      facts_.first_bad_rows.push_back(std::move(bad));
    }
  }

  // Ranks hold consecutive rows: the first of all are those of the first ranks that have any.
  void merge_bad_rows(const communicator& comm) {
    std::string text;
    for (const auto& bad : facts_.first_bad_rows) {
      text += fmt::format("{} {}", bad.row, bad.columns.size());
      for (const auto column : bad.columns) text += fmt::format(" {}", column);
      text += ' ';
    }
    std::array<std::int64_t, 1> count{facts_.bad_rows};
    comm.sum(std::span<std::int64_t>(count));
    facts_.bad_rows = count[0];
    const auto all = comm.gather(text);
    if (!comm.is_root()) return;
    facts_.first_bad_rows.clear();
    for (const auto& part : all) {
      std::istringstream in(part);
      std::size_t columns = 0;
      for (bad_row bad; in >> bad.row >> columns;) {
        bad.columns.resize(columns);
        for (auto& column : bad.columns) in >> column;
        if (facts_.first_bad_rows.size() < scan_facts::most_bad_rows) {
          facts_.first_bad_rows.push_back(bad);
        }
      }
    }
  }

  static constexpr std::size_t most_columns = 4;
  std::int64_t features_;
  std::int64_t targets_;
  column_digests digests_;
  column_digests target_digests_;
  scan_facts facts_;
};

}  // namespace

result<scan_facts> scan_dataset(const communicator& comm, const dataset& data,
                                std::int64_t memory_bytes) {
  panel_options options;
  options.memory_bytes = memory_bytes;
  options.densify = false;
  const auto mine = partition_of(data, comm.size()).of(comm.rank());
  auto stream = agree(comm, panel_stream<double>::open(data, mine, options));
  if (!stream) return pass(std::move(stream));
  scanner scan(data);
  result<void> ok;
  for (;;) {
    auto rows = stream->next();
    if (!rows) ok = pass(std::move(rows));
    if (!ok || *rows == nullptr) break;
    scan.add(**rows);
  }
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  return scan.finish(comm, *stream);
}

}  // namespace berth::apps
