// Least squares against scikit-learn, in turns, and `train` against its parts:
//
//   fit_bench DATASET_PROGRAM TRAIN_PROGRAM FOLDER [ROWS FEATURES ROUNDS]     (500000 200 3)
//
// Both solve the same rows, which are in their memory: solve_least_squares() on two ranks, and
// fit() of LinearRegression with as many threads as OpenBLAS takes. `train` reads the file, from
// the page cache, while it computes. On a machine that others use, seconds on processors say more
// than those of the clock: both are printed, the least of all rounds. What was guessed and what
// came out is in README.md. The last lines are the numbers that are asked for beside those
// measured, the products of gram_bench among them. Needs python3-sklearn and python3-h5py. Not for
// OPENBLAS_CORETYPE: it is unset.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
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

std::vector<std::string> on_ranks(const char* ranks, std::vector<std::string> command) {
  command.insert(command.begin(), {"mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to",
                                   ranks[0] == '1' ? "none" : "core", "-n", ranks});
  return command;
}

std::vector<std::string> on_two_ranks(std::vector<std::string> command) {
  return on_ranks("2", std::move(command));
}

double phase_of(const std::string& json, const std::string& name) {
  return number_of(json, fmt::format(R"("{}","seconds":)", name));
}

// Seconds that a plain read of the file takes, a mebibyte at a time.
double read_plainly(const std::string& path) {
  std::vector<char> buffer(std::size_t{1} << 20);
  const auto start = std::chrono::steady_clock::now();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (::read(fd, buffer.data(), buffer.size()) > 0) {
  }
  ::close(fd);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What else train is asked for, in turns: the least seconds of all rounds.
struct train_rows {
  double two_ranks = HUGE_VAL;             // "read and fit" of two ranks with a thread each
  double two_threads = HUGE_VAL;           // of one rank with two
  double read = HUGE_VAL;                  // the reading thread of one rank with one thread
  double plain_read = HUGE_VAL;            // read(2) of the same file
  double folds[2] = {HUGE_VAL, HUGE_VAL};  // five and ten
  double summary = HUGE_VAL;               // the pass for residuals, where the default makes one

  void take_turn(const std::string& train, const std::string& data) {
    const auto least = [](double& to, double value) {
      if (value < to) to = value;
    };
    const auto run = [&](const char* ranks, std::vector<std::string> options) {
      options.insert(options.begin(), {train, "linear", data, "--solver", "exact", "--json"});
      return must_run("", on_ranks(ranks, options));
    };
    const auto alone = run("2", {"--threads", "1"});
    least(two_ranks, phase_of(alone, "read and fit"));
    least(summary, phase_of(alone, "diagnose"));
    least(two_threads, phase_of(run("1", {"--threads", "2"}), "read and fit"));
    least(folds[0], phase_of(run("2", {"--threads", "1", "--folds", "5"}), "read and fit"));
    least(folds[1], phase_of(run("2", {"--threads", "1", "--folds", "10"}), "read and fit"));
    least(read, phase_of(run("1", {"--threads", "1"}), "read"));
    least(plain_read, read_plainly(data));
  }
  // Zero where the default needs no pass.
  [[nodiscard]] double summary_share() const {
    return std::isfinite(summary) ? summary / two_ranks : 0;
  }
  void print() const {
    fmt::print(
        "  train exact, two ranks of a thread: {:.3f} s; one rank of two threads: {:.2f} "
        "times that\n",
        two_ranks, two_threads / two_ranks);
    fmt::print("  5 folds: {:.2f} times, 10 folds: {:.2f} times a single fit\n",
               folds[0] / two_ranks, folds[1] / two_ranks);
    fmt::print("  reading: {:.3f} s, {:.2f} times a plain read of the file\n", read,
               read / plain_read);
    fmt::print("  summary beside the fit: {:.1f} % more\n", 100 * summary_share());
  }
};

// Of this many columns: what `gram_bench` says that the plain products reach of DSYRK's rate.
double share_of_dsyrk(const char* features, const char* rows) {
  const auto text = must_run("", {GRAM_BENCH, features, rows});
  const auto end = text.find(" of DSYRK");
  if (end == std::string::npos) return std::nan("");
  return std::strtod(&text[text.rfind(' ', end - 1)], nullptr);
}

void ask(const char* what, double measured, bool at_least, double asked) {
  const bool holds = at_least ? measured >= asked : measured <= asked;
  fmt::print("  {:58} asked {} {:5.2f}, measured {:6.2f}: {}\n", what,
             at_least ? ">=" : "<=", asked, measured, holds ? "holds" : "FALLS SHORT");
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
  train_rows more;
  for (int round = 0; round < rounds; ++round) {
    for (int s = 0; s < 3; ++s) {
      solve[s].take_less(must_run("", on_two_ranks({FIT_KERNEL, data, solvers[s], "3"})));
      const auto json =
          must_run("", on_two_ranks({argv[2], "linear", data, "--solver", solvers[s], "--json"}));
      train[s].wall = std::min(train[s].wall, number_of(json, R"("read and fit","seconds":)"));
      memory = std::max(memory, number_of(json, R"("peak_memory":[)"));
    }
    more.take_turn(argv[2], data);
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
  more.print();
  const double share = std::stod(rows) * std::stod(features) * 8 / 2;
  fmt::print("  memory of a rank of train: {:.0f} MB, {:.2f} of its share of the data\n",
             1e-6 * memory, memory / share);
  const auto& normal = solve[0];
  const auto& exact = solve[1];
  ask("normal, times faster than scikit-learn", peer.wall / normal.wall, true, 20);
  ask("exact, times faster than scikit-learn", peer.wall / exact.wall, true, 4);
  ask("auto, of the path that it takes", solve[2].wall / exact.wall, false, 1.1);
  ask("products of 200 features, of DSYRK's rate", share_of_dsyrk("200", "100000"), true, 0.8);
  ask("products of 1,000 features, of DSYRK's rate", share_of_dsyrk("1000", "20000"), true, 0.8);
  ask("reading, of a plain read", more.read / more.plain_read, false, 1.2);
  ask("normal with reading, of the larger of read and solve",
      train[0].wall / std::max(normal.wall, more.read), false, 1.15);
  ask("exact with reading, of the larger of read and solve",
      train[1].wall / std::max(exact.wall, more.read), false, 1.15);
  ask("summary, of the fit", 1 + more.summary_share(), false, 1.1);
  ask("memory of a rank, of its share of the data", memory / share, false, 1.2);
  return 0;
}
