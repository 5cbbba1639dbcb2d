#pragma once
// Fills panels with rows of a dataset, in the calling thread and its helpers.

#include <memory>

#include "data/dataset.hpp"
#include "data/panel.hpp"
#include "data/statistics.hpp"

namespace berth::apps {

struct panel_options {
  /// All panels and scratch of a stream together. Chunks with filters of which a band does not fit
  /// into half of it are decoded once for every panel that has rows of theirs.
  std::int64_t memory_bytes = std::int64_t{256} << 20;
  int threads = 0;         // that copy and decode; 0: as many as this process has CPUs
  bool densify = true;     // sparse features as dense panels
  bool statistics = true;  // gather statistics of features and targets
};

/// T is float or double. One caller at a time.
template <class T>
class panel_source {
 public:
  /// `data` is borrowed. Errors: the file cannot be opened.
  static result<panel_source> open(const dataset& data, const panel_options& options);
  panel_source(panel_source&&) noexcept;
  panel_source& operator=(panel_source&&) noexcept;
  ~panel_source();

  /// Rows of a panel that suits the memory, the cache and the chunks.
  [[nodiscard]] std::int64_t rows_at_once() const noexcept;
  /// Reads `range` into `out`, whose memory is reused. Errors: reading or decoding (rows given),
  /// CSR arrays that contradict themselves, a text that is no level, not enough memory.
  result<void> fill(row_range range, panel<T>& out);

  /// Of the rows of the last fill().
  [[nodiscard]] const statistics_collector& feature_statistics() const noexcept;
  [[nodiscard]] const statistics_collector& target_statistics() const noexcept;

  [[nodiscard]] std::string mode_text() const;
  [[nodiscard]] std::int64_t stored_bytes() const noexcept;
  [[nodiscard]] std::int64_t inexact() const noexcept;

 private:
  struct state;
  explicit panel_source(std::unique_ptr<state> all);
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
