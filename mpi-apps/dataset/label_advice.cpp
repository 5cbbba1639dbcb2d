#include "dataset/label_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/text.hpp"

namespace berth::apps {

namespace {

// More distinct values than this are a quantity rather than classes.
constexpr std::size_t most_classes = 50;
// Two values that nearly all rows have: whatever else occurs is suspicious.
constexpr double nearly_all = 0.95;
// Fewer rows of a class than this do not determine its coefficients.
constexpr std::int64_t rare = 10;

using counts = std::map<double, label_counter::seen>;

bool are_whole(const counts& values) {
  return std::ranges::all_of(values,
                             [](const auto& each) { return std::trunc(each.first) == each.first; });
}

std::int64_t total(const counts& values) {
  std::int64_t sum = 0;
  for (const auto& [value, seen] : values) sum += seen.count;
  return sum;
}

std::string label_text(double value, const std::vector<std::string>& levels) {
  const auto at = static_cast<std::size_t>(std::max(value, 0.0));
  const bool named = value >= 0 && std::trunc(value) == value && at < levels.size();
  return named ? fmt::format("\"{}\"", levels[at]) : fmt::format("{}", value);
}

std::string frequencies(const counts& values, const std::vector<std::string>& levels) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& [value, seen] : values) {
    if (shown++ == 10) return text + fmt::format(", and {} more", values.size() - 10);
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", label_text(value, levels),
                        grouped(seen.count));
  }
  return text;
}

// Rows that are neither of the two most frequent values, when those are nearly all.
std::optional<finding> find_strays(const counts& values, const std::string& name) {
  std::vector<std::pair<std::int64_t, double>> by_count;
  for (const auto& [value, seen] : values) by_count.emplace_back(seen.count, value);
  std::ranges::sort(by_count, std::greater<>());
  if (by_count.size() < 3) return std::nullopt;
  const auto rows = total(values);
  const auto both = by_count[0].first + by_count[1].first;
  if (static_cast<double>(both) < nearly_all * static_cast<double>(rows)) return std::nullopt;
  finding found{severity::warning, "stray-labels", {}, {}, {name}};
  const auto low = std::min(by_count[0].second, by_count[1].second);
  const auto high = std::max(by_count[0].second, by_count[1].second);
  for (const auto& [value, seen] : values) {
    if (value != low && value != high && found.rows.size() < 5)
      found.rows.push_back(seen.first_row + 1);
  }
  const auto stray = by_count[2].second;
  found.text =
      fmt::format("target \"{}\" is {} or {} but for {}: row {} has {}", name, low, high,
                  counted(rows - both, "row", "rows"), values.at(stray).first_row + 1, stray);
  found.cure = "correct those rows before train logistic";
  return found;
}

finding binary(const counts& values, const std::string& name) {
  const double low = values.begin()->first;
  const double high = values.rbegin()->first;
  return {severity::note,
          "binary-target",
          fmt::format("target \"{}\" has two values, {}", name, frequencies(values, {})),
          low == 0 && high == 1
              ? std::string()
              : fmt::format("train logistic takes {} as 0 and {} as 1", low, high),
          {name}};
}

std::vector<finding> judge_levels(const counts& values, const std::string& name,
                                  const std::vector<std::string>& levels) {
  std::vector<finding> found;
  found.push_back(
      {severity::note,
       "class-target",
       fmt::format("target \"{}\" has {}: {}", name,
                   counted(std::ssize(values), "class", "classes"), frequencies(values, levels)),
       {},
       {name}});
  for (std::size_t k = 0; k < levels.size(); ++k) {
    if (values.contains(static_cast<double>(k))) continue;
    found.push_back({severity::warning,
                     "empty-class",
                     fmt::format("no row of target \"{}\" has class \"{}\"", name, levels[k]),
                     {},
                     {name}});
  }
  return found;
}

void find_rare(const counts& values, const std::string& name,
               const std::vector<std::string>& levels, std::vector<finding>& found) {
  for (const auto& [value, seen] : values) {
    if (seen.count >= rare || total(values) < 10 * rare) continue;
    found.push_back(
        {severity::note,
         "rare-class",
         fmt::format("class {} of target \"{}\" has {} of {}", label_text(value, levels), name,
                     counted(seen.count, "row", "rows"), grouped(total(values))),
         "dataset split --stratify keeps its share in every part",
         {name}});
  }
}

}  // namespace

std::vector<finding> judge_labels(const label_counter& counted_labels, const std::string& name,
                                  const std::vector<std::string>& levels) {
  const auto& values = counted_labels.values();
  if (counted_labels.is_continuous() || values.size() > std::max(most_classes, levels.size())) {
    return {{severity::note,
             "continuous-target",
             fmt::format("target \"{}\" is continuous: for train linear", name),
             {},
             {name}}};
  }
  if (values.empty()) return {};
  if (values.size() == 1) {
    const auto only = label_text(values.begin()->first, levels);
    return {{severity::error,
             "constant-target",
             fmt::format("target \"{}\" has one value: all {} are {}; there is nothing to learn",
                         name, counted(total(values), "row", "rows"), only),
             "name another column: --target",
             {name}}};
  }
  std::vector<finding> found;
  if (!levels.empty()) {
    found = judge_levels(values, name, levels);
  } else if (values.size() == 2) {
    found.push_back(binary(values, name));
  } else if (auto strays = find_strays(values, name)) {
    return {std::move(*strays)};
  } else if (are_whole(values)) {
    found.push_back({severity::note,
                     "whole-target",
                     fmt::format("target \"{}\" has {} whole values: {}", name, values.size(),
                                 frequencies(values, {})),
                     {},
                     {name}});
  } else {
    return {{severity::note,
             "continuous-target",
             fmt::format("target \"{}\" has {} values: for train linear", name, values.size()),
             {},
             {name}}};
  }
  find_rare(values, name, levels, found);
  return found;
}

}  // namespace berth::apps
