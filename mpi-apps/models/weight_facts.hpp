#pragma once
// What a pass learns of the weights of the rows.

#include <cmath>

#include "models/least_squares.hpp"
#include "models/log_sum.hpp"

namespace berth::apps {

struct weight_facts {
  std::int64_t counted = 0;  // rows with a weight above zero
  std::int64_t bad = 0;      // negative or not finite
  log_sum logarithms;        // of the weights above zero, as long as none is bad

  void add(const row_view& rows) {
    if (rows.weights == nullptr) {
      counted += rows.range.count;
      return;
    }
    for (std::int64_t i = 0; i < rows.range.count; ++i) {
      const double weight = rows.weights[i];
      if (weight > 0) ++counted;
      if (!(weight >= 0 && std::isfinite(weight))) {
        ++bad;
      } else if (weight > 0) {
        logarithms.add(weight);
      }
    }
  }

  void add(const weight_facts& other) noexcept {
    counted += other.counted;
    bad += other.bad;
    logarithms.add(other.logarithms);
  }

  static failure refuse() { return fail("weights: some are negative or not finite"); }
};

}  // namespace berth::apps
