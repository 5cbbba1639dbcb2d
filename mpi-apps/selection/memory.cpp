#include "selection/memory.hpp"

#include <fmt/format.h>

#include "common/memory.hpp"
#include "gram/grouped_gram.hpp"

namespace berth::apps {

namespace {

std::string size_text(double bytes) {
  return fmt::format("{:.1f} GiB", bytes / (1024.0 * 1024 * 1024));
}

}  // namespace

result<void> check_memory(const communicator& comm, const row_source& source, std::size_t groups) {
  const auto order = static_cast<double>(source.columns.features);
  const double sums = grouped_gram_bytes(source.columns, blocks_of(source), gram_precision::exact,
                                         groups, comm.size());
  // A problem in twofold precision, and a factor.
  const double needed = sums + 4 * order * order * sizeof(double);
  const int ranks = ranks_here(comm);
  const double available = available_memory() / ranks;
  if (needed <= available) return agree(comm, result<void>{});
  return agree(comm,
               result<void>(fail(fmt::format(
                   "the sums of {} features in {} groups of rows need {} a rank, and {} are "
                   "free; use fewer --folds, fewer --columns or fewer ranks a node",
                   source.columns.features, groups, size_text(needed), size_text(available)))));
}

}  // namespace berth::apps
