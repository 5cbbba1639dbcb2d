#pragma once
// All ranks that mpirun started.

#include "common/mpi.hpp"

namespace berth::apps {

const communicator& world();

}  // namespace berth::apps
