#include "models/qr_factors.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/collective.hpp"
#include "common/scalapack.hpp"
#include "models/metered.hpp"
#include "models/system_rows.hpp"

namespace berth::apps {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// PDGELS factors a panel of this many columns with level-2 operations: small suits few columns.
constexpr std::int64_t panel = 16;

// R of a symmetric matrix (row-major upper triangle = column-major lower triangle).
bool factor_in_place(std::vector<double>& upper, std::size_t n) {
  const auto order = static_cast<lapack_int>(n);
  return LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', order, upper.data(), order) == 0;
}

failure broke_down() {
  return fail("--solver cholqr2: the condition number is above 1e8; use --solver exact or tsqr",
              blame::run);
}

result<qr_factor> replicate(const communicator& comm, const normal_system& system,
                            const distributed_matrix& a, const distributed_matrix& b) {
  const auto n = static_cast<int>(system.order);
  const auto columns = a.replicate(comm, n, n);
  qr_factor out{system.order, std::vector<double>(columns.size(), 0), {}};
  for (std::size_t i = 0; i < system.order; ++i) {
    for (std::size_t j = i; j < system.order; ++j) {
      out.root[i * system.order + j] = columns[j * system.order + i];
    }
  }
  // PDGELS leaves the solution in B; Q'y = R b.
  out.targets = b.replicate(comm, n, static_cast<int>(system.targets()));
  for (std::size_t t = 0; t < system.targets(); ++t) {
    cblas_dtrmv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, n, out.root.data(), n,
                &out.targets[t * system.order], 1);
  }
  return out;
}

}  // namespace

result<qr_factor> factor_cholesky_twice(const communicator& comm, const row_source& source,
                                        const normal_system& system, int& passes) {
  const std::size_t n = system.order;
  std::vector<double> first(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) first[i * n + j] = system.at(i, j).hi;
  }
  if (!factor_in_place(first, n)) return broke_down();
  ++passes;
  const gram_columns columns{static_cast<std::int64_t>(n),
                             static_cast<std::int64_t>(system.targets()), false};
  const auto shares = shares_of(source, static_cast<double>(8 * n * n * sizeof(double)));
  std::vector<gram_builder> builders;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    builders.emplace_back(columns, blocks_of(source), gram_precision::plain);
  }
  const double flops = builders[0].flops_a_row() + static_cast<double>(n * n);
  const auto add = [&](std::size_t share, const row_view& rows) {
    const auto count = static_cast<std::size_t>(rows.range.count);
    std::vector<double> q(count * n);
    std::vector<double> y(count * system.targets());
    std::vector<double> row(system.unit.size());
    for (std::size_t i = 0; i < count; ++i) {
      fill_row(system, rows, static_cast<std::int64_t>(i), row.data());
      std::copy_n(row.data(), n, &q[i * n]);
      std::copy_n(row.data() + n, system.targets(), &y[i * system.targets()]);
    }
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit,
                static_cast<int>(count), static_cast<int>(n), 1, first.data(), static_cast<int>(n),
                q.data(), static_cast<int>(n));
    builders[share].add(rows.range, q.data(), y.data(), nullptr);
  };
  auto ok = visit_metered(source, shares, "orthogonalise", flops, add);
  if (!ok) return pass(std::move(ok));
  const auto gram = join_shares(std::move(builders)).finish(comm);
  std::vector<double> second(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) second[i * n + j] = gram.at(i, j).hi;
  }
  if (!factor_in_place(second, n)) return broke_down();
  qr_factor out{n, first, {}};
  const auto order = static_cast<int>(n);
  for (std::size_t t = 0; t < system.targets(); ++t) {
    for (std::size_t i = 0; i < n; ++i) out.targets.push_back(gram.at(i, columns.target(t)).hi);
    cblas_dtrsv(CblasRowMajor, CblasUpper, CblasTrans, CblasNonUnit, order, second.data(), order,
                &out.targets[t * n], 1);
  }
  cblas_dtrmm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, order, order, 1,
              second.data(), order, out.root.data(), order);
  return out;
}

