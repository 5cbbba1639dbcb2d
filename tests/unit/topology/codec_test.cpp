#include "topology/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "topology/load.hpp"

namespace berth::topology {
namespace {

const std::string small =
    "berth-topology 2\n"
    "numa 0 dram 4096 0 1\n"
    "numa 8 hbm 0 1 1\n"
    "device gpu 0000:84:00.0 31500 1 1 card0 cuda0\n"
    "device network - 0 0 0 eth0\n"
    "pu 0 0 0 0 0 0 0\n"
    "pu 5 1 -1 -1 1 0 1\n"
    "end\n";

TEST(Codec, ReadsItsDocumentedForm) {
  const machine expected{
      .pus = {{.os_index = 0, .core = 0, .l2 = 0, .l3 = 0, .numa = 0, .package = 0, .kind = 0},
              {.os_index = 5, .core = 1, .l2 = -1, .l3 = -1, .numa = 1, .package = 0, .kind = 1}},
      .numa_nodes = {{.os_index = 0, .kind = memory_kind::dram, .bytes = 4096, .near = {0, 1}},
                     {.os_index = 8, .kind = memory_kind::hbm, .bytes = 0, .near = {1, 1}}},
      .devices = {{.kind = device_kind::gpu,
                   .address = "0000:84:00.0",
                   .names = {"card0", "cuda0"},
                   .link_mb_per_s = 31500,
                   .near = {1, 1}},
                  {.kind = device_kind::network, .names = {"eth0"}}}};
  EXPECT_EQ(decode(small).value(), expected);
  EXPECT_EQ(encode(expected), small);
}

TEST(Codec, KeepsEveryMachine) {
  for (const auto* description : {"pu:1", "package:2 numa:2 l3:2 core:3 pu:2", "numa:3 core:2 pu:4",
                                  "package:8 numa:8 l3:8 core:8 pu:2"}) {
    const auto node = load_synthetic(description).value();
    const auto text = encode(node);
    EXPECT_LT(text.size(), max_encoded);
    EXPECT_EQ(decode(text).value(), node) << description;
  }
}

TEST(Codec, TheLongestValidTextFits) {
  machine node;
  constexpr int last = max_pus - 1;
  for (int i = 0; i < max_pus; ++i) {
    node.pus.push_back({max_os_index - i, i, last, last, max_numa_nodes - 1, last, max_kinds - 1});
  }
  for (int i = 0; i < max_numa_nodes; ++i) {
    node.numa_nodes.push_back({.os_index = max_os_index - i,
                               .kind = memory_kind::other,
                               .bytes = UINT64_MAX,
                               .near = {last, 1}});
  }
  const std::string name(max_name, '~');
  node.devices.assign(max_devices, {.kind = device_kind::network,
                                    .address = name,
                                    .names = std::vector(max_device_names, name),
                                    .link_mb_per_s = 2147483647,
                                    .near = {last, 1}});
  EXPECT_EQ(decode(encode(node)).value(), node);
}

TEST(Codec, RefusesEveryPrefixOfAText) {
  for (std::size_t n = 0; n < small.size(); ++n) {
    EXPECT_FALSE(decode(std::string_view(small).substr(0, n))) << n;
  }
}

TEST(Codec, RefusesHostileText) {
  const std::string head = "berth-topology 2\nnuma 0 dram 1 0 1\n";
  const std::string rest = "pu 0 0 0 0 0 0 0\nend\n";
  const auto repeated = [](int times, const std::string& before, const std::string& after) {
    std::string text;
    for (int i = 0; i < times; ++i) text += before + std::to_string(i) + after;
    return text;
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1"},
      {"berth-topology 1\n" + rest, "line 1"},
      {"berth-topology 21\n" + rest, "line 1"},
      {"berth-topology 2\nnuma x dram 1 0 1\n" + rest, "line 2"},
      {"berth-topology 2\nnuma  0 dram 1 0 1\n" + rest, "line 2"},
      {"berth-topology 2\nnuma 0 fast 1 0 1\n" + rest, "line 2"},
      {"berth-topology 2\nnuma 0 dram -1 0 1\n" + rest, "line 2"},
      {"berth-topology 2\nnuma 0 dram 18446744073709551616 0 1\n" + rest, "line 2"},
      {"berth-topology 2\nnuma 0 dram 1 0\n" + rest, "line 2"},
      {"berth-topology 2\nnuma 0 dram 1 0 1 1\n" + rest, "line 2"},
      {"berth-topology 2\nnuma 0 dram 1 0 2\n" + rest, "outside the 1 PUs"},
      {"berth-topology 2\n" + repeated(1025, "numa ", " dram 1 0 1\n") + rest, "line 1026"},
      {"berth-topology 2\n" + repeated(1025, "device gpu - 0 0 0 d", "\n") + rest, "line 1026"},
      {head + "device\n" + rest, "line 3"},
      {head + "device gpu\n" + rest, "line 3"},
      {head + "device toy - 0 0 0 x\n" + rest, "line 3"},
      {head + "device gpu  0 0 0 x\n" + rest, "line 3"},
      {head + "device gpu - 0 0 x\n" + rest, "line 3"},
      {head + "device gpu - 0 0 0 1 2 3 4 5 6 7 8 9\n" + rest, "line 3"},
      {head + "device gpu - 0 0 0\n" + rest, "neither name nor address"},
      {head + "device gpu - 0 0 0 x \n" + rest, "not printable"},
      {head + "device gpu - 0 0 0 x\ty\n" + rest, "not printable"},
      {head + "device gpu - -1 0 0 x\n" + rest, "less than no bandwidth"},
      {head + "pu 0 0 0 0 0 0 0\nnuma 1 dram 1 0 1\nend\n", "line 4"},
      {head + "end\n", "has no PUs"},
      {head + rest + "more", "line 5"},
      {head + rest + "\n", "line 5"},
      {head + "pu 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu 0 0 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu 0 0 0 0 0 0 0 \nend\n", "line 3"},
      {head + "pu 0 0 0 0 0 0 0\r\nend\n", "line 3"},
      {head + "pu +0 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu -2 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu 00 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu 0x1 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu 99999999999999999999 0 0 0 0 0 0\nend\n", "line 3"},
      {head + std::string("pu 0\0 0 0 0 0 0 0\nend\n", 23), "line 3"},
      {head + "pu -1 0 0 0 0 0 0\nend\n", "outside"},
      {head + "pu 1048576 0 0 0 0 0 0\nend\n", "outside"},
      {head + "pu 0 1 0 0 0 0 0\nend\n", "out of order"},
      {head + "pu 0 0 0 0 1 0 0\nend\n", "does not exist"},
      {head + "pu 0 0 0 0 0 0 0\n" + rest, "appears twice"},
      {head + repeated(8193, "pu ", " 0 0 0 0 0 0\n") + "end\n", "line 8195"},
      {head + std::string(max_encoded, '\n'), "longer than"},
  };
  for (const auto& [text, says] : cases) {
    const auto node = decode(text);
    ASSERT_FALSE(node) << text.substr(0, 100);
    EXPECT_THAT(node.error().text(), testing::HasSubstr(says)) << text.substr(0, 100);
  }
}

/// Whatever a changed byte makes of the text, it is refused or a valid machine, never a crash.
TEST(Codec, SurvivesEveryChangedByte) {
  for (std::size_t at = 0; at < small.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto text = small;
      text[at] = static_cast<char>(byte);
      const auto node = decode(text);
      if (node) {
        EXPECT_EQ(encode(*node), text);
      }
    }
  }
}

}  // namespace
}  // namespace berth::topology
