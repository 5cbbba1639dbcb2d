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
  EXPECT_EQ(lassen.numa_os_indexes.at(static_cast<std::size_t>(lassen.pus.front().numa)), 0);
  EXPECT_EQ(lassen.numa_os_indexes.at(static_cast<std::size_t>(lassen.pus.back().numa)), 8);
}

std::set<int> nearest_nodes(const machine& node) {
  std::set<int> nearest;
  for (const auto& unit : node.pus) {
    nearest.insert(node.numa_os_indexes.at(static_cast<std::size_t>(unit.numa)));
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
  const auto node = load_synthetic("package:2 numa:1 l3:2 core:1 pu:2").value();
  const auto expected =
      std::vector<pu>{{0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {2, 1, 1, 0, 0}, {3, 1, 1, 0, 0},
                      {4, 2, 2, 1, 1}, {5, 2, 2, 1, 1}, {6, 3, 3, 1, 1}, {7, 3, 3, 1, 1}};
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

}  // namespace
}  // namespace berth::topology
