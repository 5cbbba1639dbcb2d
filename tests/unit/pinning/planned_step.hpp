#pragma once
// A plan with all that it was made of, for the tests of what is shown of it.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "pinning/explain.hpp"
#include "topology/load.hpp"

namespace berth::pinning {

struct step_text {
  std::string machine = {};  // captured machine, or synthetic notation
  std::string asked = "auto";
  int tasks = 1;
  std::string cpus = {};  // Linux list; empty: all
  std::optional<int> threads = std::nullopt;
};

/// Owns what `planned` borrows.
class planned_step {
 public:
  explicit planned_step(const step_text& text)
      : planned_step(topology::load_described(text.machine.ends_with(".xml")
                                                  ? BERTH_TEST_DATA "/topologies/" + text.machine
                                                  : text.machine)
                         .value(),
                     text) {}
  planned_step(topology::machine node, const step_text& text)
      : node_(std::move(node)),
        work_{
            .pus = text.cpus.empty() ? topology::os_indexes(node_) : parse_list(text.cpus).value(),
            .numa_nodes = std::nullopt,
            .tasks = text.tasks,
            .threads_per_task = text.threads},
        asked_(parse_request(text.asked).value()),
        tasks_(plan(node_, work_, asked_).value()) {}

  [[nodiscard]] planned get() const { return {node_, work_, asked_, tasks_}; }

 private:
  topology::machine node_;
  workload work_;
  request asked_;
  std::vector<placement> tasks_;
};

inline const std::vector<std::string> captured_machines = {"coral-lassen.xml",
                                                           "epyc-corona.xml",
                                                           "eas-tioga.xml",
                                                           "AMD-17h-Zen-2xEpyc-7451.xml",
                                                           "Intel-CascadeLake-2xXeon6230.xml",
                                                           "64intel64-fakeKNL-SNC4-hybrid.xml",
                                                           "32em64t-2n8c2t-pci-wholeio.xml",
                                                           "16em64t-4s2c2t-offlines.xml"};

}  // namespace berth::pinning
