#include "selection/coordinate_descent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace berth::apps {

namespace {

constexpr double gap_tolerance = 1e-12;
constexpr double slack = 1e-13;  // of a gradient, as a share of its bound |x_j| |y|
constexpr int most_sweeps = 20000;
constexpr int visits_between = 10;  // of the nonzero coordinates, before all are seen again

double soft(double value, double threshold) noexcept {
  if (value > threshold) return value - threshold;
  if (value < -threshold) return value + threshold;
  return 0;
}

std::vector<int> signs_of(const std::vector<double>& b) {
  std::vector<int> signs;
  for (const double each : b) signs.push_back((each > 0) - (each < 0));
  return signs;
}

}  // namespace

coordinate_descent::coordinate_descent(const centred_problem& problem)
    : problem_(&problem), b_(problem.order, 0) {
  for (const auto& each : problem.cross) gradient_.push_back(static_cast<double>(each));
}

std::vector<std::size_t> coordinate_descent::support() const {
  std::vector<std::size_t> found;
  for (std::size_t j = 0; j < b_.size(); ++j) {
    if (wanted_.l1 > 0 ? b_[j] != 0 : problem_->gram_at(j, j).hi > 0) found.push_back(j);
  }
  return found;
}

std::size_t coordinate_descent::nonzeros() const noexcept {
  return b_.size() - static_cast<std::size_t>(std::ranges::count(b_, 0.0));
}

bool coordinate_descent::visit(std::size_t j) {
  const double* column = problem_->gram.data() + j * problem_->order;
  if (!(column[j] > 0)) return false;
  const double p = problem_->factor[j];
  const double old = b_[j];
  if (old == 0 && stays_zero(j, gradient_[j])) return false;
  const double now =
      soft(gradient_[j] + column[j] * old, wanted_.l1 / 2 * p) / (column[j] + wanted_.l2 * p * p);
  if (now == old) return false;
  b_[j] = now;
  const double change = now - old;
  for (std::size_t k = 0; k < problem_->order; ++k) gradient_[k] -= column[k] * change;
  return true;
}

void coordinate_descent::visit_all() {
  for (std::size_t j = 0; j < b_.size(); ++j) visit(j);
  ++sweeps_;
}

void coordinate_descent::visit_nonzeros() {
  const auto nonzero = support();
  for (int i = 0; i < visits_between; ++i) {
    bool changed = false;
    for (const std::size_t j : nonzero) changed = visit(j) || changed;
    if (!changed) return;
  }
}

// Up to what rounding makes of a tie.
bool coordinate_descent::stays_zero(std::size_t j, double gradient) const noexcept {
  const double length = std::sqrt(problem_->gram_at(j, j).hi * problem_->total.hi);
  return std::abs(gradient) <= wanted_.l1 / 2 * problem_->factor[j] + slack * length;
}

bool coordinate_descent::is_optimal(const std::vector<double>& b,
                                    const std::vector<double>& gradient) const {
  for (std::size_t j = 0; j < b.size(); ++j) {
    if (b[j] == 0 && !stays_zero(j, gradient[j])) return false;
  }
  return true;
}

// The minimum over the nonzero coordinates, if their signs were those of b.
subset_solution coordinate_descent::solve_signs(const std::vector<std::size_t>& nonzero) const {
  std::vector<twofold> right;
  for (const std::size_t j : nonzero) {
    const double half = std::copysign(wanted_.l1 / 2, b_[j]);
    right.push_back(problem_->cross[j] - two_product(half, problem_->factor[j]));
  }
  return solve_subset(*problem_, nonzero, right, wanted_.l2);
}

// Moves along a combination of columns that is zero, the way the penalty falls, to the first zero.
coordinate_descent::step coordinate_descent::shed(const std::vector<std::size_t>& nonzero,
                                                  const std::vector<double>& null) {
  double slope = 0;
  for (std::size_t k = 0; k < nonzero.size(); ++k) {
    slope += std::copysign(problem_->factor[nonzero[k]], b_[nonzero[k]]) * null[k];
  }
  const double direction = slope > 0 ? -1 : 1;
  std::optional<std::size_t> first;
  double reach = HUGE_VAL;
  for (std::size_t k = 0; k < nonzero.size(); ++k) {
    const double ratio = -b_[nonzero[k]] / (direction * null[k]);
    if (null[k] == 0 || !(ratio > 0 && ratio < reach)) continue;
    reach = ratio;
    first = nonzero[k];
  }
  if (!first) return step::refused;
  for (std::size_t k = 0; k < nonzero.size(); ++k) {
    b_[nonzero[k]] += reach * direction * null[k];
  }
  b_[*first] = 0;
  gradient_ = gradient_at(*problem_, b_);
  return step::shortened;
}

