#include "pinning/svg/boxes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "planned_step.hpp"

namespace berth::pinning {
namespace {

/// A machine in one line: labels, and in brackets what lies in them; cores and PUs are counted.
std::string outline(const box& one) {
  std::string text = one.label;
  std::size_t cores = 0;
  std::size_t pus = 0;
  std::string inner;
  for (const auto& child : one.children) {
    if (child.kind() == box_kind::core) {
      ++cores;
      pus += child.children.size();
    } else {
      inner += (inner.empty() ? "" : " | ") + outline(child);
    }
  }
  if (cores > 0) inner += fmt::format("{} cores, {} PUs", cores, pus);
  for (const auto& chip : one.chips) inner += " + " + chip.label;
  return fmt::format("{}[{}]", text, inner);
}

std::string outline_of(const std::string& machine) {
  const planned_step step({.machine = machine});
  const auto& node = step.get().node;
  const chip_notes none{std::vector<std::string>(node.numa_nodes.size()),
                        std::vector<std::string>(node.devices.size())};
  return outline(boxes_of(node, none));
}

TEST(Boxes, NestBySizeAndJoinWhatIsTheSame) {
  const std::pair<std::string, std::string> machines[] = {
      {"pu:3", "[NUMA 0, 1 GiB[3 cores, 3 PUs]]"},
      {"package:2 l3:2 core:2 pu:2",
       "[NUMA 0, 1 GiB[package 0[L3 0[2 cores, 4 PUs] | L3 1[2 cores, 4 PUs]]"
       " | package 1[L3 2[2 cores, 4 PUs] | L3 3[2 cores, 4 PUs]]]]"},
      {"package:2 numa:1 l3:1 core:2 pu:1",
       "[package 0 · NUMA 0, 1 GiB · L3 0[2 cores, 2 PUs]"
       " | package 1 · NUMA 1, 1 GiB · L3 1[2 cores, 2 PUs]]"},
      {"package:1 l3:1 numa:2 core:1 pu:1",
       "[package 0 · L3 0[NUMA 0, 1 GiB[1 cores, 1 PUs] | NUMA 1, 1 GiB[1 cores, 1 PUs]]]"},
      {"package:1 l3:1 l2:2 core:2 pu:1",
       "[package 0 · NUMA 0, 1 GiB · L3 0[L2 0[2 cores, 2 PUs] | L2 1[2 cores, 2 PUs]]]"},
      {"package:1 l3:1 l2:2 core:1 pu:1", "[package 0 · NUMA 0, 1 GiB · L3 0[2 cores, 2 PUs]]"},
      {"package:1 l3:2 l2:1 core:2 pu:1",
       "[package 0 · NUMA 0, 1 GiB[L3 0[2 cores, 2 PUs] | L3 1[2 cores, 2 PUs]]]"},
  };
  for (const auto& [machine, expected] : machines) EXPECT_EQ(outline_of(machine), expected);
}

TEST(Boxes, HoldMemoryAndDevicesWhereTheyAreNear) {
  const auto knl = outline_of("64intel64-fakeKNL-SNC4-hybrid.xml");
  EXPECT_THAT(knl, testing::HasSubstr("L2 0[2 cores, 8 PUs] | L2 1[2 cores, 8 PUs] + NUMA 7, hbm"));
  const auto lassen = outline_of("coral-lassen.xml");
  EXPECT_THAT(lassen, testing::HasSubstr("gpu cuda0 + gpu cuda1"));
  EXPECT_THAT(outline_of("eas-tioga.xml"), testing::HasSubstr("+ network ens2 + storage ×16]"));
  EXPECT_THAT(lassen, testing::EndsWith("gpu cuda2 + gpu cuda3]]"));
}

}  // namespace
}  // namespace berth::pinning
