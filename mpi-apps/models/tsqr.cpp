#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "common/collective.hpp"
#include "models/metered.hpp"
#include "models/qr_factors.hpp"
#include "models/system_rows.hpp"

namespace berth::apps {

namespace {

// The transposed problem, because rows come as columns of a column-major matrix: [L A'] = L Q.
class lower_factor {
 public:
  lower_factor(std::size_t order, std::size_t at_once)
      : order_(order), capacity_(order + at_once), work_(order * capacity_), tau_(order) {}

  [[nodiscard]] std::size_t order() const noexcept { return order_; }
  [[nodiscard]] double* free_row() noexcept { return &work_[(order_ + used_) * order_]; }
  void take_row() {
    if (++used_ == capacity_ - order_) factor();
  }

  void factor() {
    if (used_ == 0) return;
    const auto n = static_cast<lapack_int>(order_);
    const auto cols = static_cast<lapack_int>(order_ + used_);
    LAPACKE_dgelqf(LAPACK_COL_MAJOR, n, cols, work_.data(), n, tau_.data());
    for (std::size_t j = 1; j < order_; ++j) {
      std::fill_n(&work_[j * order_], j, 0.0);
    }
    used_ = 0;
  }

  /// [L other's L] becomes L.
  void append(const std::vector<double>& other) {
    for (std::size_t i = 0; i < order_; ++i) {
      std::copy_n(&other[i * order_], order_, free_row());
      take_row();
    }
    factor();
  }
  std::vector<double> finish() {
    factor();
    work_.resize(order_ * order_);
    return std::move(work_);
  }

  /// L of all ranks on every rank. Collective.
  std::vector<double> reduce(const communicator& comm) {
    factor();
    const std::size_t size = order_ * order_;
    for (int step = 1; step < comm.size(); step *= 2) {
      if (comm.rank() % (2 * step) == step) {
        comm.send(std::span<const double>(work_).first(size), comm.rank() - step);
        break;
      }
      if (comm.rank() % (2 * step) == 0 && comm.rank() + step < comm.size()) {
        std::vector<double> other(size);
        comm.receive(other, comm.rank() + step);
        append(other);
      }
    }
    work_.resize(size);
    comm.broadcast(std::span<double>(work_));
    return std::move(work_);
  }

 private:
  std::size_t order_;
  std::size_t capacity_;
  std::size_t used_ = 0;
  std::vector<double> work_;  // order x capacity by columns: L, then rows
  std::vector<double> tau_;
};

}  // namespace

result<qr_factor> factor_tsqr(const communicator& comm, const row_source& source,
                              const normal_system& system, int& passes) {
  ++passes;
  const std::size_t count = system.unit.size();
  const std::size_t at_once = std::max<std::size_t>(512, 2 * count);
  const auto shares = shares_of(source, static_cast<double>(count * (count + at_once)) * 8);
  std::vector<lower_factor> factors;
  for (std::size_t k = 0; k < shares.size(); ++k) factors.emplace_back(count, at_once);
  const auto add = [&](std::size_t share, const row_view& rows) {
    for (std::int64_t i = 0; i < rows.range.count; ++i) {
      fill_row(system, rows, i, factors[share].free_row());
      factors[share].take_row();
    }
  };
  const double flops = 2 * static_cast<double>(count * count);
  auto ok = visit_metered(source, shares, "factor", flops, add, true);
  if (!ok) return pass(std::move(ok));
  for (std::size_t k = 1; k < factors.size(); ++k) factors[0].append(factors[k].finish());
  const auto lower = factors[0].reduce(comm);
  // Column-major L is row-major R.
  const std::size_t n = system.order;
  qr_factor out{n, std::vector<double>(n * n, 0), {}};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) out.root[i * n + j] = lower[i * count + j];
  }
  for (std::size_t t = n; t < count; ++t) {
    for (std::size_t i = 0; i < n; ++i) out.targets.push_back(lower[i * count + t]);
  }
  return out;
}

}  // namespace berth::apps
