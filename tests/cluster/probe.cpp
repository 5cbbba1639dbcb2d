// The payload of the MPI tests: every rank tells, in one line of JSON, where and as what it runs.

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace {

// The value of the first line "KEY<separator>VALUE" of a file, without quotes and leading blanks.
std::string value_of(const char* file, const std::string& key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key + separator)) continue;
    auto value = line.substr(key.size() + 1);
    std::erase(value, '"');
    return value.substr(std::min(value.size(), value.find_first_not_of(" \t")));
  }
  return {};
}

std::string link_of(const char* path) {
  std::array<char, 256> text{};
  const auto n = ::readlink(path, text.data(), text.size() - 1);
  return n < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(n));
}

std::string folder() {
  std::array<char, 4096> text{};
  return ::getcwd(text.data(), text.size()) == nullptr ? std::string() : std::string(text.data());
}

std::string host() {
  std::array<char, 256> text{};
  return ::gethostname(text.data(), text.size() - 1) == 0 ? std::string(text.data())
                                                          : std::string();
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  // A message from everybody to everybody: the ranks are one job.
  int sum = 0;
  MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  const char* status = "/proc/self/status";
  std::printf(
      "{\"rank\":%d,\"size\":%d,\"sum\":%d,\"host\":\"%s\",\"mount_namespace\":\"%s\","
      "\"os\":\"%s\",\"cpus\":\"%s\",\"cwd\":\"%s\",\"no_new_privs\":%s}\n",
      rank, size, sum, host().c_str(), link_of("/proc/self/ns/mnt").c_str(),
      value_of("/etc/os-release", "ID", '=').c_str(),
      value_of(status, "Cpus_allowed_list", ':').c_str(), folder().c_str(),
      value_of(status, "NoNewPrivs", ':').c_str());
  std::fflush(stdout);
  MPI_Finalize();
  return 0;
}
