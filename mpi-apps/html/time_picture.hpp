#pragma once
// Where the time went.

#include <string>

#include "models/report.hpp"

namespace berth::apps {

/// A bar a rank, made of the parts that the rank logged, and one of the run's phases above them; of
/// more than 32 ranks every n-th. A legend names the parts. Empty without phases.
std::string time_picture(const run_facts& run);

}  // namespace berth::apps
