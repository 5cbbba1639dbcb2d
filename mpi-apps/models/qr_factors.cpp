#include "models/qr_factors.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/blas_setup.hpp"
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

// A square matrix of small blocks, so that each rank of `grid` has some of a few columns.
template <class At>
result<distributed_matrix> spread(const communicator& comm, const process_grid& grid,
                                  std::size_t order, At&& at) {
  const auto n = static_cast<std::int64_t>(order);
  const auto block = std::clamp<std::int64_t>(n / (2 * grid.cols()), 1, 64);
  auto a = agree(comm, distributed_matrix::create(grid, n, n, block, block));
  for (int j = 0; a && j < a->local_cols(); ++j) {
    for (int i = 0; i < a->local_rows(); ++i) {
      a->local(i, j) = at(static_cast<std::size_t>(a->global_row(i)),
                          static_cast<std::size_t>(a->global_col(j)));
    }
  }
  return a;
}

// A'x, on every rank. Collective.
std::vector<double> times_transposed(const communicator& comm, const distributed_matrix& a,
                                     const double* x) {
  std::vector<double> product(static_cast<std::size_t>(a.cols()), 0);
  for (int j = 0; j < a.local_cols(); ++j) {
    for (int i = 0; i < a.local_rows(); ++i) {
      product[static_cast<std::size_t>(a.global_col(j))] += a.local(i, j) * x[a.global_row(i)];
    }
  }
  comm.sum(std::span<double>(product));
  return product;
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
  auto ok = visit_metered(source, shares, "orthogonalise", flops, add, true);
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
  const more_blas_threads threads(source.threads);
  if (source.log != nullptr) source.log->saw_threads(source.threads);
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

result<std::vector<std::size_t>> dependent_columns(const communicator& comm,
                                                   const qr_factor& factor) {
  const auto grid = process_grid::square(comm);
  auto a = spread(comm, grid, factor.order, [&factor](std::size_t i, std::size_t j) {
    return i <= j ? factor.root[i * factor.order + j] : 0;
  });
  if (!a) return pass(std::move(a));
  const auto pivots = pivoted_qr(comm, *a);
  if (!pivots) return failure(pivots.error());
  const double least = static_cast<double>(factor.order) * epsilon * pivots->sizes[0];
  std::vector<std::size_t> dependent;
  for (std::size_t k = 0; k < factor.order; ++k) {
    if (!(pivots->sizes[k] > least)) {
      dependent.push_back(static_cast<std::size_t>(pivots->columns[k]));
    }
  }
  std::ranges::sort(dependent);
  return dependent;
}

result<shortest_solution> solve_svd(const communicator& comm, const normal_system& system,
                                    const qr_factor& factor) {
  const std::size_t n = system.order;
  const std::size_t first = system.intercept ? 1 : 0;
  const std::size_t m = n - first;
  const auto grid = process_grid::square(comm);
  auto a = spread(comm, grid, m, [&](std::size_t i, std::size_t j) {
    return i <= j ? factor.root[(i + first) * n + j + first] / system.unit[j + first] : 0;
  });
  if (!a) return pass(std::move(a));
  auto left = *a;
  auto right = *a;
  const auto values = singular_values(comm, *a, left, right);
  if (!values) return failure(values.error());
  const double tolerance =
      epsilon * static_cast<double>(std::max(system.gram->rows, static_cast<std::int64_t>(m)));
  const auto rank = static_cast<std::size_t>(
      std::ranges::count_if(*values, [&](double s) { return s > tolerance * values->front(); }));
  shortest_solution out{{}, rank + first};
  for (std::size_t t = 0; t < system.targets(); ++t) {
    auto inner = times_transposed(comm, left, &factor.targets[t * n + first]);
    for (std::size_t k = 0; k < m; ++k) inner[k] = k < rank ? inner[k] / (*values)[k] : 0;
    const auto b = times_transposed(comm, right, inner.data());
    const double unit = system.unit[n + t];
    double constant = factor.targets[t * n];
    for (std::size_t j = 0; j < m; ++j) {
      if (first == 1) constant -= factor.root[j + 1] / system.unit[j + 1] * b[j];
    }
    if (first == 1) {
      out.coefficients.push_back(constant / (factor.root[0] / system.unit[0]) / unit);
    }
    for (const double each : b) out.coefficients.push_back(each / unit);
  }
  return out;
}

}  // namespace berth::apps
