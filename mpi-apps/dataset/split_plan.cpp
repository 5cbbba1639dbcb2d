#include "dataset/split_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::apps {

result<void> check_request(const split_request& request) {
  const bool shares = request.test != 0 || request.validation != 0;
  if (request.folds != 0 && shares) return fail("--folds and shares contradict each other");
  if (request.folds != 0) {
    return request.folds >= 2 ? result<void>{} : fail("--folds must be at least 2");
  }
  if (!(request.test > 0 && request.test < 1)) {
    return fail("give --test SHARE between 0 and 1, or --folds K");
  }
  if (!(request.validation >= 0 && request.test + request.validation < 1)) {
    return fail("--test and --validation together must be below 1: train gets the rest");
  }
  return {};
}

std::vector<std::string> part_names(const split_request& request) {
  std::vector<std::string> names;
  for (std::int64_t k = 1; k <= request.folds; ++k) names.push_back(fmt::format("{}", k));
  if (!names.empty()) return names;
  names = {"train", "test"};
  if (request.validation > 0) names.emplace_back("validation");
  return names;
}

std::vector<std::int64_t> part_sizes(const split_request& request, std::int64_t rows) {
  if (request.folds > 0) return fold_sizes(rows, request.folds);
  const auto test = rows_of_share(request.test, rows);
  const auto validation = std::min(rows_of_share(request.validation, rows), rows - test);
  std::vector<std::int64_t> sizes{rows - test - validation, test};
  if (request.validation > 0) sizes.push_back(validation);
  return sizes;
}

row_parts split_group(const split_request& request, std::int64_t group, std::int64_t rows) {
  return {request.seed, part_sizes(request, rows), group};
}

}  // namespace berth::apps
