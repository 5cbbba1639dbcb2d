#pragma once
// Rows of a dataset as a stream of panels: the next panel is read by a thread of its own while the
// caller computes with the last.

#include <memory>
#include <string>

#include "data/panel_source.hpp"

namespace berth::apps {

/// How rows were read, for --verbose.
struct read_facts {
  std::string mode;               // plan_text() of the features
  std::int64_t stored_bytes = 0;  // taken from the file
  std::int64_t value_bytes = 0;   // delivered
  double read_seconds = 0;        // that the reading thread worked
  double wait_seconds = 0;        // that the caller waited for it
  std::int64_t inexact = 0;       // integers beyond 2^53 (2^24 as float), which may be rounded
};

/// Reads `range` of an open dataset. Not collective: each process streams what it wants, alone.
/// HDF5 itself is called by the reading thread only for arrays of read_mode::library, under
/// hdf5_lock(); a caller that uses HDF5 between next() calls takes that lock.
template <class T>
class panel_stream {
 public:
  /// Opens the file and starts reading. `data` is borrowed and must outlive the stream.
  /// Errors: the file cannot be opened.
  static result<panel_stream> open(const dataset& data, row_range range,
                                   const panel_options& options = {});
  panel_stream(panel_stream&&) noexcept;
  panel_stream& operator=(panel_stream&&) noexcept;
  ~panel_stream();

  /// The next panel in row order, null at the end; valid until the next call. An empty range ends
  /// at once. Errors: see panel_source::fill().
  result<const panel<T>*> next();

  /// Of the panels that next() returned.
  [[nodiscard]] const statistics_collector& feature_statistics() const noexcept;
  [[nodiscard]] const statistics_collector& target_statistics() const noexcept;
  [[nodiscard]] const read_facts& facts() const noexcept;

 private:
  struct state;
  explicit panel_stream(std::unique_ptr<state> all);
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
