#include "common/phases.hpp"

#include <fmt/format.h>

namespace berth::apps {

double phase_clock::now() const {
  comm_->barrier();
  return MPI_Wtime();
}

double phase_clock::total() const noexcept {
  double sum = 0;
  for (const auto& each : phases_) sum += each.seconds;
  return sum;
}

std::string phases_text(const std::vector<phase>& phases) {
  std::string text;
  double total = 0;
  for (const auto& each : phases) {
    text += fmt::format("{} {:.3f} s, ", each.name, each.seconds);
    total += each.seconds;
  }
  return text + fmt::format("total {:.3f} s", total);
}

}  // namespace berth::apps
