// Least squares against scikit-learn, in turns, and `train` against its parts:
//
//   fit_bench DATASET_PROGRAM TRAIN_PROGRAM FOLDER [ROWS FEATURES ROUNDS]     (500000 200 3)
//
// Both solve the same rows, which are in their memory: solve_least_squares() on two ranks, and
// fit() of LinearRegression with as many threads as OpenBLAS takes. `train` reads the file, from
// the page cache, while it computes. On a machine that others use, seconds on processors say more
// than those of the clock: both are printed, the least of all rounds. What was guessed and what
// came out is in README.md. Needs python3-sklearn and python3-h5py. Not for OPENBLAS_CORETYPE: it
// is unset.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "contest.hpp"

namespace {

using berth::bench::must_run;

struct seconds {
  double wall = HUGE_VAL;
  double cpu = HUGE_VAL;

  void take_less(const std::string& line) {
    double other_wall = 0;
    double other_cpu = 0;
    if (std::sscanf(line.c_str(), "%lf %lf", &other_wall, &other_cpu) != 2) return;
    wall = std::min(wall, other_wall);
    cpu = std::min(cpu, other_cpu);
  }
};

// The number after `key` in JSON text; NaN where it is not.
double number_of(const std::string& json, const std::string& key) {
  const auto at = json.find(key);
  return at == std::string::npos ? std::nan("") : std::strtod(&json[at + key.size()], nullptr);
}

std::vector<std::string> on_two_ranks(std::vector<std::string> command) {
  command.insert(command.begin(), {"mpirun", "--oversubscribe", "--allow-run-as-root", "-n", "2"});
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  ::unsetenv("OPENBLAS_CORETYPE");
  const std::string rows = argc > 4 ? argv[4] : "500000";
  const std::string features = argc > 5 ? argv[5] : "200";
  const int rounds = argc > 6 ? std::atoi(argv[6]) : 3;
  const std::string data = std::string(argv[3]) + "/fit_bench.h5";
  must_run("", {argv[1], "synth", "-o", data, "--rows", rows, "--features", features});
  const char* const solvers[] = {"normal", "exact", "auto"};
  seconds solve[3];
  seconds train[3];
  double memory = 0;
  seconds peer;
  for (int round = 0; round < rounds; ++round) {
    for (int s = 0; s < 3; ++s) {
      solve[s].take_less(must_run("", on_two_ranks({FIT_KERNEL, data, solvers[s], "3"})));
      const auto json =
          must_run("", on_two_ranks({argv[2], "linear", data, "--solver", solvers[s], "--json"}));
      train[s].wall = std::min(train[s].wall, number_of(json, R"("read and fit","seconds":)"));
      memory = std::max(memory, number_of(json, R"("peak_memory":[)"));
    }
    peer.take_less(must_run("", {"/usr/bin/python3", FIT_PEER, data, "1"}));
  }
  std::remove(data.c_str());
  fmt::print("{} rows x {} features, two ranks; scikit-learn: {:.3f} s, {:.3f} s on processors\n",
             rows, features, peer.wall, peer.cpu);
  for (int s = 0; s < 3; ++s) {
    fmt::print(
        "  {:7} {:.3f} s, {:.3f} s on processors: {:.1f} and {:.1f} times faster; train, "
        "with reading, {:.3f} s\n",
        solvers[s], solve[s].wall, solve[s].cpu, peer.wall / solve[s].wall, peer.cpu / solve[s].cpu,
        train[s].wall);
  }
  fmt::print("  memory of a rank of train: {:.0f} MB\n", 1e-6 * memory);
  return 0;
}
