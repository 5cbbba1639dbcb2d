#pragma once
// dataset import: a table, sparse rows, images or another HDF5 layout become an HDF5 dataset.

#include <string>
#include <vector>

#include "common/mpi.hpp"
#include "data/writer.hpp"
#include "import/progress.hpp"
#include "import/source_file.hpp"
#include "import/table_survey.hpp"

namespace berth::apps {

enum class source_format { csv, libsvm, idx, hdf5 };
enum class sparsity { automatic, sparse, dense };

struct import_request {
  std::string source;  // "-": standard input
  std::string output;
  std::optional<source_format> format;  // recognised by content when absent
  table_options table;
  bool target_needed = true;  // tables without a target are refused
  std::string labels;         // IDX: the file of labels; empty: none
  std::int64_t features = 0;  // LIBSVM: how many; 0: as many as occur
  std::string features_path;  // HDF5: of X and y, discovered when empty
  std::string target_path;
  precision values = precision::f64;
  sparsity layout = sparsity::automatic;  // sparse for words and LIBSVM, else dense
  bool digest = true;
  int threads = 1;  // of each rank
  progress_use progress = progress_use::terminal;
};

/// What became of one column of the source.
struct imported_column {
  std::string name;
  std::string type;  // kind_name(), or "target", "weights"
  std::int64_t features = 0;
  std::int64_t missing = 0;
};

struct import_summary {
  std::string format;  // "CSV", "LIBSVM", "IDX", "HDF5"
  std::int64_t rows = 0;
  std::int64_t dropped = 0;
  dataset_layout layout;
  std::vector<imported_column> columns;  // of tables
  std::vector<std::string> single;       // columns of one level, left out
  std::vector<std::string> empty;        // columns without a value, left out
  std::int64_t source_bytes = 0;         // as text, unpacked
  double seconds = 0;
};

/// Memory does not depend on the size of the source; the output is the same for any number of
/// ranks and threads, and appears whole or not at all. Collective, agreed.
result<import_summary> import_dataset(const communicator& comm, const import_request& request);

/// What was imported, left out and dropped; several lines, each ended.
std::string summary_text(const import_request& request, const import_summary& done);
std::string summary_json(const import_request& request, const import_summary& done);

// One importer per format. `shown` is where progress goes. Collective, agreed. The writer is
// returned uncommitted.

struct import_output {
  import_summary summary;
  dataset_writer writer;
};

result<import_output> import_csv(const communicator& comm, const import_request& request,
                                 const source_file& source, progress_line& shown);
result<import_output> import_libsvm(const communicator& comm, const import_request& request,
                                    const source_file& source, progress_line& shown);
result<import_output> import_idx(const communicator& comm, const import_request& request,
                                 const source_file& source, progress_line& shown);
/// The target of the request is a path in the file; discovered when there is none.
result<import_output> import_hdf5(const communicator& comm, const import_request& request,
                                  const source_file& source, progress_line& shown);

}  // namespace berth::apps
