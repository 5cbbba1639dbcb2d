// What a container adds to the start of a step: the same command bare, with a trusted image (kernel
// squashfs) and with a user's own (FUSE), in turn, so that whatever else the machine does hits all
// three alike. Prints medians and their differences; asserts nothing.
//
// The node's own part, from slurmstepd's request to tasks that may join, is what the plugin logs
// ("ready in N us"); it is printed where the logs can be read (BERTH_TEST_LAB).
//
//   BERTH_TEST_LOGIN="lab run" BERTH_TEST_LAB="lab" start_bench [ROUNDS]

#include <fmt/format.h>

#include <cstdlib>
#include <regex>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "contest.hpp"

namespace {

using namespace berth;
using namespace berth::bench;

// Milliseconds of the plugin's own figures that a pattern finds in a node's log, the newest ones.
double logged(const std::string& log, const std::string& pattern, std::size_t rounds) {
  const std::regex figure(pattern);
  std::vector<double> all;
  for (std::sregex_iterator match(log.begin(), log.end(), figure), end; match != end; ++match) {
    all.push_back(std::stod((*match)[1]) / 1000);
  }
  if (all.size() > rounds) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(rounds));
  return median(all);
}

// What a contestant's lines in the log look like; only pinned steps ask for the topology.
std::string pattern_of(const std::string& name) {
  if (name == "unpinned") return R"(\(fuse\) ready in ([0-9]+)us:(?!.*topology=))";
  return fmt::format(R"(\({}\) ready in ([0-9]+)us:.*topology=)", name);
}

}  // namespace

int main(int argc, char** argv) {
  const auto rounds = parse_unsigned(argc > 1 ? argv[1] : "20").value_or(20);
  must_run("BERTH_TEST_LOGIN",
           {"sh", "-c", "cd && berth pack --no-mpi --force true -o bench.sqsh"});
  const auto home = std::string(trim(must_run("BERTH_TEST_LOGIN", {"sh", "-c", "cd && pwd"})));
  const auto node = std::string(
      trim(must_run("BERTH_TEST_LOGIN", {"sh", "-c", "sinfo -h -o %n | sort | head -1"})));
  const auto image = home + "/bench.sqsh";
  const auto step = [&](const std::vector<std::string>& options) {
    std::vector<std::string> command{"srun", "-w", node};
    command.insert(command.end(), options.begin(), options.end());
    command.emplace_back("true");
    return command;
  };
  // With --cpu-bind nothing is pinned: the difference to "fuse" is what pinning costs.
  std::vector<contestant> field{{"bare", step({})},
                                {"fuse", step({"--container", image})},
                                {"unpinned", step({"--container", image, "--cpu-bind=none"})}};
  const bool lab = std::getenv("BERTH_TEST_LAB") != nullptr;
  if (lab) {
    must_run("BERTH_TEST_LAB", {"run", "--user", "root", "cp", image, "/srv/images/"});
    field.push_back({"kernel", step({"--container", "/srv/images/bench.sqsh"})});
  }
  compete(field, rounds, milliseconds_of);
  const auto bare = median(field.front().figures);
  const auto log = lab ? must_run("BERTH_TEST_LAB", {"logs", node}) : std::string();
  fmt::print("{:<8} {:>10} {:>8} {:>7} {:>14}\n", "image", "median ms", "adds ms", "ratio",
             "node part ms");
  for (const auto& who : field) {
    const auto middle = median(who.figures);
    const auto part = logged(log, pattern_of(who.name), rounds);
    fmt::print("{:<8} {:>10.1f} {:>8.1f} {:>7.2f} {:>14}\n", who.name, middle, middle - bare,
               middle / bare, part > 0 ? fmt::format("{:.1f}", part) : "-");
  }
  if (lab)
    fmt::print("the topology from the node's cache: {:.2f} ms\n",
               logged(log, R"( topology=([0-9]+)us)", rounds));
}
