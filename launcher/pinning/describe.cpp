#include "pinning/describe.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace berth::pinning {

std::string describe(const placement& where, int rank, std::string_view node_name) {
  return fmt::format("rank {} on {}: {} cpuset={} cores={} numa={} threads={}", rank, node_name,
                     where.pinned ? "pinned" : "unpinned", format_list(where.cpuset),
                     format_list(where.cores),
                     where.numa_nodes.empty() ? "-" : format_list(where.numa_nodes), where.threads);
}

}  // namespace berth::pinning
