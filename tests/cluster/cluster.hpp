#pragma once
// The Slurm cluster that the tests run against, used as a person uses it: from its login node.
//
//   BERTH_TEST_LOGIN  prefix of a command that runs the rest of its line as an unprivileged user on
//                     the login node; empty when this is the login node and we are that user
//   BERTH_TEST_LAB    prefix of the lab's own program, where the cluster is a lab: tests that need
//                     root on its nodes use it
//   BERTH_TEST_CGROUPS  set: every test fails unless Slurm has a cgroup for each job

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/subprocess.hpp"

namespace berth::test {

using words = std::vector<std::string>;

/// Runs a command on the login node, in the tests' folder below the user's home.
/// What srun says of its queue is left out of stderr.
outcome login(const words& command, const std::string& input = {});

/// The same for a script of bash.
outcome shell(const std::string& script, const std::string& input = {});

/// As root, on a node of the lab. @pre the cluster is a lab
outcome root_on(const std::string& node, const std::string& script);

/// As another user than the tests' own, on the lab's login node. @pre the cluster is a lab
outcome another_user(const std::string& script);

/// The folder in which `login` and `shell` run; removed when the program ends.
const std::string& folder();

/// An image in that folder: the user's own, so not trusted. It holds a shell and small tools, and
/// `probe`. In the folder it is called "own.sqsh".
const std::string& own_image();

/// The same image where only root can write. @pre the cluster is a lab
const std::string& trusted_image();

/// Copies a program of the build into the tests' folder.
void put_program(const std::string& name, const std::string& built);

/// Changes something on a node as root, and changes it back. @pre the cluster is a lab
class changed_node {
 public:
  changed_node(std::string node, const std::string& change, std::string undo);
  ~changed_node();
  changed_node(const changed_node&) = delete;
  changed_node& operator=(const changed_node&) = delete;

 private:
  std::string node_;
  std::string undo_;
};

/// Another text in a file's place, on this node alone. @pre the cluster is a lab
changed_node covered(const std::string& node, const std::string& file, const std::string& with);

/// Asks every 20 ms until it is true; false after `patience`.
bool comes_true(const std::function<bool()>& condition,
                std::chrono::seconds patience = std::chrono::seconds(20));

/// What Berth has told: those lines of stderr.
words our_lines(const outcome& end);

/// Text without its last newline.
std::string line(const std::string& text);

/// Skips where no cluster is named.
class ClusterTest : public ::testing::Test {
 protected:
  void SetUp() override;
};

/// Skips where the cluster is not a lab: the test needs root on its nodes.
class LabTest : public ClusterTest {
 protected:
  void SetUp() override;
};

}  // namespace berth::test
