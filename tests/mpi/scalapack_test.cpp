#include "common/scalapack.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/collective.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Any well-conditioned symmetric positive definite matrix.
double entry(int i, int j) {
  return i == j ? 2.0 + i : 1.0 / (1 + i + j);
}

TEST(Scalapack, EveryGridHoldsAllRanks) {
  const auto tall = process_grid::tall(world());
  EXPECT_EQ(tall.rows(), world().size());
  EXPECT_EQ(tall.cols(), 1);
  EXPECT_EQ(tall.my_row(), world().rank());
  const auto square = process_grid::square(world());
  EXPECT_EQ(square.rows() * square.cols(), world().size());
  EXPECT_LE(std::abs(square.rows() - square.cols()), world().size() == 2 ? 1 : 0);
}

TEST(Scalapack, BlocksCoverTheMatrixOnce) {
  const auto grid = process_grid::square(world());
  auto m = distributed_matrix::create(grid, 11, 7, 3, 2);
  ASSERT_TRUE(m);
  for (int j = 0; j < m->local_cols(); ++j) {
    for (int i = 0; i < m->local_rows(); ++i) {
      m->local(i, j) = 100 * m->global_row(i) + m->global_col(j);
    }
  }
  const auto whole = m->replicate(world(), 11, 7);
  for (std::size_t j = 0; j < 7; ++j) {
    for (std::size_t i = 0; i < 11; ++i) {
      EXPECT_EQ(whole[j * 11 + i], 100 * static_cast<double>(i) + static_cast<double>(j));
    }
  }
}

TEST(Scalapack, CholeskySolvesAcrossBlocks) {
  constexpr int n = 37;
  const auto grid = process_grid::square(world());
  auto a = distributed_matrix::create(grid, n, n, 4, 4);
  auto b = distributed_matrix::create(grid, n, 1, 4, 4);
  ASSERT_TRUE(a && b);
  for (int j = 0; j < a->local_cols(); ++j) {
    for (int i = 0; i < a->local_rows(); ++i) {
      a->local(i, j) = entry(a->global_row(i), a->global_col(j));
    }
  }
  for (int j = 0; j < b->local_cols(); ++j) {
    for (int i = 0; i < b->local_rows(); ++i) {
      for (int k = 0; k < n; ++k) b->local(i, j) += entry(b->global_row(i), k) * (k + 1);
    }
  }
  EXPECT_EQ(*cholesky(*a), 0);
  ASSERT_TRUE(cholesky_solve(*a, *b));
  const auto x = b->replicate(world(), n, 1);
  for (int k = 0; k < n; ++k) {
    EXPECT_NEAR(x[static_cast<std::size_t>(k)], k + 1, 10 * n * n * epsilon);
  }
}

TEST(Scalapack, CholeskyNamesTheBadMinor) {
  const auto grid = process_grid::square(world());
  auto a = distributed_matrix::create(grid, 6, 6, 2, 2);
  ASSERT_TRUE(a);
  for (int j = 0; j < a->local_cols(); ++j) {
    for (int i = 0; i < a->local_rows(); ++i) {
      const bool diagonal = a->global_row(i) == a->global_col(j);
      a->local(i, j) = !diagonal ? 0 : a->global_row(i) == 3 ? -1 : 1;
    }
  }
  EXPECT_EQ(*cholesky(*a), 4);
}

// Of rank 5: row i holds i^k for k < 5, and sums of those.
distributed_matrix deficient(const process_grid& grid, int n) {
  auto a = distributed_matrix::create(grid, n, n, 3, 3);
  for (int j = 0; j < a->local_cols(); ++j) {
    for (int i = 0; i < a->local_rows(); ++i) {
      const double x = 1.0 + a->global_row(i) / static_cast<double>(n);
      for (int k = 0; k < 5; ++k) {
        a->local(i, j) += std::pow(x, k) * (a->global_col(j) == k ? 1 : entry(a->global_col(j), k));
      }
    }
  }
  return std::move(*a);
}

TEST(Scalapack, PivotsTellTheRank) {
  const auto grid = process_grid::square(world());
  auto a = deficient(grid, 19);
  const auto before = a.replicate(world(), 19, 19);
  std::vector<double> squares(19, 0);
  for (std::size_t k = 0; k < before.size(); ++k) squares[k / 19] += before[k] * before[k];
  const auto pivots = pivoted_qr(world(), a);
  ASSERT_TRUE(pivots);
  EXPECT_EQ(pivots->columns[0], std::ranges::max_element(squares) - squares.begin());
  EXPECT_NEAR(pivots->sizes[0], std::sqrt(std::ranges::max(squares)), 1e-13 * pivots->sizes[0]);
  EXPECT_GT(pivots->sizes[4], 1e-10 * pivots->sizes[0]);
  EXPECT_LT(pivots->sizes[5], 1e-14 * pivots->sizes[0]);
  auto columns = pivots->columns;
  std::ranges::sort(columns);
  for (std::int64_t k = 0; k < 19; ++k) EXPECT_EQ(columns[static_cast<std::size_t>(k)], k);
}

TEST(Scalapack, SingularValuesAndVectorsGiveTheMatrixBack) {
  constexpr int n = 19;
  const auto grid = process_grid::square(world());
  auto a = deficient(grid, n);
  auto u = a;
  auto vt = a;
  const auto before = a.replicate(world(), n, n);
  const auto values = singular_values(world(), a, u, vt);
  ASSERT_TRUE(values);
  EXPECT_LT((*values)[5], 1e-14 * (*values)[0]);
  const auto left = u.replicate(world(), n, n);
  const auto right = vt.replicate(world(), n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += left[k * n + i] * (*values)[k] * right[j * n + k];
      EXPECT_NEAR(sum, before[j * n + i], 1e-13 * (*values)[0]);
    }
  }
}

TEST(Scalapack, RefusesWhat32BitIntegersCannotCount) {
  const auto grid = process_grid::tall(world());
  const auto rows = distributed_matrix::create(grid, std::int64_t{1} << 31, 1, 1 << 30, 1);
  ASSERT_FALSE(rows);
  EXPECT_NE(rows.error().text().find("32-bit"), std::string::npos);
  const std::int64_t many = std::int64_t{1} << 30;
  EXPECT_FALSE(agree(world(), distributed_matrix::create(grid, many, 1000, many, 16)))
      << "local part too large";
}

}  // namespace
}  // namespace berth::apps
