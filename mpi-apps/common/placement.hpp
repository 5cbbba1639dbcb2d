#pragma once
// Where each rank runs, as the kernel says.

#include <string>
#include <vector>

#include "common/mpi.hpp"

namespace berth::apps {

struct placement {
  std::string host;
  std::string cpus;  // Linux list format: "0-3,8"
};

/// Host name and the CPUs that this process may run on (sched_getaffinity, any number of CPUs).
placement my_placement();

/// All ranks' placements in rank order on rank 0; empty elsewhere. Collective.
std::vector<placement> gather_placements(const communicator& comm);

/// CPU numbers in ascending order as a Linux list: {0,1,2,5} -> "0-2,5".
std::string cpu_list(const std::vector<int>& cpus);
/// The inverse: "0-2,5" -> {0,1,2,5}. @pre a list as cpu_list() makes it
std::vector<int> cpu_numbers(const std::string& list);

}  // namespace berth::apps
