#include "models/triangle.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

// R = [2 1 3; 0 4 5; 0 0 6], stored by columns; what is below the diagonal must not matter.
const upper_triangle r{{2, 99, 99, 1, 4, 99, 3, 5, 6}, 3};

TEST(Triangle, SolvesR) {
  std::vector<double> x{2 * 1 + 1 * 2 + 3 * 3, 4 * 2 + 5 * 3, 6 * 3};
  r.solve(x);
  EXPECT_EQ(x, (std::vector<double>{1, 2, 3}));
}

TEST(Triangle, SolvesRTransposed) {
  std::vector<double> x{2 * 1, 1 * 1 + 4 * 2, 3 * 1 + 5 * 2 + 6 * 3};
  r.solve_transposed(x);
  EXPECT_EQ(x, (std::vector<double>{1, 2, 3}));
}

}  // namespace
}  // namespace berth::apps
