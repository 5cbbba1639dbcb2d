#include "models/log_sum.hpp"

#include <cmath>
#include <numbers>

namespace berth::apps {

void log_sum::add(double value) noexcept {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  const double high = std::ldexp(std::log(mantissa), 30);  // in (-2^30, 0]
  const double whole = std::floor(high);
  parts_[0] += exponent;
  parts_[1] += static_cast<std::int64_t>(whole);
  parts_[2] += static_cast<std::int64_t>(std::ldexp(high - whole, 30));
}

void log_sum::add(const log_sum& other) noexcept {
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i] += other.parts_[i];
}

void log_sum::sum(const communicator& comm) {
  comm.sum(std::span<std::int64_t>(parts_));
}

void log_sum::join(const log_sum& more) noexcept {
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i] += more.parts_[i];
}

log_sum log_sum::of(const fixed_point& parts) noexcept {
  log_sum made;
  made.parts_ = parts;
  return made;
}

double log_sum::value() const noexcept {
  const long double rest = std::ldexp(static_cast<long double>(parts_[1]), -30) +
                           std::ldexp(static_cast<long double>(parts_[2]), -60);
  return static_cast<double>(
      static_cast<long double>(parts_[0]) * std::numbers::ln2_v<long double> + rest);
}

}  // namespace berth::apps