result<qr_factor> factor_scalapack(const communicator& comm, const row_source& source,
                                   const normal_system& system, int& passes) {
  ++passes;
  if (source.rows < static_cast<std::int64_t>(system.order)) {
    return fail(
        "--solver scalapack needs at least as many rows as coefficients; use --solver "
        "exact");
  }
  const auto grid = process_grid::tall(comm);
  const auto block = partition_blocks(blocks_of(source), comm.size()).block;
  const auto cols = static_cast<std::int64_t>(system.order);
  const auto sides = static_cast<std::int64_t>(system.targets());
  auto a = agree(comm, distributed_matrix::create(grid, source.rows, cols, block, panel));
  if (!a) return pass(std::move(a));
  auto b = agree(comm, distributed_matrix::create(grid, source.rows, sides, block, sides));
  if (!b) return pass(std::move(b));
  std::vector<double> row(system.unit.size());
  int local = 0;
  auto ok = source.visit([&](const row_view& rows) {
    for (std::int64_t i = 0; i < rows.range.count; ++i, ++local) {
      fill_row(system, rows, i, row.data());
      for (int j = 0; j < a->local_cols(); ++j)
        a->local(local, j) = row[static_cast<std::size_t>(j)];
      for (int j = 0; j < b->local_cols(); ++j) {
        b->local(local, j) = row[system.order + static_cast<std::size_t>(j)];
      }
    }
  });
  if (!ok) return pass(std::move(ok));
  const stopwatch watch;
  if (auto solved = least_squares(comm, *a, *b); !solved) return pass(std::move(solved));
  const auto order = static_cast<double>(cols);
  log_work(source, "factor", watch, 2 * local * order * order, 0, true);
  return replicate(comm, system, *a, *b);
}

std::optional<triangle_pair> triangles_of(const qr_factor& factor) {
  const auto n = static_cast<lapack_int>(factor.order);
  triangle_pair pair{factor.order, factor.root, factor.root};
  if (LAPACKE_dtrtri(LAPACK_COL_MAJOR, 'L', 'N', n, pair.inverse.data(), n) != 0) {
    return std::nullopt;
  }
  if (!(condition(pair) * static_cast<double>(factor.order) * epsilon < 1)) return std::nullopt;
  return pair;
}

shortest_solution solve_svd(const normal_system& system, const qr_factor& factor) {
  const std::size_t n = system.order;
  const std::size_t first = system.intercept ? 1 : 0;
  const std::size_t m = n - first;
  const auto order = static_cast<lapack_int>(m);
  const auto sides = static_cast<lapack_int>(system.targets());
  std::vector<double> a(m * m);  // by columns
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = i; j < m; ++j) {
      a[j * m + i] = factor.root[(i + first) * n + j + first] / system.unit[j + first];
    }
  }
  std::vector<double> b;
  for (std::size_t t = 0; t < system.targets(); ++t) {
    b.insert(b.end(), factor.targets.data() + t * n + first, factor.targets.data() + (t + 1) * n);
  }
  std::vector<double> values(m);
  lapack_int rank = 0;
  const double tolerance =
      epsilon * static_cast<double>(std::max<std::int64_t>(system.gram->rows, order));
  LAPACKE_dgelsd(LAPACK_COL_MAJOR, order, order, sides, a.data(), order, b.data(), order,
                 values.data(), tolerance, &rank);
  shortest_solution out{{}, static_cast<std::size_t>(rank) + first};
  for (std::size_t t = 0; t < system.targets(); ++t) {
    const double unit = system.unit[n + t];
    double constant = factor.targets[t * n];
    for (std::size_t j = 0; j < m; ++j) {
      if (first == 1) constant -= factor.root[j + 1] / system.unit[j + 1] * b[t * m + j];
    }
    if (first == 1) {
      out.coefficients.push_back(constant / (factor.root[0] / system.unit[0]) / unit);
    }
    for (std::size_t j = 0; j < m; ++j) out.coefficients.push_back(b[t * m + j] / unit);
  }
  return out;
}

}  // namespace berth::apps
