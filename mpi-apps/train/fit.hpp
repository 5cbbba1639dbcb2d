#pragma once
// From an open dataset to a fitted model: what each command of train does.

#include "common/phases.hpp"
#include "train/options.hpp"

namespace berth::apps {

struct trained {
  model fitted;
  read_facts read;
  work_log log = {};
};

/// Errors: those of stream_source::create() and fit_linear(). Collective, agreed.
result<trained> train_linear(const communicator& comm, const train_options& chosen,
                             const dataset& data, phase_clock& clock);

/// Errors: those of reading, values that are not finite, those of number_classes() and
/// fit_logistic(). Collective, agreed.
result<trained> train_logistic(const communicator& comm, const train_options& chosen, dataset& data,
                               phase_clock& clock);

}  // namespace berth::apps
