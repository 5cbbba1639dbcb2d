#include "dataset/synth_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace berth::apps {

namespace {

// Standard deviation of x'b: R-squared is 1 / (1 + noise^2), and classes overlap but are learnt.
constexpr double linear_signal = 1;
constexpr double class_signal = 2;

result<void> check_ranges(const synth_request& request) {
  if (request.rows < 1) return fail("--rows must be at least 1");
  if (request.features < 1) return fail("--features must be at least 1");
  if (static_cast<double>(request.rows) * static_cast<double>(request.features) > 0x1p60) {
    return fail("--rows times --features is more than a file can hold");
  }
  if (!(request.noise >= 0) || !std::isfinite(request.noise)) {
    return fail("--noise must be 0 or larger");
  }
  if (request.task != synth_task::linear && request.noise > 1) {
    return fail("--noise is a share of labels for this task; it must be from 0 to 1");
  }
  if (request.task == synth_task::multiclass && request.classes < 2) {
    return fail("--classes must be at least 2");
  }
  if (!(std::abs(request.correlation) < 1)) return fail("--correlation must be between -1 and 1");
  if (request.density && !(*request.density > 0 && *request.density <= 1)) {
    return fail("--density must be above 0 and at most 1");
  }
  return {};
}

result<void> check_condition(const synth_request& request) {
  const double kappa = *request.condition;
  if (request.correlation != 0) {
    return fail("--condition and --correlation contradict each other; use one of them");
  }
  if (request.density) return fail("--condition needs a dense dataset; leave --density out");
  if (!(kappa >= 1) || (request.features == 1 && kappa > 1)) {
    return fail(request.features == 1 ? "--condition of one feature is 1"
                                      : "--condition must be at least 1");
  }
  if (request.rows < request.features + 2) {
    return fail(fmt::format("--condition needs at least {} rows for {} features",
                            request.features + 2, request.features));
  }
  const double unit = request.single ? std::numeric_limits<float>::epsilon()
                                     : std::numeric_limits<double>::epsilon();
  const double most = 0.01 / (unit * std::sqrt(static_cast<double>(request.features)));
  if (kappa <= most) return {};
  return fail(fmt::format("--condition {:.3g} is lost to rounding in {}; it can hold {:.3g}{}",
                          kappa, request.single ? "float32" : "float64", most,
                          request.single ? ", --dtype f64 more" : ""));
}

any_design make_design(const synth_request& request) {
  if (request.density) return sparse_design(request.seed, request.features, *request.density);
  if (request.condition) {
    return conditioned_design(request.seed, request.rows, request.features, *request.condition);
  }
  return correlated_design(request.seed, request.correlation);
}

// A random direction, scaled so that x'b has standard deviation `signal`.
void draw_coefficients(const any_design& design, const row_random& random, double signal,
                       std::span<double> b) {
  random.normals(b);
  const double variance =
      std::visit([&](const auto& some) { return some.variance_along(b); }, design);
  for (double& each : b) each *= signal / std::sqrt(variance);
}

// In extended precision: the target is as exact as its type allows.
double dot(std::span<const double> x, const double* b) {
  return static_cast<double>(
      std::inner_product(x.begin(), x.end(), b, 0.0L, std::plus<>(),
                         [](double u, double v) { return static_cast<long double>(u) * v; }));
}

double dot(std::span<const std::int64_t> columns, std::span<const double> x, const double* b) {
  long double sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += static_cast<long double>(x[k]) * b[columns[k]];
  return static_cast<double>(sum);
}

}  // namespace

const char* task_name(synth_task task) noexcept {
  switch (task) {
    case synth_task::linear:
      return "linear";
    case synth_task::logistic:
      return "logistic";
    case synth_task::multiclass:
      return "multiclass";
  }
  return "linear";
}

std::string request_text(const synth_request& request) {
  std::string text = fmt::format("dataset synth --rows {} --features {} --task {}", request.rows,
                                 request.features, task_name(request.task));
  if (request.task == synth_task::multiclass) text += fmt::format(" --classes {}", request.classes);
  text += fmt::format(" --noise {}", request.noise);
  if (request.condition) text += fmt::format(" --condition {}", *request.condition);
  if (request.correlation != 0) text += fmt::format(" --correlation {}", request.correlation);
  if (request.density) text += fmt::format(" --density {}", *request.density);
  return text + fmt::format(" --seed {} --dtype {}", request.seed, request.single ? "f32" : "f64");
}

