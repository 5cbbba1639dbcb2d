// What pinning is worth on this machine: a memory-bound kernel and a matrix product on one node,
// two ranks with their default threads and one rank with all cores, not bound at all, bound by
// Slurm, and pinned. Prints medians and what --pin=...,check adds; asserts nothing.
//
//   BERTH_TEST_LOGIN="lab run" pin_worth_bench [ROUNDS]

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "base/text.hpp"
#include "contest.hpp"

namespace {

using namespace berth;
using namespace berth::bench;

const char* const login = "BERTH_TEST_LOGIN";

double seconds_told(const std::vector<std::string>& command) {
  return std::strtod(must_run(login, command).c_str(), nullptr);
}

std::string node_name() {
  return std::string(trim(must_run(login, {"sh", "-c", "sinfo -h -o %n | sort | head -1"})));
}

void contest(const std::string& title, const std::vector<std::string>& step,
             const std::string& kernel, std::size_t rounds) {
  const auto with = [&](const std::vector<std::string>& options) {
    auto command = step;
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {PIN_KERNEL, kernel});
    return command;
  };
  std::vector<contestant> field{{"none", with({"--cpu-bind=none"})},
                                {"slurm", with({})},
                                {"pin=auto", with({"--pin=auto"})},
                                {"auto,check", with({"--pin=auto,check"})}};
  compete(field, rounds, seconds_told);
  const auto none = median(field.front().figures);
  for (const auto& who : field) {
    const auto middle = median(who.figures);
    fmt::print("{:<22} {:<11} {:>9.3f} {:>14.2f}\n", title, who.name, middle, none / middle);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto rounds = parse_unsigned(argc > 1 ? argv[1] : "7").value_or(7);
  const auto node = node_name();
  const std::vector<std::string> whole{"srun", "-w", node, "--exclusive", "-N1"};
  fmt::print("{:<22} {:<11} {:>9} {:>14}\n", "kernel", "binding", "seconds", "none / binding");
  for (const std::string kernel : {"triad", "dgemm"}) {
    auto two = whole;
    two.insert(two.end(), {"-n2"});
    contest(kernel + ", 2 ranks", two, kernel, rounds);
    auto one = whole;
    one.insert(one.end(), {"-n1", "-c2"});
    contest(kernel + ", 1 rank, 2 threads", one, kernel, rounds);
  }
}
