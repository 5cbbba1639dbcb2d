#pragma once
// dataset synth: writes data whose truth is known in closed form.

#include <string>

#include "common/mpi.hpp"
#include "dataset/synth_model.hpp"

namespace berth::apps {

/// Writes the dataset and, in group /truth, what it was drawn from. Every byte depends on the
/// request alone, not on the number of ranks. Memory: a few panels of 16 MiB. Collective, agreed.
/// Errors: check_request(), the output cannot be written.
result<synth_truth> synthesize(const communicator& comm, const synth_request& request);

std::string synth_text(const synth_request& request, const synth_truth& truth);
std::string synth_json(const synth_request& request, const synth_truth& truth);

}  // namespace berth::apps
