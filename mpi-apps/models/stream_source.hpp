#pragma once
// A dataset file as the source of a least squares problem.

#include <optional>
#include <string>
#include <vector>

#include "data/panels.hpp"
#include "models/feature_map.hpp"
#include "models/least_squares.hpp"

namespace berth::apps {

struct stream_options {
  std::vector<std::string> columns;          // features to use, by name; empty: all
  std::optional<feature_names> like;         // or the features of a model
  bool weights = true;                       // use the dataset's weights where it has some
  std::optional<std::int64_t> memory_bytes;  // of the panels; nothing: panel_options' own
  std::optional<int> threads;                // that compute; nothing: threads_each()
  std::int64_t least_block = 1;              // rows of a block, at least
};

/// Streams this rank's blocks once a pass, shares of them at the same time where a pass asks for
/// it; memory stays that of the panels. Columns that single
/// precision holds exactly are read as such.
class stream_source {
 public:
  /// `data` and `comm` are borrowed. Errors: a column that the dataset does not have. The same on
  /// every rank. Collective.
  static result<stream_source> create(const communicator& comm, const dataset& data,
                                      const stream_options& options);

  /// Borrows *this.
  [[nodiscard]] row_source rows();
  /// The dataset as the model sees it: the chosen columns only.
  [[nodiscard]] const dataset_info& info() const noexcept { return info_; }
  /// Of all passes.
  [[nodiscard]] const read_facts& facts() const noexcept { return facts_; }

 private:
  stream_source(const communicator& comm, const dataset& data) : comm_(&comm), data_(&data) {}
  result<void> choose(const stream_options& options);
  [[nodiscard]] bool reads_single() const noexcept;
  [[nodiscard]] std::int64_t rows_together() const;
  [[nodiscard]] row_range mine() const;
  [[nodiscard]] double bytes_for_sums(const stream_options& options) const;
  result<void> visit_shares(std::span<const row_range> shares,
                            const std::function<void(std::size_t, const row_view&)>& see);
  result<void> read_part(row_range range, const panel_options& options, read_facts& facts,
                         const std::function<bool(const row_view&)>& see) const;
  template <class T>
  result<void> stream(row_range range, const panel_options& options, read_facts& facts,
                      const std::function<bool(const row_view&)>& see) const;
  template <class T>
  bool show(const panel<T>& rows, const std::function<bool(const row_view&)>& see) const;
  void count(const read_facts& facts);
  result<void> explain_missing();

  const communicator* comm_;
  const dataset* data_;
  dataset_info info_;
  feature_map map_;
  bool weights_ = false;
  panel_options panels_;
  int threads_ = 1;
  std::int64_t least_block_ = 1;
  double sums_bytes_ = 0;
  read_facts facts_;
};

}  // namespace berth::apps
