#pragma once
// Writes a dataset file from many ranks at once, whole or not at all.
//
// Rank 0 creates the file with HDF5 under a temporary name, with storage for every chunk allocated
// but not filled, and tells the others where each chunk is. The ranks then write the bytes of their
// rows with pwrite(): no messages, no locks, no MPI-IO, and the same bytes for any number of ranks.
// Chunks have the full width of X, so that consecutive rows are consecutive bytes.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace berth::apps {

enum class precision { f32, f64 };

/// One column of /y.
struct target_layout {
  std::string name;
  std::vector<std::string> levels;  // texts that 0, 1, ... stand for; empty for numbers
};

/// The shape and the names of a dataset, the same on all ranks before the first row is written.
struct dataset_layout {
  std::int64_t rows = 0;
  std::int64_t features = 0;
  precision values = precision::f64;          // of /X; /y and /weights are always float64
  bool sparse = false;                        // /X is a CSR group as AnnData and SciPy lay it out
  std::int64_t entries = 0;                   // stored values of sparse X
  std::vector<std::string> feature_names;     // one per feature, or none
  std::vector<std::string> reference_levels;  // "column=level" of the levels left out
  /// More lists on /X for readers who ask how a feature was made: attribute name, texts.
  std::vector<std::pair<std::string, std::vector<std::string>>> notes;
  std::vector<target_layout> targets;  // none: no /y; one: /y [rows]; more: /y [rows, targets]
  bool weights = false;                // /weights [rows]
  std::string weights_name;            // where they come from; may be empty
};

/// Sparse rows: row i has [starts[i], starts[i + 1]) of columns and values; starts[0] is 0.
template <class T>
struct sparse_rows {
  std::span<const std::int64_t> starts;   // rows + 1
  std::span<const std::int64_t> columns;  // ascending within a row
  std::span<const T> values;
};

class dataset_writer {
 public:
  /// `inputs` are files that `path` must not be. Collective, agreed. Errors: output cannot be
  /// written, no rows or no features, no space, sizes that HDF5 chunks cannot have.
  static result<dataset_writer> create(const communicator& comm, const std::string& path,
                                       dataset_layout layout,
                                       const std::vector<std::string>& inputs = {});
  dataset_writer(dataset_writer&&) noexcept;
  dataset_writer& operator=(dataset_writer&&) = delete;
  /// Removes the temporary file unless commit() succeeded.
  ~dataset_writer();

  [[nodiscard]] const dataset_layout& layout() const noexcept;
  /// Rows of a chunk of dense X: panels that begin and end at multiples are written fastest.
  [[nodiscard]] std::int64_t chunk_rows() const noexcept;

  // Any rank writes any rows in any order, each row once. Independent. T is float or double and is
  // converted to the layout's precision. Errors: out of space, input/output.

  /// Rows [first, first + x.size() / features) of dense X, row-major. @pre !layout().sparse
  template <class T>
  result<void> write_features(std::int64_t first, std::span<const T> x);
  /// Rows from `first` of sparse X, whose stored values begin at `first_entry` of all stored
  /// values: the number in the rows before. @pre layout().sparse
  template <class T>
  result<void> write_features(std::int64_t first, std::int64_t first_entry,
                              const sparse_rows<T>& rows);
  /// Row-major rows x targets.
  result<void> write_targets(std::int64_t first, std::span<const double> y);
  result<void> write_weights(std::int64_t first, std::span<const double> weights);

  /// Attributes of the file, such as "source"; kept until commit(). Rank 0's count.
  void set(const std::string& name, std::string text);
  void set(const std::string& name, std::int64_t number);
  /// A small float64 array beside the data, such as "truth/coefficients", whose group is created;
  /// kept until commit(). Rank 0's count. @pre values.size() is the product of `shape`
  void add_array(const std::string& name, std::vector<std::int64_t> shape,
                 std::vector<double> values);

  /// Adds "created" (SOURCE_DATE_EPOCH where set) and, unless set, "created_by" berth dataset;
  /// syncs, and renames to `path`. Collective, agreed. @pre every row was written
  result<void> commit();

 private:
  struct state;
  explicit dataset_writer(std::unique_ptr<state> made);
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