// The lowest point between b and `to`: the objective is a parabola between the points where a
// coordinate passes zero. Not below b where there is none.
coordinate_descent::line_minimum coordinate_descent::search(
    const std::vector<double>& to, const std::vector<double>& gradient) const {
  double slope = 0;
  double curvature = 0;
  std::vector<std::pair<double, std::size_t>> crossings;
  for (std::size_t j = 0; j < b_.size(); ++j) {
    const double d = to[j] - b_[j];
    if (d == 0) continue;
    const double p = problem_->factor[j];
    slope += d * (2 * wanted_.l2 * p * p * b_[j] - 2 * gradient_[j] +
                  std::copysign(wanted_.l1 * p, b_[j]));
    curvature += 2 * d * (gradient_[j] - gradient[j] + wanted_.l2 * p * p * d);
    if (b_[j] * to[j] < 0) crossings.emplace_back(b_[j] / (b_[j] - to[j]), j);
  }
  if (!(slope < 0)) return {};
  std::ranges::sort(crossings);
  for (const auto& [share, j] : crossings) {
    const double lowest = curvature > 0 ? -slope / curvature : 1;
    if (lowest <= share) return {lowest, std::nullopt};
    const double turn = 2 * wanted_.l1 * problem_->factor[j] * std::abs(to[j] - b_[j]);
    if (slope + curvature * share + turn >= 0) return {share, j};
    slope += turn;
  }
  return {curvature > 0 ? std::min(1.0, -slope / curvature) : 1, std::nullopt};
}

coordinate_descent::step coordinate_descent::move_to_signs() {
  const auto nonzero = support();
  const auto face = solve_signs(nonzero);
  if (!face.null.empty()) return shed(nonzero, face.null);
  auto to = b_;
  for (std::size_t k = 0; k < nonzero.size(); ++k) to[nonzero[k]] = face.values[k];
  auto gradient = gradient_at(*problem_, to);
  bool keeps_signs = true;
  for (std::size_t j = 0; j < to.size(); ++j) keeps_signs = keeps_signs && b_[j] * to[j] >= 0;
  if (keeps_signs && is_optimal(to, gradient)) {
    b_ = std::move(to);
    gradient_ = std::move(gradient);
    return step::solved;
  }
  const auto lowest = search(to, gradient);
  if (!(lowest.share > 0)) return step::refused;
  for (std::size_t j = 0; j < to.size(); ++j) {
    b_[j] = lowest.share == 1 ? to[j] : b_[j] + lowest.share * (to[j] - b_[j]);
  }
  if (lowest.zero) b_[*lowest.zero] = 0;
  gradient_ = gradient_at(*problem_, b_);
  return keeps_signs ? step::moved : step::shortened;
}

bool coordinate_descent::solve(const penalty& wanted) {
  wanted_ = wanted;
  left_out_.clear();
  if (wanted_.l1 == 0) {
    const auto all = support();
    std::vector<twofold> right;
    for (const std::size_t j : all) right.push_back(problem_->cross[j]);
    const auto solved = solve_subset(*problem_, all, right, wanted_.l2);
    std::vector<double> to(b_.size(), 0);
    for (std::size_t k = 0; k < all.size(); ++k) to[all[k]] = solved.values[k];
    left_out_ = solved.left_out;
    b_ = std::move(to);
    gradient_ = gradient_at(*problem_, b_);
    return true;
  }
  std::vector<int> last;
  std::vector<int> refused;
  for (const int end = sweeps_ + most_sweeps; sweeps_ < end;) {
    visit_all();
    auto signs = signs_of(b_);
    if (signs == last && signs != refused) {
      // Coordinates that reached zero stay there until the rest is at its minimum: visited at once,
      // they would come back and stop the next step as soon.
      auto taken = move_to_signs();
      for (std::size_t i = 0; taken == step::shortened && i < 2 * problem_->order; ++i) {
        taken = move_to_signs();
      }
      if (taken == step::solved) return true;
      if (taken == step::refused) refused = signs;
      signs.clear();
    } else if (relative_gap() <= gap_tolerance) {
      return true;
    }
    visit_nonzeros();
    last = std::move(signs);
  }
  return false;
}

double coordinate_descent::relative_gap() const {
  const auto& problem = *problem_;
  const double total = static_cast<double>(problem.total);
  if (!(total > 0) || wanted_.l1 == 0) return 0;
  const double half = wanted_.l1 / 2;
  double explained = 0;  // c'b
  double remaining = 0;  // b'(c - Gb)
  double sum = 0;
  double squares = 0;
  double most = 0;
  for (std::size_t j = 0; j < b_.size(); ++j) {
    const double p = problem.factor[j];
    const double pulled = gradient_[j] - wanted_.l2 * p * p * b_[j];
    if (problem.gram_at(j, j).hi > 0) most = std::max(most, std::abs(pulled) / p);
    explained += problem.cross[j].hi * b_[j];
    remaining += gradient_[j] * b_[j];
    sum += p * std::abs(b_[j]);
    squares += p * p * b_[j] * b_[j];
  }
  const double rest = total - explained - remaining;
  const double scale = most > half ? half / most : 1;
  const double gap = (rest + rest * scale * scale) / 2 + half * sum - scale * (total - explained) +
                     wanted_.l2 / 2 * (1 + scale * scale) * squares;
  return std::max(0.0, gap / total);
}

double coordinate_descent::parameters() const {
  const auto used = support();
  if (wanted_.l2 == 0) return static_cast<double>(used.size() - left_out_.size());
  const auto solved = solve_subset(*problem_, used, std::vector<twofold>(used.size()), wanted_.l2);
  return effective_parameters(*problem_, used, solved, wanted_.l2);
}

double smallest_zero_l1(const centred_problem& problem) {
  double half = 0;
  for (std::size_t j = 0; j < problem.order; ++j) {
    const double pull = std::abs(static_cast<double>(problem.cross[j]));
    half = std::max(half, pull / problem.factor[j]);
    while (half * problem.factor[j] < pull) half = std::nextafter(half, HUGE_VAL);
  }
  return 2 * half;
}

}  // namespace berth::apps
