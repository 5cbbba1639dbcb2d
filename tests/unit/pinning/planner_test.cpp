// Golden plans: tests/data/pinning/plans.txt says what is asked, why, and what must come out. A new
// case is a row there.

#include "pinning/planner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/text.hpp"
#include "topology/load.hpp"

namespace berth::pinning {
namespace {

using testing::HasSubstr;
using words = std::vector<std::string>;

struct golden {
  int line;
  std::string machine;
  std::string ask;
  std::map<std::string, std::string> answers;  // by key
};

void PrintTo(const golden& row, std::ostream* out) {
  *out << "plans.txt:" << row.line << ": " << row.machine << ": " << row.ask;
}

std::vector<golden> read_rows() {
  std::ifstream file(BERTH_TEST_DATA "/pinning/plans.txt");
  std::vector<golden> rows;
  std::string machine;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    const auto trimmed = std::string(trim(text));
    if (trimmed.empty() || trimmed.front() == '#') continue;
    const auto blank = trimmed.find(' ');
    const auto key = trimmed.substr(0, blank);
    const auto value = trimmed.substr(blank + 1);
    if (key == "machine") {
      machine = value;
    } else if (key == "ask") {
      rows.push_back({.line = line, .machine = machine, .ask = value, .answers = {}});
    } else {
      rows.back().answers[key] = value;
    }
  }
  return rows;
}

words words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

topology::machine load(const std::string& machine) {
  const bool file = machine.ends_with(".xml");
  return topology::load_described(file ? BERTH_TEST_DATA "/topologies/" + machine : machine)
      .value();
}

result<std::vector<placement>> plan_row(const golden& row) {
  const auto node = load(row.machine);
  const auto asked = words_of(row.ask);
  workload work{.pus = topology::os_indexes(node)};
  for (std::size_t i = 1; i < asked.size(); ++i) {
    const auto& word = asked[i];
    if (word.front() == 'x') work.tasks = std::stoi(word.substr(1));
    if (word.front() == 't') work.threads_per_task = std::stoi(word.substr(1));
    if (word == "on") work.pus = parse_list(asked.at(++i)).value();
    if (word == "mems") work.numa_nodes = parse_list(asked.at(++i)).value();
  }
  return plan(node, work, parse_request(asked[0]).value());
}

std::string memory_of(const placement& where) {
  constexpr std::array names = {"unchanged", "local", "bind", "interleave", "prefer"};
  const std::string mode = names.at(static_cast<std::size_t>(where.memory.mode));
  return where.memory.nodes.empty() ? mode : mode + ":" + format_list(where.memory.nodes);
}

std::string answer(const placement& where, const std::string& key) {
  if (key == "cpus") return format_list(where.cpuset);
  if (key == "threads") return std::to_string(where.threads);
  if (key == "pus") return fmt::format("{}", fmt::join(where.thread_pus, ","));
  if (key == "memory") return memory_of(where);
  if (key == "devices") return where.device ? where.device->name : "-";
  return "no such key: " + key;
}

class GoldenPlan : public testing::TestWithParam<golden> {};

TEST_P(GoldenPlan, IsWhatThePlannerSays) {
  const auto& row = GetParam();
  const auto made = plan_row(row);
  if (const auto says = row.answers.find("error"); says != row.answers.end()) {
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().text(), HasSubstr(says->second));
    return;
  }
  ASSERT_TRUE(made) << made.error().text();
  for (const auto& [key, value] : row.answers) {
    if (key == "why") continue;
    auto expected = words_of(value);
    const bool whole = expected.back() != "...";
    if (!whole) expected.pop_back();
    if (whole) {
      EXPECT_EQ(made->size(), expected.size()) << key;
    }
    words got;
    for (std::size_t t = 0; t < std::min(made->size(), expected.size()); ++t) {
      got.push_back(answer((*made)[t], key));
    }
    EXPECT_EQ(got, expected) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Plans, GoldenPlan, testing::ValuesIn(read_rows()),
                         [](const auto& row) { return "Line" + std::to_string(row.param.line); });

TEST(Planner, NamesNumaNodesByOsIndexAndCoresByLogicalId) {
  const auto lassen = load("coral-lassen.xml");
  const auto made =
      plan(lassen, {.pus = topology::os_indexes(lassen), .tasks = 4}, request{}).value();
  EXPECT_EQ(made[0].numa_nodes, std::vector{0});
  EXPECT_EQ(made[3].numa_nodes, std::vector{8});
  EXPECT_EQ(format_list(made[3].cores), "30-39");
}

TEST(Planner, HasOnePlacePerCore) {
  const auto node = load("package:2 numa:1 core:4 pu:2");
  const auto made = plan(node, {.pus = {0, 1, 2, 8}}, {.smt = true}).value();
  EXPECT_EQ(made[0].places, (std::vector<std::vector<int>>{{0, 1}, {2}, {8}}));
}

TEST(Planner, TellsWhoSharesPus) {
  const auto node = load("package:2 numa:1 core:4 pu:2");
  const auto pus = topology::os_indexes(node);
  const auto made = plan(node, {.pus = pus, .tasks = 3}, {.how = policy::numa}).value();
  EXPECT_TRUE(made[0].shared);
  EXPECT_FALSE(made[1].shared);
  EXPECT_TRUE(made[2].shared);
}

TEST(Planner, PolicyNoneIsNotPinned) {
  const auto node = load("pu:4");
  const auto made = plan(node, {.pus = {0, 1, 3}}, {.how = policy::none}).value();
  EXPECT_FALSE(made[0].pinned);
  EXPECT_EQ(made[0].cpuset, (std::vector{0, 1, 3}));
}

TEST(Planner, DevicesAreDescribed) {
  const auto lassen = load("coral-lassen.xml");
  const auto made =
      plan(lassen, {.pus = topology::os_indexes(lassen)}, {.how = policy::device}).value();
  EXPECT_EQ(made[0].device,
            (device_placement{
                .kind = topology::device_kind::gpu, .name = "cuda0", .address = "0004:04:00.0"}));
}

TEST(Planner, DevicesWithRegionsThatNestDoNotShareCores) {
  auto node = load("l3:2 core:2 pu:1");
  const auto gpu = [](const char* name, topology::pu_range near) {
    return topology::device{.kind = topology::device_kind::gpu, .names = {name}, .near = near};
  };
  node.devices = {gpu("outer", {0, 4}), gpu("inner", {0, 2})};
  const auto made = plan(node, {.pus = {0, 1, 2, 3}, .tasks = 2}, {.how = policy::device}).value();
  EXPECT_EQ(made[0].device->name, "outer");
  EXPECT_EQ(made[0].cpuset, (std::vector{2, 3}));
  EXPECT_EQ(made[1].cpuset, (std::vector{0, 1}));
}

}  // namespace
}  // namespace berth::pinning
