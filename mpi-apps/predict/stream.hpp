#pragma once
// Predictions of all rows, a panel at a time.

#include "data/panels.hpp"
#include "predict/options.hpp"
#include "predict/output.hpp"

namespace berth::apps {

struct streamed {
  std::vector<std::vector<statistic>> scores;  // one a target; rank 0 with --score
  read_facts read;                             // of this rank
};

/// Reads panels in turns over the ranks, predicts them, puts them to `output` (which may be null)
/// and scores them; memory stays that of a panel, whatever the number of rows. The same bits on any
/// number of ranks. Collective, agreed. Errors: reading; values that are not finite, counted by
/// column over all rows; classes that the model does not know; writing.
result<streamed> stream_predictions(const communicator& comm, const model& fitted,
                                    const dataset& data, predictor& with, bool score,
                                    prediction_output* output);

}  // namespace berth::apps