result<void> check_request(const synth_request& request) {
  if (auto ok = check_ranges(request); !ok) return ok;
  if (request.density && request.correlation != 0) {
    return fail("--density and --correlation contradict each other; use one of them");
  }
  return request.condition ? check_condition(request) : result<void>{};
}

synth_model::synth_model(const synth_request& request)
    : request_(request), design_(make_design(request)) {
  const bool linear = request.task == synth_task::linear;
  const double signal = linear ? linear_signal : class_signal;
  const std::int64_t rows_of_b = request.task == synth_task::multiclass ? request.classes : 1;
  const auto width = static_cast<std::size_t>(request.features);
  truth_.coefficients.assign(static_cast<std::size_t>(rows_of_b) * width, 0);
  truth_.intercepts.assign(static_cast<std::size_t>(rows_of_b), 0);
  const row_random intercepts(request.seed, stream::intercepts, 0);
  for (std::int64_t k = rows_of_b > 1 ? 1 : 0; k < rows_of_b; ++k) {
    const auto at = static_cast<std::size_t>(k);
    draw_coefficients(design_, row_random(request.seed, stream::coefficients, k), signal,
                      std::span(truth_.coefficients).subspan(at * width, width));
    truth_.intercepts[at] = intercepts.normal(k);
  }
  truth_.signal_variance = signal * signal;
  if (!linear) return;
  truth_.noise_variance = request.noise * request.noise;
  if (const auto* exact = std::get_if<conditioned_design>(&design_)) find_errors(*exact);
}

void synth_model::find_errors(const conditioned_design& design) {
  const auto rows = static_cast<double>(request_.rows);
  const auto freedom = rows - static_cast<double>(request_.features) - 1;
  // The residual variance s^2 = m noise^2 / (m - n - 1), over m as inverse_lengths() has X'X / m.
  const double scale = request_.noise / std::sqrt(freedom);
  truth_.std_errors = design.inverse_lengths();
  for (double& each : truth_.std_errors) each *= scale;
  truth_.intercept_error = scale;
}

double synth_model::noise(std::int64_t i) const {
  if (const auto* exact = std::get_if<conditioned_design>(&design_)) {
    return request_.noise * exact->orthogonal_noise(i);
  }
  return request_.noise * row_random(request_.seed, stream::noise, i).normal(0);
}

double synth_model::label(std::int64_t i, std::span<double> scores) const {
  const row_random random(request_.seed, stream::labels, i);
  const auto classes = static_cast<double>(scores.size());
  if (random.uniform(0) < request_.noise) return std::floor(random.uniform(1) * classes);
  const double highest = *std::ranges::max_element(scores);
  double total = 0;
  for (double& each : scores) total += each = std::exp(each - highest);
  double left = random.uniform(2) * total;
  std::size_t k = 0;
  while (k + 1 < scores.size() && left >= scores[k]) left -= scores[k++];
  return static_cast<double>(k);
}

template <class Dot>
double synth_model::target_from(std::int64_t i, const Dot& along) const {
  const auto width = static_cast<std::size_t>(request_.features);
  const double* b = truth_.coefficients.data();
  if (request_.task != synth_task::multiclass) {
    const double score = truth_.intercepts[0] + along(b);
    if (request_.task == synth_task::linear) return score + noise(i);
    std::array<double, 2> scores{0, score};
    return label(i, scores);
  }
  std::vector<double> scores(truth_.intercepts);
  for (std::size_t k = 1; k < scores.size(); ++k) scores[k] += along(b + k * width);
  return label(i, scores);
}

double synth_model::target(std::int64_t i, std::span<const double> x) const {
  return target_from(i, [&](const double* b) { return dot(x, b); });
}

double synth_model::target(std::int64_t i, std::span<const std::int64_t> columns,
                           std::span<const double> x) const {
  return target_from(i, [&](const double* b) { return dot(columns, x, b); });
}

}  // namespace berth::apps
