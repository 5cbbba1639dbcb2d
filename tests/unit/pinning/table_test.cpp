#include "pinning/table.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "planned_step.hpp"

namespace berth::pinning {
namespace {

std::string table_of(const step_text& text, std::vector<int> tasks = {}, bool bold = false) {
  const planned_step step(text);
  if (tasks.empty()) {
    tasks.resize(static_cast<std::size_t>(text.tasks));
    std::iota(tasks.begin(), tasks.end(), 0);
  }
  return table(step.get(), tasks, bold);
}

TEST(Table, HasALineForEachTaskInAlignedColumns) {
  EXPECT_EQ(table_of({.machine = "package:2 numa:1 core:6 pu:2", .tasks = 2}),
            "task  threads  cores  NUMA  memory  device  cpuset\n"
            "   0        6  0-5    0     -       -       0,2,4,6,8,10\n"
            "   1        6  6-11   1     -       -       12,14,16,18,20,22\n");
}

TEST(Table, ShowsOnlyTheTasksAskedFor) {
  EXPECT_EQ(table_of({.machine = "core:256 pu:1", .tasks = 256}, {7, 255}),
            "task  threads  cores  NUMA  memory  device  cpuset\n"
            "   7        1  7      0     -       -       7\n"
            " 255        1  255    0     -       -       255\n");
}

TEST(Table, ShowsMemoryAndDevice) {
  const auto text =
      table_of({.machine = "32em64t-2n8c2t-pci-wholeio.xml", .asked = "device:cuda0,mem=local"});
  EXPECT_THAT(text, testing::HasSubstr("bind:1  cuda0"));
}

TEST(Table, OfAnyLengthKeepsItsColumns) {
  const auto text = table_of({.machine = "package:2 numa:4 l3:3 core:8 pu:2", .tasks = 256});
  const auto lines = split(text, '\n');
  ASSERT_EQ(lines.size(), 258U);  // headings, 256 tasks, and what follows the last newline
  const auto column = lines.front().find("cpuset");
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    EXPECT_EQ(lines[i].find_last_of(' ') + 1, column) << lines[i];
  }
}

TEST(Table, MakesRoomForTheLongestText) {
  EXPECT_EQ(
      table_of({.machine = "package:3 numa:2 core:2 pu:1", .asked = "mem=interleave", .tasks = 2}),
      "task  threads  cores  NUMA  memory          device  cpuset\n"
      "   0        6  0-5    0-2   interleave:0-2  -       0-5\n"
      "   1        6  6-11   3-5   interleave:3-5  -       6-11\n");
}

TEST(Table, HasBoldHeadingsWhereAsked) {
  const step_text text{.machine = "pu:1"};
  const auto bold = table_of(text, {}, true);
  EXPECT_THAT(bold, testing::StartsWith("\033[1mtask "));
  EXPECT_THAT(bold, testing::HasSubstr("cpuset\033[0m\n"));
  EXPECT_THAT(table_of(text), testing::Not(testing::HasSubstr("\033")));
}

}  // namespace
}  // namespace berth::pinning
