// The payload of the pinning tests. Tells, in one line of JSON, where a rank and its threads run,
// or behaves in the ways that --pin=...,check is there to find.
//
//   thread_probe here              mask and memory policy of the process
//   thread_probe openmp            each OpenMP thread: its mask, and where it was while it computed
//   thread_probe blas              each thread while OpenBLAS multiplies matrices
//   thread_probe spin [CPU ...]    computes for half a second on each CPU in turn, or anywhere
//   thread_probe crowd N           computes with N threads for half a second

#include <cblas.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds while_it_computes{500};

std::string mask_of(const std::string& thread) {
  std::ifstream status("/proc/self/task/" + thread + "/status");
  constexpr std::string_view key = "Cpus_allowed_list:\t";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

int memory_mode() {
  int mode = -1;
  return ::syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0) == 0 ? mode : -1;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void compute() {
  const auto end = steady_clock::now() + while_it_computes;
  for (volatile int i = 0; steady_clock::now() < end;) i = i + 1;
}

void tell(const std::string& threads) {
  fmt::print(R"({{"rank":{},"cpus":"{}","memory":{},"threads":[{}]}})"
             "\n",
             variable("SLURM_PROCID"), mask_of(std::to_string(::gettid())), memory_mode(), threads);
}

std::string as_json(const std::string& mask, const std::set<int>& seen) {
  return fmt::format(R"({{"cpus":"{}","ran_on":[{}]}})", mask, fmt::join(seen, ","));
}

void openmp() {
  std::vector<std::string> threads(static_cast<std::size_t>(omp_get_max_threads()));
#pragma omp parallel
  {
    std::set<int> seen;
    const auto end = steady_clock::now() + while_it_computes;
    while (steady_clock::now() < end) seen.insert(::sched_getcpu());
    threads[static_cast<std::size_t>(omp_get_thread_num())] =
        as_json(mask_of(std::to_string(::gettid())), seen);
  }
  tell(fmt::format("{}", fmt::join(threads, ",")));
}

// Field 39 of stat: the CPU.
int cpu_of(const std::string& thread) {
  std::ifstream stat("/proc/self/task/" + thread + "/stat");
  std::string word;
  for (int field = 1; field <= 39; ++field) stat >> word;
  return std::atoi(word.c_str());
}

// OpenBLAS' threads are its own: looked at from outside, by one more thread.
void blas() {
  constexpr int n = 700;
  const std::vector<double> a(std::size_t{n} * std::size_t{n}, 1.0);
  std::vector<double> c(a.size());
  std::atomic<bool> done{false};
  std::map<std::string, std::set<int>> seen;
  std::thread observer([&] {
    const auto myself = std::to_string(::gettid());
    while (!done) {
      for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        const auto thread = entry.path().filename().string();
        if (thread != myself) seen[thread].insert(cpu_of(thread));
      }
    }
  });
  const auto end = steady_clock::now() + while_it_computes;
  while (steady_clock::now() < end) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, a.data(), n, a.data(), n,
                0.0, c.data(), n);
  }
  done = true;
  observer.join();
  std::vector<std::string> threads;
  for (const auto& [thread, cpus] : seen) threads.push_back(as_json(mask_of(thread), cpus));
  tell(fmt::format("{}", fmt::join(threads, ",")));
}

int spin(int count, char** cpus) {
  if (count == 0) compute();
  for (int i = 0; i < count; ++i) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(std::strtoul(cpus[i], nullptr, 10), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) return 1;
    compute();
  }
  return 0;
}

void crowd(int count) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(compute);
  for (auto& one : threads) one.join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "here") {
    tell("");
  } else if (what == "openmp") {
    openmp();
  } else if (what == "blas") {
    blas();
  } else if (what == "spin") {
    return spin(argc - 2, argv + 2);
  } else if (what == "crowd" && argc == 3) {
    crowd(std::atoi(argv[2]));
  } else {
    return 2;
  }
  return 0;
}
