#include "dataset/split_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace berth::apps {

namespace {

std::uint64_t group_seed(std::uint64_t seed, std::int64_t group) {
  return row_random(seed, stream::shuffle, group).bits(0);
}

std::int64_t share_of(double share, std::int64_t rows) {
  return static_cast<std::int64_t>(std::floor(share * static_cast<double>(rows) + 0.5));
}

}  // namespace

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
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 0; k < request.folds; ++k) {
    sizes.push_back(rows / request.folds + (k < rows % request.folds ? 1 : 0));
  }
  if (!sizes.empty()) return sizes;
  const auto test = share_of(request.test, rows);
  const auto validation = std::min(share_of(request.validation, rows), rows - test);
  sizes = {rows - test - validation, test};
  if (request.validation > 0) sizes.push_back(validation);
  return sizes;
}

group_split::group_split(const split_request& request, std::int64_t group, std::int64_t rows)
    : order_(group_seed(request.seed, group), rows) {
  std::int64_t end = 0;
  for (const auto size : part_sizes(request, rows)) ends_.push_back(end += size);
}

std::size_t group_split::part(std::int64_t index) const noexcept {
  return static_cast<std::size_t>(std::ranges::upper_bound(ends_, order_(index)) - ends_.begin());
}

}  // namespace berth::apps
