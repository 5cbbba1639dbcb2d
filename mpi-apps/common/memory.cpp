#include "common/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

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

}  // namespace

double available_memory() {
  return std::min(kernel_available(), group_available());
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

}  // namespace berth::apps
