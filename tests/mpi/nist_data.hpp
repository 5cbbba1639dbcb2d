#pragma once
// The linear sets of NIST's Statistical Reference Datasets, as tests/data/nist holds them.

#include <string>
#include <vector>

namespace berth::apps {

struct nist_set {
  std::string name;
  bool intercept = true;
  std::size_t features = 0;
  std::vector<double> x;  // row-major; powers by repeated multiplication, as numpy.vander
  std::vector<double> y;
  std::vector<double> estimates;  // certified, the constant first
  std::vector<double> deviations;
  double residual_deviation = 0;
  double r_squared = 0;
};

/// Throws std::runtime_error.
nist_set read_nist(const std::string& name);

/// Digits that two numbers share: -log10 of the relative error, or of the absolute one where the
/// certified value is zero; at most 15. Source: McCullough, The American Statistician 52(4), 1998.
double shared_digits(double got, double certified);
/// Of the worst of several.
double shared_digits(const std::vector<double>& got, const std::vector<double>& certified);

}  // namespace berth::apps
