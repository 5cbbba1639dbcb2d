#include "plugin/srun_words.hpp"

#include <gtest/gtest.h>

namespace berth::plugin {
namespace {

using words = std::vector<std::string>;

variables only(const std::string& name, const std::string& value) {
  return
      [=](const std::string& asked) { return asked == name ? std::optional(value) : std::nullopt; };
}

const auto nothing = only("", "");

TEST(SrunWords, TellWhetherSeveralTasksStart) {
  for (const words& several : {words{"-n2"},
                               {"-n", "8"},
                               {"-N2"},
                               {"-N", "2-4"},
                               {"--ntasks=3"},
                               {"--nodes", "2"},
                               {"--mpi=pmix", "--ntasks-per-node=4"}}) {
    EXPECT_TRUE(starts_several_tasks(several, nothing)) << several.front();
  }
  for (const words& one : {words{}, {"-n1"}, {"-n", "1", "-N", "1"}, {"--ntasks=1"}}) {
    EXPECT_FALSE(starts_several_tasks(one, nothing));
  }
  EXPECT_TRUE(starts_several_tasks({}, only("SLURM_NTASKS", "4")));
  EXPECT_FALSE(starts_several_tasks({"-n1"}, only("SLURM_NTASKS", "4")));
  EXPECT_TRUE(starts_several_tasks({}, only("SLURM_NNODES", "2")));
}

TEST(SrunWords, TellHowManyTasksANodeGets) {
  EXPECT_EQ(tasks_on_node({}, nothing), 1U);
  EXPECT_EQ(tasks_on_node({"-n8", "-N", "3"}, nothing), 3U);
  EXPECT_EQ(tasks_on_node({"-N2-4", "--ntasks=8"}, nothing), 4U);
  EXPECT_EQ(tasks_on_node({"--ntasks-per-node=5", "-N2"}, nothing), 5U);
  EXPECT_EQ(tasks_on_node({"-n1000000"}, nothing), 4096U);
}

TEST(SrunWords, HoldTheValueOfAnOptionInBothForms) {
  EXPECT_EQ(option_value({"--mpi=pmi2"}, "--mpi"), "pmi2");
  EXPECT_EQ(option_value({"--mpi", "pmix"}, "--mpi"), "pmix");
  EXPECT_EQ(option_value({"--mpix=1"}, "--mpi"), std::nullopt);
}

}  // namespace
}  // namespace berth::plugin
