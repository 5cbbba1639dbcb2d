#include "models/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include "common/collective.hpp"
#include "common/text.hpp"

namespace berth::apps {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::string> names_of(const std::vector<std::string>& levels) {
  return levels.empty() ? std::vector<std::string>{"0", "1"} : levels;
}

failure unknown(const dataset_info& info, const std::string& name, const model& fitted) {
  const auto known = names_of(fitted.levels);
  return fail(fmt::format("dataset \"{}\": \"{}\" has class \"{}\", the model knows {}", info.path,
                          info.target, name, quoted_list(known)));
}

// The model's number of each class of the dataset.
result<std::vector<double>> numbers_of(const model& fitted, const dataset_info& info,
                                       const std::vector<std::string>& present) {
  const auto known = names_of(fitted.levels);
  std::vector<double> numbers;
  for (const auto& name : present) {
    const auto at = std::ranges::find(known, name);
    if (at == known.end()) return unknown(info, name, fitted);
    numbers.push_back(static_cast<double>(at - known.begin()));
  }
  return numbers;
}

void replace(std::span<double> y, std::span<const double> from, std::span<const double> to) {
  for (double& value : y) {
    const auto at = std::ranges::find(from, value);
    if (at != from.end()) value = to[static_cast<std::size_t>(at - from.begin())];
  }
}

}  // namespace

std::vector<double> distinct_values(const communicator& comm, std::span<const double> y,
                                    std::size_t limit) {
  std::set<double> mine;
  for (const double value : y) {
    if (std::isnan(value)) continue;
    mine.insert(value);
    if (mine.size() > limit) mine.erase(std::prev(mine.end()));
  }
  std::vector<double> all;
  while (all.size() < limit) {
    const auto next = all.empty() ? mine.begin() : mine.upper_bound(all.back());
    const double smallest = comm.min(next == mine.end() ? infinity : *next);
    if (smallest == infinity) break;
    all.push_back(smallest);
  }
  return all;
}

result<void> number_classes(const communicator& comm, dataset_info& info, row_block& block) {
  if (!info.levels.empty()) {
    if (info.levels.size() == 2) return {};
    return fail(fmt::format(
        "dataset \"{}\": \"{}\" has {}: {}; logistic regression needs two", info.path, info.target,
        counted(std::ssize(info.levels), "class", "classes"), quoted_list(info.levels)));
  }
  const auto values = distinct_values(comm, block.y, 3);
  if (values.size() != 2 || (values[0] == 0 && values[1] == 1)) return {};
  const double numbers[] = {0, 1};
  replace(block.y, values, numbers);
  for (const double value : values) info.levels.push_back(fmt::format("{}", value));
  return {};
}

result<class_matcher> class_matcher::create(const model& fitted, const dataset_info& info) {
  class_matcher made(fitted, info);
  auto numbers = numbers_of(fitted, info, info.levels);
  if (!numbers) return pass(std::move(numbers));
  made.to_ = std::move(*numbers);
  for (std::size_t i = 0; i < made.to_.size(); ++i) made.from_.push_back(static_cast<double>(i));
  if (!info.levels.empty()) return made;
  made.to_ = {0, 1};
  for (const auto& name : names_of(fitted.levels)) {
    // Names of named classes are no numbers, which then match nothing.
    char* end = nullptr;
    const double value = std::strtod(name.c_str(), &end);
    made.from_.push_back(end == name.c_str() || *end != 0 ? std::nan("") : value);
  }
  return made;
}

result<void> class_matcher::match(std::span<double> y) const {
  for (double& value : y) {
    const auto at = std::ranges::find(from_, value);
    if (at == from_.end()) return unknown(*info_, fmt::format("{}", value), *fitted_);
    value = to_[static_cast<std::size_t>(at - from_.begin())];
  }
  return {};
}

}  // namespace berth::apps
