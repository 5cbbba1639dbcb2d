#include "topology/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "base/file.hpp"

namespace berth::topology {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

machine captured(const std::string& name) {
  return load_xml(BERTH_TEST_DATA "/topologies/" + name).value();
}

std::filesystem::path temporary_xml() {
  return std::filesystem::temp_directory_path() /
         ("berth-load-test-" + std::to_string(getpid()) + ".xml");
}

struct counts {
  std::size_t pus, cores, l3, numa, packages;
  friend bool operator==(const counts&, const counts&) = default;
};

counts count(const machine& node) {
  std::set<int> cores, l3, numa, packages;
  for (const auto& unit : node.pus) {
    cores.insert(unit.core);
    l3.insert(unit.l3);
    numa.insert(unit.numa);
    packages.insert(unit.package);
  }
  return {node.pus.size(), cores.size(), l3.size(), numa.size(), packages.size()};
}

TEST(Load, CapturedMachinesHaveWhatTheirMakersSay) {
  const std::vector<std::pair<std::string, counts>> table = {
      {"coral-lassen.xml", {160, 40, 20, 2, 2}},
      {"epyc-corona.xml", {96, 48, 16, 8, 2}},
      {"eas-tioga.xml", {128, 64, 8, 4, 1}},
      {"AMD-17h-Zen-2xEpyc-7451.xml", {96, 48, 16, 1, 2}},
      {"Intel-CascadeLake-2xXeon6230.xml", {80, 40, 2, 1, 2}},
      {"64intel64-fakeKNL-SNC4-hybrid.xml", {64, 16, 4, 4, 1}},
      {"32em64t-2n8c2t-pci-wholeio.xml", {32, 16, 2, 2, 2}},
      {"16em64t-4s2c2t-offlines.xml", {7, 6, 4, 1, 4}},
  };
  for (const auto& [name, expected] : table) {
    EXPECT_TRUE(count(captured(name)) == expected) << name;
  }
}

TEST(Load, NumaNodesHaveTheirOsIndexes) {
  const auto lassen = captured("coral-lassen.xml");
  EXPECT_EQ(lassen.numa_nodes.at(static_cast<std::size_t>(lassen.pus.front().numa)).os_index, 0);
  EXPECT_EQ(lassen.numa_nodes.at(static_cast<std::size_t>(lassen.pus.back().numa)).os_index, 8);
}

std::set<int> nearest_nodes(const machine& node) {
  std::set<int> nearest;
  for (const auto& unit : node.pus) {
    nearest.insert(node.numa_nodes.at(static_cast<std::size_t>(unit.numa)).os_index);
  }
  return nearest;
}

/// A captured machine whose file went through `change` first.
template <class F>
machine changed(const std::string& name, F change) {
  const auto path = temporary_xml();
  const auto text = read_file(BERTH_TEST_DATA "/topologies/" + name, 1 << 20).value();
  std::ofstream(path) << change(text);
  auto node = load_xml(path);
  std::filesystem::remove(path);
  return node.value();
}

TEST(Load, FastMemoryIsNobodysNearestNode) {
  const std::string knl = "64intel64-fakeKNL-SNC4-hybrid.xml";
  EXPECT_THAT(nearest_nodes(captured(knl)), ElementsAre(0, 1, 2, 3));  // MCDRAM is 4 to 7
  // The same machine with the special memory under the lower indexes.
  const auto swapped = changed(knl, [](const std::string& text) {
    const auto plain = std::regex_replace(text, std::regex("subtype=\"MCDRAM\""), "");
    return std::regex_replace(plain, std::regex("local_memory=\"1073741824\""),
                              "subtype=\"MCDRAM\" $&");
  });
  EXPECT_THAT(nearest_nodes(swapped), ElementsAre(4, 5, 6, 7));
}

TEST(Load, TheSmallestNodeAroundAPuIsItsOwn) {
  const auto node = load_synthetic("[numa] package:2 [numa] core:2 pu:1").value();
  EXPECT_THAT(nearest_nodes(node), ElementsAre(0, 1));  // node 2 belongs to the whole machine
}

TEST(Load, CpusOutsideTheAllowedSetAreTaken) {
  const auto node = changed("32em64t-2n8c2t-pci-wholeio.xml", [](const std::string& text) {
    return std::regex_replace(text, std::regex("allowed_cpuset=\"[^\"]*\""),
                              "allowed_cpuset=\"0x3\"");
  });
  EXPECT_EQ(node.pus.size(), 32U);
}

TEST(Load, SyntheticMachinesAreInLocalityOrder) {
  const auto node = load_synthetic("package:2 numa:1 l3:2 l2:1 core:1 pu:2").value();
  const auto expected = std::vector<pu>{{0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}, {2, 1, 1, 1, 0, 0},
                                        {3, 1, 1, 1, 0, 0}, {4, 2, 2, 2, 1, 1}, {5, 2, 2, 2, 1, 1},
                                        {6, 3, 3, 3, 1, 1}, {7, 3, 3, 3, 1, 1}};
  EXPECT_EQ(node.pus, expected);
}

TEST(Load, WithoutCoresEveryPuIsOne) {
  const auto node = load_synthetic("package:2 pu:2").value();
  EXPECT_EQ(count(node), (counts{4, 4, 1, 1, 2}));
  EXPECT_EQ(node.pus.front().l3, -1);
}

TEST(Load, ThisMachineHasEveryOnlineCpuAlsoFromANarrowMask) {
  const auto whole = load_this_machine();
  ASSERT_TRUE(whole) << whole.error().text();
  EXPECT_EQ(static_cast<long>(whole->pus.size()), sysconf(_SC_NPROCESSORS_ONLN));

  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t narrow;
  CPU_ZERO(&narrow);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &narrow);
  ASSERT_EQ(sched_setaffinity(0, sizeof narrow, &narrow), 0);
  const auto again = load_this_machine();
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(again.value(), *whole);
  EXPECT_TRUE(CPU_EQUAL(&narrow, &after)) << "loading must leave the caller's binding alone";
}

