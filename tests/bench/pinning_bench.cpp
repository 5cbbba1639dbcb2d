// Cost of a plan, and of what has to happen before it. Goal: 256 tasks on 2 x 96 cores within 5 ms.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pinning/planner.hpp"
#include "topology/codec.hpp"
#include "topology/load.hpp"

namespace {

namespace pinning = berth::pinning;
namespace topology = berth::topology;

constexpr auto two_by_96 = "package:2 numa:4 l3:3 core:8 pu:2";

std::vector<int> all_pus(const topology::machine& node) {
  std::vector<int> indexes;
  for (const auto& unit : node.pus) indexes.push_back(unit.os_index);
  std::sort(indexes.begin(), indexes.end());
  return indexes;
}

void plan_tasks(benchmark::State& state, const std::string& description) {
  const auto node = topology::load_synthetic(description).value();
  const auto allowed = all_pus(node);
  const auto tasks = static_cast<int>(state.range(0));
  for (auto _ : state) {
    auto plan = pinning::plan(node, allowed, tasks, std::nullopt, {});
    benchmark::DoNotOptimize(plan);
  }
}

void encode_and_decode(benchmark::State& state) {
  const auto node = topology::load_synthetic(two_by_96).value();
  for (auto _ : state) {
    auto copy = topology::decode(topology::encode(node));
    benchmark::DoNotOptimize(copy);
  }
}

void load_this_machine(benchmark::State& state) {
  for (auto _ : state) {
    auto node = topology::load_this_machine();
    benchmark::DoNotOptimize(node);
  }
}

void load_captured(benchmark::State& state, const std::string& file) {
  for (auto _ : state) {
    auto node = topology::load_xml(BERTH_TEST_DATA "/topologies/" + file);
    benchmark::DoNotOptimize(node);
  }
}

BENCHMARK_CAPTURE(plan_tasks, two_by_96, two_by_96)
    ->Arg(1)
    ->Arg(2)
    ->Arg(140)
    ->Arg(192)
    ->Arg(256)
    ->Arg(384)
    ->Unit(benchmark::kMicrosecond);
// The largest machine there may be, with the task count that has the most ways to cut.
BENCHMARK_CAPTURE(plan_tasks, largest, "package:8 numa:8 l3:8 core:16 pu:1")
    ->Arg(6144)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(encode_and_decode)->Unit(benchmark::kMicrosecond);
BENCHMARK(load_this_machine)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_captured, tioga, "eas-tioga.xml")->Unit(benchmark::kMillisecond);

}  // namespace
