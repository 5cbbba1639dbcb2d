#include "selection/lambda_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace berth::apps {

namespace {

constexpr double least_mix = 0.001;

}  // namespace

penalty penalty_at(double lambda, double mix) noexcept {
  return {lambda * mix, lambda * (1 - mix) / 2};
}

std::vector<double> lambda_values(const centred_problem& problem, double mix, std::int64_t rows,
                                  int count) {
  const double most = smallest_zero_l1(problem) / problem.target_unit / std::max(mix, least_mix);
  const double ratio = rows < static_cast<std::int64_t>(problem.order) ? 1e-2 : 1e-4;
  std::vector<double> values;
  for (int k = 0; k < count; ++k) {
    values.push_back(k == 0 ? most : most * std::pow(ratio, static_cast<double>(k) / (count - 1)));
  }
  // The product with the mix must not round below what keeps all coefficients zero.
  while (mix >= least_mix && values[0] * mix * problem.target_unit < smallest_zero_l1(problem)) {
    values[0] = std::nextafter(values[0], HUGE_VAL);
  }
  return values;
}

result<std::vector<penalised_fit>> fit_penalties(const centred_problem& problem,
                                                 const std::vector<penalty>& penalties,
                                                 bool count_parameters) {
  coordinate_descent descent(problem);
  std::vector<penalised_fit> fits;
  for (const auto& wanted : penalties) {
    if (!descent.solve(problem.scaled(wanted))) {
      return fail(fmt::format("coordinate descent does not converge for l1 {:g}, l2 {:g}: the "
                              "columns are nearly dependent; use a larger --l1 or add --l2",
                              wanted.l1, wanted.l2),
                  blame::run);
    }
    fits.push_back({problem.coefficients(descent.solution()), descent.nonzeros(),
                    count_parameters ? descent.parameters() : 0, descent.relative_gap(),
                    descent.left_out()});
  }
  return fits;
}

}  // namespace berth::apps
