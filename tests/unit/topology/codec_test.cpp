#include "topology/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "topology/load.hpp"

namespace berth::topology {
namespace {

const std::string small = "berth-topology 1\nnuma 0 8\npu 0 0 0 0 0\npu 5 1 -1 1 0\nend\n";

TEST(Codec, ReadsItsDocumentedForm) {
  const machine expected{.pus = {{.os_index = 0, .core = 0, .l3 = 0, .numa = 0, .package = 0},
                                 {.os_index = 5, .core = 1, .l3 = -1, .numa = 1, .package = 0}},
                         .numa_os_indexes = {0, 8}};
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
  for (int i = 0; i < max_pus; ++i) {
    node.numa_os_indexes.push_back(max_os_index - i);
    node.pus.push_back({max_os_index - i, i, max_pus - 1, max_pus - 1, max_pus - 1});
  }
  EXPECT_EQ(decode(encode(node)).value(), node);
}

TEST(Codec, RefusesEveryPrefixOfAText) {
  for (std::size_t n = 0; n < small.size(); ++n) {
    EXPECT_FALSE(decode(std::string_view(small).substr(0, n))) << n;
  }
}

TEST(Codec, RefusesHostileText) {
  const std::string head = "berth-topology 1\nnuma 0\n";
  std::string too_many = head;
  for (int i = 0; i <= max_pus; ++i) too_many += "pu " + std::to_string(i) + " 0 0 0 0\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1"},
      {"berth-topology 2\nnuma 0\npu 0 0 0 0 0\nend\n", "line 1"},
      {"berth-topology 1\nnuma x\npu 0 0 0 0 0\nend\n", "line 2"},
      {"berth-topology 1\nnuma  0\npu 0 0 0 0 0\nend\n", "line 2"},
      {"berth-topology 1\npu 0 0 0 0 0\nend\n", "line 2"},
      {head + "end\n", "has no PUs"},
      {head + "pu 0 0 0 0 0\nend\nmore", "line 5"},
      {head + "pu 0 0 0 0 0\nend\n\n", "line 5"},
      {head + "pu 0 0 0 0\nend\n", "line 3"},
      {head + "pu 0 0 0 0 0 0\nend\n", "line 3"},
      {head + "pu 0 0 0 0 0 \nend\n", "line 3"},
      {head + "pu 0 0 0 0 0\r\nend\n", "line 3"},
      {head + "pu +0 0 0 0 0\nend\n", "line 3"},
      {head + "pu -2 0 0 0 0\nend\n", "line 3"},
      {head + "pu 00 0 0 0 0\nend\n", "line 3"},
      {head + "pu 0x1 0 0 0 0\nend\n", "line 3"},
      {head + "pu 99999999999999999999 0 0 0 0\nend\n", "line 3"},
      {head + std::string("pu 0\0 0 0 0 0\nend\n", 19), "line 3"},
      {head + "pu -1 0 0 0 0\nend\n", "outside"},
      {head + "pu 1048576 0 0 0 0\nend\n", "outside"},
      {head + "pu 0 1 0 0 0\nend\n", "out of order"},
      {head + "pu 0 0 0 1 0\nend\n", "does not exist"},
      {head + "pu 0 0 0 0 0\npu 0 0 0 0 0\nend\n", "appears twice"},
      {too_many + "end\n", "at most 8192"},
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
