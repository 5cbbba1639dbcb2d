#include "cli/run_pin.hpp"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

using environment = std::vector<std::string>;

local_share share(std::uint32_t local, std::uint32_t rank, int tasks) {
  return {{local, rank}, tasks};
}

TEST(ShareOf, WithoutALauncherIsTheWhole) {
  EXPECT_EQ(share_of({}), share(0, 0, 1));
  EXPECT_EQ(share_of({"SLURM_PROCID=3", "SLURM_LOCALID=1"}), share(0, 0, 1)) << "not a step";
}

TEST(ShareOf, FollowsSlurmsLayoutOfTheStep) {
  const std::tuple<const char*, const char*, const char*, local_share> table[] = {
      {"0", "0", "2(x3),1", share(0, 7, 2)},  {"2", "1", "2(x3),1", share(1, 7, 2)},
      {"3", "0", "2(x3),1", share(0, 7, 1)},  {"1", "15", "4,16", share(15, 7, 16)},
      {"4", "0", "2(x3),1", share(0, 7, 1)},  // a node that the list does not have
      {"0", "2", "2(x3),1", share(0, 7, 1)},  // a task that the list does not have
      {"0", "0", "nonsense", share(0, 7, 1)}, {"0", "0", "2(x", share(0, 7, 1)},
  };
  for (const auto& [node, local, list, expected] : table) {
    EXPECT_EQ(share_of({"SLURM_PROCID=7", std::string("SLURM_NODEID=") + node,
                        std::string("SLURM_LOCALID=") + local,
                        std::string("SLURM_STEP_TASKS_PER_NODE=") + list}),
              expected)
        << node << ' ' << local << ' ' << list;
  }
}

TEST(ShareOf, WhatSlurmHasDividedIsNotDividedAgain) {
  const environment step{"SLURM_PROCID=5", "SLURM_NODEID=1", "SLURM_LOCALID=1",
                         "SLURM_STEP_TASKS_PER_NODE=4,2", "SLURM_CPU_BIND_TYPE=mask_cpu:"};
  auto bound = step;
  bound.emplace_back("SLURM_CPU_BIND_LIST=0x1,0x2");
  EXPECT_EQ(share_of(bound), share(0, 5, 1));
  auto alike = step;
  alike.emplace_back("SLURM_CPU_BIND_LIST=0x3,0x3");
  EXPECT_EQ(share_of(alike), share(1, 5, 2));
}

TEST(ShareOf, FollowsMpirun) {
  environment ompi{"OMPI_COMM_WORLD_RANK=9", "OMPI_COMM_WORLD_LOCAL_RANK=1",
                   "OMPI_COMM_WORLD_LOCAL_SIZE=4", "SLURM_PROCID=0"};
  EXPECT_EQ(share_of(ompi), share(1, 9, 4));
  ompi.emplace_back("OMPI_MCA_orte_bound_at_launch=1");
  EXPECT_EQ(share_of(ompi), share(0, 9, 1));
  EXPECT_EQ(share_of({"PMI_RANK=6", "MPI_LOCALRANKID=2", "MPI_LOCALNRANKS=3"}), share(2, 6, 3));
  EXPECT_EQ(share_of({"PMI_RANK=6", "MPI_LOCALRANKID=3", "MPI_LOCALNRANKS=3"}), share(0, 0, 1));
}

}  // namespace
}  // namespace berth::cli
