#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "dataset/synth.hpp"

namespace berth::apps {

namespace {

double r_squared(const synth_truth& truth) {
  return truth.signal_variance / (truth.signal_variance + truth.noise_variance);
}

const char* design_text(const synth_request& request) {
  if (request.density) return "sparse, entries N(0, 1)";
  if (request.condition) return "columns of mean 0 with the given condition number";
  return request.correlation == 0 ? "independent N(0, 1) columns"
                                  : "N(0, 1) columns, correlation falls with distance";
}

}  // namespace

std::string synth_text(const synth_request& request, const synth_truth& truth) {
  std::string text =
      fmt::format("{}: {}, {}, {}\n", request.output, counted(request.rows, "row", "rows"),
                  counted(request.features, "feature", "features"), design_text(request));
  if (request.task == synth_task::linear) {
    text += fmt::format("y = {} + x'b + noise of variance {}; R-squared {}\n",
                        significant(truth.intercepts[0], 6), significant(truth.noise_variance, 6),
                        significant(r_squared(truth), 4));
  } else {
    text += fmt::format(
        "y: {}\n",
        counted(request.task == synth_task::logistic ? 2 : request.classes, "class", "classes"));
  }
  if (!truth.std_errors.empty()) {
    text += "least squares of this file gives the true coefficients exactly, with known errors\n";
  }
  return text + "truth: in group /truth of the file\n";
}

std::string synth_json(const synth_request& request, const synth_truth& truth) {
  nlohmann::ordered_json out{{"program", "dataset"},           {"version", version()},
                             {"output", request.output},       {"command", request_text(request)},
                             {"rows", request.rows},           {"features", request.features},
                             {"task", task_name(request.task)}};
  if (request.task == synth_task::multiclass) out["classes"] = request.classes;
  if (request.task == synth_task::linear) {
    out["noise_variance"] = truth.noise_variance;
    out["r_squared"] = r_squared(truth);
  }
  if (request.condition) out["condition"] = *request.condition;
  out["seed"] = request.seed;
  return out.dump() + "\n";
}

}  // namespace berth::apps
