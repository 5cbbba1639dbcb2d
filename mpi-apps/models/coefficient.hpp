#pragma once
// A fitted model as every part of the programs sees it.

#include <cstdint>
#include <string>
#include <vector>

namespace berth::apps {

struct coefficient {
  std::string name;  // "(intercept)" first, then the features' names
  double estimate = 0;
  double std_error = 0;  // NaN where there are no degrees of freedom
  double statistic = 0;  // t for linear, z for logistic
  double p_value = 0;    // two-sided
};

struct statistic {
  std::string name;  // "r2", "rmse", "log_likelihood", ...
  double value = 0;
};

enum class model_kind { linear, logistic };

struct model {
  model_kind kind = model_kind::linear;
  std::vector<coefficient> coefficients;
  std::vector<statistic> statistics;
  std::string target;               // name of what is predicted
  std::vector<std::string> levels;  // texts of class 0 and 1; empty for numeric targets
  std::string data;                 // file it was fitted on
  std::int64_t rows = 0;
  int ranks = 1;
};

inline constexpr const char* intercept_name = "(intercept)";

}  // namespace berth::apps
