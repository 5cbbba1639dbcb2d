#pragma once
// From an open dataset to a fitted model: what each command of train does.

#include "common/phases.hpp"
#include "models/report.hpp"
#include "train/options.hpp"

namespace berth::apps {

struct trained {
  model fitted;
  read_facts read;
  work_log log = {};
};

/// Errors: those of stream_source::create() and solve_linear(). Collective, agreed.
result<trained> train_linear(const communicator& comm, const train_options& chosen,
                             const dataset& data, phase_clock& clock);

/// Errors: those of reading, values that are not finite, those of number_classes() and
/// fit_logistic(). Collective, agreed.
result<trained> train_logistic(const communicator& comm, const train_options& chosen, dataset& data,
                               phase_clock& clock);

/// The report on stdout, or JSON there and the report on stderr. On rank 0.
void print_report(const train_options& chosen, const model& fitted, const run_facts& run);

}  // namespace berth::apps
