#pragma once
// Wall-clock time of a program's phases, the same for all ranks.

#include <string>
#include <utility>
#include <vector>

#include "common/mpi.hpp"

namespace berth::apps {

struct phase {
  std::string name;
  double seconds = 0;
};

/// Times phases between barriers, so that a phase lasts until its slowest rank is done.
class phase_clock {
 public:
  explicit phase_clock(const communicator& comm) : comm_(&comm) {}

  /// Runs `work` on all ranks and records its time; returns what it returns. Collective.
  template <class Work>
  auto time(std::string name, Work&& work) {
    const double start = now();
    auto outcome = work();
    phases_.push_back({std::move(name), now() - start});
    return outcome;
  }

  [[nodiscard]] const std::vector<phase>& phases() const noexcept { return phases_; }
  /// Seconds of all phases.
  [[nodiscard]] double total() const noexcept;

 private:
  [[nodiscard]] double now() const;
  const communicator* comm_;  // borrowed
  std::vector<phase> phases_;
};

/// "read 0.012 s, solve 0.034 s, total 0.046 s"
std::string phases_text(const std::vector<phase>& phases);

}  // namespace berth::apps
