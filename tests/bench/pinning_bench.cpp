// Cost of a plan, and of what has to happen before it. Goal: 256 tasks on 2 x 96 cores within 5 ms.

#include <benchmark/benchmark.h>

#include <string>

#include "pinning/planner.hpp"
#include "topology/codec.hpp"
#include "topology/load.hpp"

namespace {

namespace pinning = berth::pinning;
namespace topology = berth::topology;

constexpr auto two_by_96 = "package:2 numa:4 l3:3 core:8 pu:2";

void plan_tasks(benchmark::State& state, const std::string& description, const char* asked) {
  const auto node = topology::load_described(description).value();
  const auto request = pinning::parse_request(asked).value();
  const pinning::workload work{.pus = topology::os_indexes(node),
                               .tasks = static_cast<int>(state.range(0))};
  for (auto _ : state) {
    auto plan = pinning::plan(node, work, request);
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

void load_this_machine(benchmark::State& state, topology::detail wanted) {
  for (auto _ : state) {
    auto node = topology::load_this_machine(wanted);
    benchmark::DoNotOptimize(node);
  }
}

void load_captured(benchmark::State& state, const std::string& file) {
  for (auto _ : state) {
    auto node = topology::load_xml(BERTH_TEST_DATA "/topologies/" + file);
    benchmark::DoNotOptimize(node);
  }
}

BENCHMARK_CAPTURE(plan_tasks, auto, two_by_96, "auto,mem=local") -> Arg(1) -> Arg(2) -> Arg(140)
    -> Arg(192) -> Arg(256) -> Arg(384) -> Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_tasks, numa, two_by_96, "numa")->Arg(256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_tasks, package, two_by_96, "package,smt")
    ->Arg(256)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_tasks, spread, two_by_96, "spread")->Arg(192)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_tasks, compact, two_by_96, "compact")
    ->Arg(192)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_tasks, none, two_by_96, "none")->Arg(256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_tasks, device, BERTH_TEST_DATA "/topologies/eas-tioga.xml", "device")
    ->Arg(64)
    ->Unit(benchmark::kMicrosecond);
// The largest machine there may be, with the task count that has the most ways to cut.
BENCHMARK_CAPTURE(plan_tasks, largest, "package:8 numa:8 l3:8 core:16 pu:1", "auto")
    ->Arg(6144)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(encode_and_decode)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(load_this_machine, cpus, topology::detail::cpus_and_memory)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_this_machine, devices, topology::detail::devices_too)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load_captured, tioga, "eas-tioga.xml")->Unit(benchmark::kMillisecond);

}  // namespace
