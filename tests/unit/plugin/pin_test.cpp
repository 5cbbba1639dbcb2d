#include "plugin/pin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "container/environment.hpp"
#include "pinning/memory.hpp"
#include "topology/codec.hpp"
#include "topology/load.hpp"

namespace berth::plugin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

/// A step of two tasks on a machine of four cores, all of which slurmstepd may use.
step a_step(const std::string& words) {
  step self;
  const auto machine = topology::load_synthetic("package:2 core:2 pu:1").value();
  self.answer.reply.topology = topology::encode(machine);
  self.request.job.tasks_on_node = 2;
  self.request.job.node = "n7";
  self.cpus = {0, 1, 2, 3};
  self.granted_cpus = 4;
  self.masks.emplace(shared_masks::create(2).value());
  self.pin = pinning::parse_request(words).value();
  return self;
}

std::optional<std::string> value(const pinned_task& task, const std::string& name) {
  for (const auto& one : task.environment) {
    if (one.name == name) return one.value;
  }
  return std::nullopt;
}

TEST(PinThisTask, TellsItsLine) {
  const auto self = a_step("auto,dry-run");
  const auto first = pin_this_task(self, {0, 4}, {});
  const auto second = pin_this_task(self, {1, 5}, {});
  ASSERT_TRUE(first && second) << first.error().text();
  EXPECT_THAT(first->line, HasSubstr("rank 4 on n7: pinned cpuset=0-1 "));
  EXPECT_THAT(second->line, HasSubstr("rank 5 on n7: pinned cpuset=2-3 "));
}

// Where slurmstepd may use more than was granted, Slurm's masks tell what was.
TEST(PinThisTask, StaysWithinWhatSlurmGranted) {
  auto self = a_step("auto,dry-run");
  self.granted_cpus = 2;
  self.masks->store(0, {1});
  self.masks->store(1, {3});
  EXPECT_THAT(pin_this_task(self, {0, 0}, {})->line, HasSubstr("cpuset=1 "));
  EXPECT_THAT(pin_this_task(self, {1, 1}, {})->line, HasSubstr("cpuset=3 "));
}

TEST(PinThisTask, ThreadsAreTheUsersNumber) {
  const auto self = a_step("auto,dry-run");
  EXPECT_EQ(value(*pin_this_task(self, {0, 0}, {}), "OPENBLAS_NUM_THREADS"), "2");
  const auto asked = pin_this_task(self, {0, 0}, {"OMP_NUM_THREADS=1"});
  EXPECT_EQ(value(*asked, "OPENBLAS_NUM_THREADS"), "1");
  EXPECT_EQ(value(*asked, "OMP_NUM_THREADS"), std::nullopt) << "the user has set it";
}

TEST(PinThisTask, NothingIsSetThatTheSiteTakesAway) {
  auto self = a_step("auto,dry-run");
  self.answer.reply.site_environment.unset = {"OMP_PLACES", "HWLOC_XMLFILE"};
  self.answer.reply.topology_xml = "/proc/self/status";  // a file that is there
  const auto done = pin_this_task(self, {0, 0}, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(value(*done, "OMP_PLACES"), std::nullopt);
  EXPECT_EQ(value(*done, "HWLOC_XMLFILE"), std::nullopt);
  EXPECT_NE(value(*done, "OMP_NUM_THREADS"), std::nullopt);
}

TEST(PinThisTask, HwlocIsPointedToAFileThatIsThere) {
  auto self = a_step("auto,dry-run");
  self.answer.reply.topology_xml = "/proc/self/status";
  EXPECT_EQ(value(*pin_this_task(self, {0, 0}, {}), "HWLOC_XMLFILE"), "/proc/self/status");
  // An image that the file could not be mounted in: hwloc would fail.
  self.answer.reply.topology_xml = "/nowhere/topology.xml";
  EXPECT_EQ(value(*pin_this_task(self, {0, 0}, {}), "HWLOC_XMLFILE"), std::nullopt);
  EXPECT_EQ(value(*pin_this_task(self, {0, 0}, {}), "HWLOC_THISSYSTEM"), std::nullopt);
}

TEST(PinThisTask, PolicyNoneTouchesNothing) {
  auto self = a_step("none,dry-run");
  self.answer.reply.topology_xml = "/proc/self/status";
  const auto done = pin_this_task(self, {0, 0}, {});
  ASSERT_TRUE(done);
  EXPECT_THAT(done->environment, IsEmpty());
  EXPECT_THAT(done->line, HasSubstr("unpinned cpuset=0-3 "));
}

TEST(PinThisTask, AReplyWithoutAUsableMachineIsAnError) {
  auto self = a_step("auto,dry-run");
  for (const auto* text : {"", "berth-topology 2\n", "nonsense"}) {
    self.answer.reply.topology = text;
    EXPECT_FALSE(pin_this_task(self, {0, 0}, {})) << text;
  }
}

TEST(PinThisTask, WhatThisMachineLacksCannotBeApplied) {
  auto self = a_step("core");
  self.cpus = self.answer.reply.topology.empty() ? std::vector<int>{} : std::vector<int>{100'000};
  self.granted_cpus = 1;
  const auto done = pin_this_task(self, {0, 0}, {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("100000"));
}

}  // namespace
}  // namespace berth::plugin
