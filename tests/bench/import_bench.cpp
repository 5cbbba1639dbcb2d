// How fast dataset import turns a CSV of numbers into HDF5, beside pandas and R on the same file.
// Each has one thread; they take turns, and the best round counts. MB are of CSV text.
//
//   import_bench DATASET [FOLDER [MEGABYTES]]     the file is made in FOLDER and removed
//
// Peers whose interpreter or package is missing are left out, and named.

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

extern char** environ;

namespace {

constexpr int columns = 20;
constexpr int rounds = 3;

struct cost {
  bool done = false;
  double seconds = 0;
  double cpu_seconds = 0;
  double megabytes = 0;  // most memory
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

cost run(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words[0], &quiet, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (failed != 0) return {};
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, passed.count(),
          seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
          static_cast<double>(used.ru_maxrss) / 1024};
}

// Six decimals, as measurements are written.
void make_csv(const std::string& path, double megabytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::string line = "y";
  for (int j = 1; j < columns; ++j) line += fmt::format(",x{}", j);
  double written = 0;
  while (written < megabytes * 1e6) {
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), file);
    written += static_cast<double>(line.size());
    line.clear();
    for (int j = 0; j < columns; ++j) {
      line += fmt::format("{}{:.6f}", j == 0 ? "" : ",", normal(random));
    }
  }
  std::fclose(file);
}

struct contestant {
  std::string name;
  std::vector<std::string> command;
  cost best = {};
};

std::vector<contestant> field_of(const std::string& dataset, const std::string& csv,
                                 const std::string& h5) {
  const auto pandas = fmt::format("import pandas; f = pandas.read_csv('{}', engine='c')", csv);
  const auto stored = fmt::format(
      "; import h5py; h = h5py.File('{}', 'w'); h['X'] = f.iloc[:, 1:].to_numpy(); "
      "h['y'] = f['y'].to_numpy()",
      h5);
  return {
      {"dataset import (to HDF5)",
       {dataset, "import", csv, "-o", h5, "--target", "y", "--threads", "1"}},
      {"pandas.read_csv and h5py", {"/usr/bin/python3", "-c", pandas + stored}},
      {"pandas.read_csv alone", {"/usr/bin/python3", "-c", pandas}},
      {"data.table::fread alone",
       {"Rscript", "-e",
        fmt::format("data.table::setDTthreads(1); x <- data.table::fread('{}')", csv)}},
      {"readr::read_csv alone",
       {"Rscript", "-e",
        fmt::format("x <- readr::read_csv('{}', num_threads = 1, lazy = FALSE, show_col_types = "
                    "FALSE)",
                    csv)}},
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("import_bench: error: usage: import_bench DATASET [FOLDER [MEGABYTES]]\n", stderr);
    return 2;
  }
  const std::string folder = argc > 2 ? argv[2] : "/tmp";
  const std::string csv = folder + "/import_bench.csv";
  const std::string h5 = folder + "/import_bench.h5";
  make_csv(csv, argc > 3 ? std::stod(argv[3]) : 300);
  const double megabytes = static_cast<double>(std::filesystem::file_size(csv)) / 1e6;
  auto field = field_of(argv[1], csv, h5);
  for (int round = 0; round < rounds; ++round) {
    for (auto& each : field) {
      const auto now = run(each.command);
      if (now.done && (!each.best.done || now.seconds < each.best.seconds)) each.best = now;
    }
  }
  fmt::print("{:.0f} MB of CSV, {} columns of numbers, one thread, best of {}\n", megabytes,
             columns, rounds);
  fmt::print("{:<26}{:>8}{:>8}{:>10}{:>12}{:>10}\n", "", "s", "CPU s", "MB/s", "MB/CPU s",
             "RSS MB");
  for (const auto& each : field) {
    if (!each.best.done) {
      fmt::print("{:<26}  not there\n", each.name);
      continue;
    }
    fmt::print("{:<26}{:>8.2f}{:>8.2f}{:>10.0f}{:>12.0f}{:>10.0f}\n", each.name, each.best.seconds,
               each.best.cpu_seconds, megabytes / each.best.seconds,
               megabytes / each.best.cpu_seconds, each.best.megabytes);
  }
  std::filesystem::remove(csv);
  std::filesystem::remove(h5);
  return field.front().best.done ? 0 : 1;
}
