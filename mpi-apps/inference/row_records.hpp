#pragma once
// This rank's rows of a solved problem, kept: 8 bytes a number.

#include "data/buffer.hpp"
#include "inference/influence.hpp"
#include "inference/solved_rows.hpp"
#include "models/model.hpp"

namespace berth::apps {

class row_records {
 public:
  row_records(row_range range, std::size_t targets, bool weighted, bool leverages);

  /// Rows of the range, each once; other rows may be added in other threads.
  void add(const solved_rows& rows);

  [[nodiscard]] row_range range() const noexcept { return range_; }
  [[nodiscard]] bool has_leverages() const noexcept { return has_leverages_; }
  [[nodiscard]] double root_of_weight(std::int64_t i) const noexcept;
  /// Residual of row i of the range times the root of its weight.
  [[nodiscard]] double weighted_residual(std::int64_t i, std::size_t target) const noexcept;
  [[nodiscard]] double leverage(std::int64_t i) const noexcept;
  /// With NaN for what leverages are needed for, where there are none.
  [[nodiscard]] fitted_row row(std::int64_t i, std::size_t target,
                               const residual_scale& scale) const;

 private:
  row_range range_;
  std::size_t targets_;
  bool has_leverages_;
  buffer<double> fitted_;
  buffer<double> residuals_;
  buffer<double> roots_;  // empty: all 1
  buffer<double> leverages_;
};

/// A sample of rows for pictures, the same on any number of ranks: about `wanted` rows by the hash
/// of their numbers (all, where there are no more), and the `extreme` most extreme ones by
/// residual, leverage and Cook's distance. Ascending, on every rank. Collective.
std::vector<fitted_row> sample_rows(const communicator& comm, const row_records& records,
                                    std::int64_t total, std::size_t target,
                                    const residual_scale& scale, std::int64_t wanted = 2000,
                                    std::size_t extreme = 10);

}  // namespace berth::apps
