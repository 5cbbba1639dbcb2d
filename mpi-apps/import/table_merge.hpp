#pragma once
// What all parts found together.

#include "common/mpi.hpp"
#include "import/table_parts.hpp"

namespace berth::apps {

/// The facts of all parts of all ranks, the same on every rank; lines are from 1 and of the file.
/// @pre `scan` is what scan_parts() returned. Collective.
table_facts merge_parts(const communicator& comm, part_range range,
                        const std::vector<table_column>& columns, const table_rules& rules,
                        parts_scan& scan);

}  // namespace berth::apps
