#pragma once
// Steps of thread_probe, and what it and berth tell about where they ran.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {

using nlohmann::json;

class Pinning : public ClusterTest {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("BERTH_TEST_LOGIN") == nullptr) return;
    put_program("thread_probe", BERTH_TEST_THREAD_PROBE);
    const auto end =
        shell("berth pack ./thread_probe sh cat env ls test touch --no-mpi --force -o pin.sqsh");
    ASSERT_EQ(end.exit_code, 0) << end.err;
  }
};
class PinningOnLab : public Pinning {
 protected:
  void SetUp() override {
    Pinning::SetUp();
    if (std::getenv("BERTH_TEST_LAB") == nullptr) GTEST_SKIP() << "BERTH_TEST_LAB names no lab";
  }
};

inline const std::string in_image = " --container=./pin.sqsh thread_probe ";

// What the ranks of a step told, by rank.
inline std::map<int, json> reports(const outcome& end) {
  EXPECT_EQ(end.exit_code, 0) << end.err;
  std::map<int, json> found;
  for (const auto& one : split(end.out, '\n')) {
    if (!one.starts_with('{')) continue;
    auto report = json::parse(one);
    found.emplace(report["rank"].get<int>(), std::move(report));
  }
  return found;
}

inline std::vector<std::string> masks(const std::string& step) {
  std::vector<std::string> found;
  for (const auto& [rank, report] : reports(shell(step + in_image + "here"))) {
    found.push_back(report["cpus"].get<std::string>());
  }
  return found;
}

// "srun" and the options of a step of one or two tasks that has a whole node to itself.
inline std::string on_whole_node(unsigned tasks) {
  // "n1 2": a node and its CPUs.
  static const auto node =
      split(split(line(shell("sinfo -h -N -o '%n %c' | sort -u").out), '\n').front(), ' ');
  const auto cpus = parse_unsigned(node.at(1)).value_or(0);
  return fmt::format("srun -w {} --exclusive -N1 -n{} -c{} --cpu-bind=none ", node[0], tasks,
                     cpus / tasks);
}

// What `berth pin` says about such a step on the same node.
inline json planned(unsigned tasks, const std::string& pin) {
  const auto end = shell(on_whole_node(1) + fmt::format("berth pin -n {} {} --json", tasks, pin));
  EXPECT_EQ(end.exit_code, 0) << end.err;
  return json::parse(end.out).at("tasks");
}

// The lines "berth: rank R on N: checked KEY=VALUE ..." of a step, by rank.
inline std::map<int, std::map<std::string, std::string>> checks(const std::string& err) {
  static const std::regex form("berth: rank ([0-9]+) on [^:]+: checked (.*)");
  std::map<int, std::map<std::string, std::string>> found;
  std::smatch match;
  for (const auto& one : split(err, '\n')) {
    if (!std::regex_match(one, match, form)) continue;
    auto& keys = found[std::stoi(match[1])];
    for (const auto& word : split(match[2].str(), ' ')) {
      const auto equals = word.find('=');
      keys[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return found;
}

}  // namespace berth::test
