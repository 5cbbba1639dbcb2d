#include "selection/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "gram/grouped_gram.hpp"

namespace berth::apps {

namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

double number_in(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : unlimited;
}

double kernel_available() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    double kibibytes = 0;
    if (key == "MemAvailable:" && file >> kibibytes) return kibibytes * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return unlimited;
}

// Of the version 2 group of this process and those above it.
double group_available() {
  std::ifstream file("/proc/self/cgroup");
  double least = unlimited;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("0::/")) continue;
    for (auto group = line.substr(3); !group.empty(); group.resize(group.rfind('/'))) {
      const auto folder = "/sys/fs/cgroup" + group;
      const double limit = number_in(folder + "/memory.max");
      if (limit < unlimited) least = std::min(least, limit - number_in(folder + "/memory.current"));
    }
  }
  return least;
}

std::string size_text(double bytes) {
  return fmt::format("{:.1f} GiB", bytes / (1024.0 * 1024 * 1024));
}

int ranks_here(const communicator& comm) {
  if (comm.handle() == MPI_COMM_NULL) return 1;
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_split_type(comm.handle(), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  int ranks = 1;
  MPI_Comm_size(host, &ranks);
  MPI_Comm_free(&host);
  return ranks;
}

}  // namespace

double available_memory() {
  return std::min(kernel_available(), group_available());
}

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
