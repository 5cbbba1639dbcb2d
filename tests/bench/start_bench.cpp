// What a container adds to the start of a step: the same command bare, with a trusted image (kernel
// squashfs) and with a user's own (FUSE), in turn, so that whatever else the machine does hits all
// three alike. Prints medians and their differences; asserts nothing.
//
// The node's own part, from slurmstepd's request to tasks that may join, is what the plugin logs
// ("ready in N us"); it is printed where the logs can be read (BERTH_TEST_LAB).
//
//   BERTH_TEST_LOGIN="lab run" BERTH_TEST_LAB="lab" start_bench [ROUNDS]

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "base/subprocess.hpp"
#include "base/text.hpp"

namespace {

using namespace berth;

std::vector<std::string> words(const char* variable) {
  const char* value = std::getenv(variable);
  std::istringstream text(value == nullptr ? "" : value);
  return {std::istream_iterator<std::string>(text), {}};
}

outcome must_run(const char* prefix, const std::vector<std::string>& arguments) {
  auto argv = words(prefix);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto end = run({argv, current_environment(), ""});
  if (!end || end->exit_code != 0) {
    fmt::print(stderr, "start_bench: error: {}: {}\n", fmt::join(argv, " "),
               end ? end->err : end.error().text());
    std::exit(1);
  }
  return std::move(*end);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct contestant {
  std::string name;
  std::vector<std::string> command;
  std::vector<double> milliseconds = {};
};

void measure(contestant& who) {
  const auto begin = std::chrono::steady_clock::now();
  must_run("BERTH_TEST_LOGIN", who.command);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  who.milliseconds.push_back(spent.count());
}

// The plugin's own figures for one backend, newest last.
std::vector<double> node_parts(const std::string& log, const std::string& backend,
                               std::size_t rounds) {
  const std::regex line(fmt::format(R"(\({}\) ready in ([0-9]+)us)", backend));
  std::vector<double> all;
  for (std::sregex_iterator match(log.begin(), log.end(), line), end; match != end; ++match) {
    all.push_back(std::stod((*match)[1]) / 1000);
  }
  if (all.size() > rounds) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(rounds));
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const auto rounds = parse_unsigned(argc > 1 ? argv[1] : "20").value_or(20);
  must_run("BERTH_TEST_LOGIN",
           {"sh", "-c", "cd && berth pack --no-mpi --force true -o bench.sqsh"});
  const auto home = std::string(trim(must_run("BERTH_TEST_LOGIN", {"sh", "-c", "cd && pwd"}).out));
  const auto node = std::string(
      trim(must_run("BERTH_TEST_LOGIN", {"sh", "-c", "sinfo -h -o %n | sort | head -1"}).out));
  std::vector<contestant> field{
      {"bare", {"srun", "-w", node, "true"}},
      {"fuse", {"srun", "-w", node, "--container", home + "/bench.sqsh", "true"}}};
  const bool lab = std::getenv("BERTH_TEST_LAB") != nullptr;
  if (lab) {
    must_run("BERTH_TEST_LAB",
             {"run", "--user", "root", "cp", home + "/bench.sqsh", "/srv/images/"});
    field.push_back(
        {"kernel", {"srun", "-w", node, "--container", "/srv/images/bench.sqsh", "true"}});
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (auto& who : field) measure(who);
  }
  const auto bare = median(field.front().milliseconds);
  const auto log = lab ? must_run("BERTH_TEST_LAB", {"logs", node}).out : std::string();
  fmt::print("{:<8} {:>10} {:>8} {:>7} {:>14}\n", "image", "median ms", "adds ms", "ratio",
             "node part ms");
  for (const auto& who : field) {
    const auto middle = median(who.milliseconds);
    const auto part = median(node_parts(log, who.name, rounds));
    fmt::print("{:<8} {:>10.1f} {:>8.1f} {:>7.2f} {:>14}\n", who.name, middle, middle - bare,
               middle / bare, part > 0 ? fmt::format("{:.1f}", part) : "-");
  }
}