TEST(Load, MemoryHasKindsSizesAndPlaces) {
  const auto knl = captured("64intel64-fakeKNL-SNC4-hybrid.xml");
  ASSERT_EQ(knl.numa_nodes.size(), 8U);
  EXPECT_EQ(
      knl.numa_nodes[2],
      (numa_node{.os_index = 1, .kind = memory_kind::dram, .bytes = 1ULL << 30, .near = {16, 16}}));
  EXPECT_EQ(
      knl.numa_nodes[3],
      (numa_node{.os_index = 4, .kind = memory_kind::hbm, .bytes = 2ULL << 30, .near = {16, 16}}));
}

TEST(Load, MemoryThatIsTwiceAsFastIsHbmWithoutANameToo) {
  const auto nameless = changed("64intel64-fakeKNL-SNC4-hybrid.xml", [](const std::string& text) {
    return std::regex_replace(text, std::regex("subtype=\"MCDRAM\""), "");
  });
  EXPECT_EQ(nameless, captured("64intel64-fakeKNL-SNC4-hybrid.xml"));
}

TEST(Load, MemoryOfGpusAndOtherSpecialMemoryIsNobodysNearestNode) {
  const std::vector<std::pair<std::string, memory_kind>> special = {{"GPUMemory", memory_kind::gpu},
                                                                    {"NVM", memory_kind::other}};
  for (const auto& it : special) {
    const auto node = changed("64intel64-fakeKNL-SNC4-hybrid.xml", [&](const std::string& text) {
      // Under the lower OS indexes, where an even choice would fall on it.
      const auto plain = std::regex_replace(text, std::regex("subtype=\"MCDRAM\""), "");
      return std::regex_replace(plain, std::regex("local_memory=\"1073741824\""),
                                "subtype=\"" + it.first + "\" $&");
    });
    EXPECT_EQ(node.numa_nodes[0].kind, it.second);
    EXPECT_THAT(nearest_nodes(node), ElementsAre(4, 5, 6, 7));
  }
}

TEST(Load, WhereThereIsOnlySpecialMemoryNoneIsNearest) {
  const auto node = changed("64intel64-fakeKNL-SNC4-hybrid.xml", [](const std::string& text) {
    const auto gpus = std::regex_replace(text, std::regex("\"MCDRAM\""), "\"GPUMemory\"");
    return std::regex_replace(gpus, std::regex("local_memory=\"1073741824\""),
                              "subtype=\"NVM\" $&");
  });
  for (const auto& unit : node.pus) EXPECT_EQ(unit.numa, -1);
}

std::string line(const device& it) {
  std::string text(name_of(it.kind));
  text += " " + it.address + " " + std::to_string(it.link_mb_per_s) + " " +
          std::to_string(it.near.first) + "+" + std::to_string(it.near.count);
  for (const auto& name : it.names) text += " " + name;
  return text;
}

std::vector<std::string> devices_of(const machine& node, device_kind kind) {
  std::vector<std::string> lines;
  for (const auto& it : node.devices) {
    if (it.kind == kind) lines.push_back(line(it));
  }
  return lines;
}

TEST(Load, DevicesHaveNamesAddressesAndPlaces) {
  const auto lassen = captured("coral-lassen.xml");
  EXPECT_THAT(devices_of(lassen, device_kind::gpu),
              ElementsAre("gpu 0004:04:00.0 15754 0+80 nvml0 cuda0",
                          "gpu 0004:05:00.0 15754 0+80 nvml1 cuda1",
                          "gpu 0035:03:00.0 15754 80+80 nvml2 cuda2",
                          "gpu 0035:04:00.0 15754 80+80 nvml3 cuda3"));
  EXPECT_THAT(devices_of(lassen, device_kind::network),
              ElementsAre("network 0003:01:00.0 15754 0+80 hsi0 mlx5_0",
                          "network 0003:01:00.1 15754 0+80 hsi1 mlx5_1",
                          "network 0005:01:00.0 1000 0+80 enP5p1s0f0",
                          "network 0005:01:00.1 1000 0+80 enP5p1s0f1",
                          "network 0033:01:00.0 15754 80+80 hsi2 mlx5_2",
                          "network 0033:01:00.1 15754 80+80 hsi3 mlx5_3"));
  // On this machine every GPU die belongs to one L3 of 16 PUs.
  EXPECT_THAT(devices_of(captured("eas-tioga.xml"), device_kind::gpu),
              testing::Contains("gpu 0000:c1:00.0 31508 96+16 rsmi0"));
}

