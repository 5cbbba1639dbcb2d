#pragma once
// The sums of a long pass over the rows, kept in a file so that another run can go on from there.
//
// The file holds the nodes of the block tree (gram/block_tree.hpp) that are finished on any rank.
// Nodes depend on the rows' numbers alone: a run on other ranks takes them as they are, shares the
// blocks that are missing, and ends with the same bits as a run that was never stopped.

#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "models/least_squares.hpp"
#include "models/log_sum.hpp"

namespace berth::apps {

struct checkpoint_options {
  std::string path;            // empty: none
  double every = 600;          // seconds from one to the next; 0: after each block
  bool resume = false;         // go on from `path` where it exists
  std::function<bool()> save;  // asked after each block: write one now?
  std::function<bool()> stop;  // likewise: write one and end?
  std::function<void(const std::string&)> tell;  // rank 0: a line for the user
};

/// What must be the same for sums to go on: the data, the columns, the weights. Name and text.
using checkpoint_identity = std::vector<std::pair<std::string, std::string>>;

/// The finished part of a pass.
struct saved_pass {
  bool is_twofold = false;
  std::int64_t rows = 0;
  std::int64_t height = 1;
  std::int64_t length = 0;            // numbers of a node, and as many low parts where twofold
  std::int64_t counted = 0;           // rows with a weight above zero in finished blocks
  log_sum logarithms;                 // of these weights
  std::vector<double> scale;          // of the columns; empty: none
  std::vector<std::int64_t> levels;   // of the nodes, in ascending order of their blocks
  std::vector<std::int64_t> indices;  // likewise
};

class checkpoint {
 public:
  /// With `resume`, looks for `path`: on rank 0, shared. Collective, agreed. Errors: not a
  /// checkpoint, damaged, or of other data or options, each named.
  static result<checkpoint> open(const communicator& comm, checkpoint_options options,
                                 checkpoint_identity identity);

  /// Makes the sums of a pass in blocks; after each, ranks agree whether to write the file. What
  /// the file holds of a pass of the same precision and scale is not read again. Errors: those of
  /// visit_part; the file cannot be written; stopped (blame::stopped). Collective, agreed.
  result<gram_pass> run(const communicator& comm, const row_source& source,
                        gram_precision precision, const std::vector<double>& scale);
  /// The scale of the pass that was stopped, where it had one.
  [[nodiscard]] const std::vector<double>& scale() const noexcept { return saved_.scale; }

 private:
  checkpoint(checkpoint_options options, checkpoint_identity identity)
      : options_(std::move(options)), identity_(std::move(identity)) {}

  checkpoint_options options_;
  checkpoint_identity identity_;
  saved_pass saved_;  // as read; without nodes where there is nothing to go on from
};

}  // namespace berth::apps
