#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "site/config.hpp"

namespace berth::plugin {

/// Fills account and partition from the controller. What the environment says of them is the user's
/// word, and a site's policy must not decide by it. One request to slurmctld.
result<void> load_job_facts(site::job_facts& job);

/// Whether Slurm says that a job is over, or does not know it any more. Not when it does not
/// answer.
bool is_over(std::uint32_t job);

/// Those of the jobs, one a line, that are over. Asks about the first 16 only, one request to
/// slurmctld each: the others have another time.
std::vector<std::string> over_among(std::string_view jobs);

}  // namespace berth::plugin