TEST(Load, ADeviceIsCalledByItsMostUsefulName) {
  const auto node = changed("coral-lassen.xml", [](const std::string& text) {
    const std::regex nvml("name=\"nvml([0-9])\"([^>]*)osdev_type=\"1\"");
    return std::regex_replace(text, nvml, "name=\"opencl0d$1\"$2osdev_type=\"5\"");
  });
  EXPECT_THAT(devices_of(node, device_kind::gpu),
              testing::Contains("gpu 0004:04:00.0 15754 0+80 opencl0d0 cuda0"));
}

TEST(Load, TheVgaOfAManagementBoardIsNoGpu) {
  // 0002:02:00.0, ASPEED on lassen, and 0000:05:03.0, Matrox.
  for (const auto* name : {"coral-lassen.xml", "32em64t-2n8c2t-pci-wholeio.xml"}) {
    for (const auto& it : captured(name).devices) {
      EXPECT_NE(it.address, "0002:02:00.0");
      EXPECT_NE(it.address, "0000:05:03.0");
    }
  }
}

TEST(Load, CoresOfUnequalKindHaveRanks) {
  const auto node = captured("hybrid-4p8e.xml");
  ASSERT_EQ(node.pus.size(), 16U);
  for (const auto& unit : node.pus) {
    EXPECT_EQ(unit.kind, unit.os_index < 8 ? 1 : 0) << unit.os_index;
    EXPECT_EQ(unit.l2, unit.os_index < 8 ? unit.os_index / 2 : 4 + (unit.os_index - 8) / 4);
  }
  for (const auto& unit : captured("eas-tioga.xml").pus) EXPECT_EQ(unit.kind, 0);
}

TEST(Load, ThisMachinesDevicesAreLookedForOnRequestOnly) {
  EXPECT_TRUE(load_this_machine().value().devices.empty());
  const auto node = load_this_machine(detail::devices_too);
  ASSERT_TRUE(node) << node.error().text();
  std::set<std::string> addresses;
  for (const auto& it : node->devices) addresses.insert(it.address);
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net")) {
    std::error_code code;
    const auto bus = std::filesystem::canonical(entry.path() / "device/subsystem", code);
    if (code || bus.filename() != "pci") continue;
    const auto address = std::filesystem::canonical(entry.path() / "device").filename().string();
    EXPECT_EQ(addresses.count(address), 1U) << address;
  }
}

TEST(Load, BadXmlIsOneClearLine) {
  const auto path = temporary_xml();
  for (const auto* content : {"", "hello", "<topology version=\"2.0\">", "<html></html>"}) {
    std::ofstream(path) << content;
    const auto node = load_xml(path);
    ASSERT_FALSE(node) << content;
    EXPECT_THAT(node.error().text(), HasSubstr("cannot load topology \"" + path.string() + "\": "));
    EXPECT_THAT(node.error().text(), HasSubstr("lstopo"));
  }
  std::filesystem::remove(path);
  const auto missing = load_xml(path);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().text(), HasSubstr("No such file or directory"));
}

TEST(Load, BadSyntheticNotationIsOneClearLine) {
  for (const auto* bad :
       {"", "hello", "core:0", "core:2 package:2 pu:-1", "package:10 core:100 pu:9"}) {
    const auto node = load_synthetic(bad);
    ASSERT_FALSE(node) << bad;
    EXPECT_THAT(node.error().text(),
                HasSubstr("cannot build topology \"" + std::string(bad) + "\": "));
  }
}

TEST(Load, ADescriptionIsAFileOrElseSyntheticNotation) {
  EXPECT_EQ(load_described("package:2 core:2 pu:1").value(),
            load_synthetic("package:2 core:2 pu:1").value());
  const std::string file = BERTH_TEST_DATA "/topologies/eas-tioga.xml";
  EXPECT_EQ(load_described(file).value(), load_xml(file).value());
  for (const auto* missing : {"tioga.xml", "/nowhere/tioga"}) {
    const auto node = load_described(missing);
    ASSERT_FALSE(node);
    EXPECT_THAT(node.error().text(), HasSubstr("No such file or directory"));
  }
  EXPECT_THAT(load_described("hello").error().text(), HasSubstr("not hwloc's synthetic notation"));
}

TEST(Load, AFileOfHwloc3SaysWhatToDo) {
  const auto path = temporary_xml();
  std::ofstream(path) << "<?xml version=\"1.0\"?>\n<topology version=\"3.0\">\n</topology>\n";
  EXPECT_THAT(load_xml(path).error().text(), HasSubstr("--export-xml-flags v2"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace berth::topology
