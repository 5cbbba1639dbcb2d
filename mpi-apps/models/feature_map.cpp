#include "models/feature_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "common/text.hpp"

namespace berth::apps {

namespace {

// "kind=" of "kind=a"; nothing where there is no such sign.
std::string prefix_of(const std::string& name) {
  const auto at = name.find('=');
  return at == std::string::npos ? std::string() : name.substr(0, at + 1);
}

std::unordered_set<std::string> encoded_columns(const std::vector<std::string>& references) {
  std::unordered_set<std::string> prefixes;
  for (const auto& each : references) prefixes.insert(prefix_of(each));
  prefixes.erase("");
  return prefixes;
}

class matcher {
 public:
  matcher(const feature_names& wanted, const dataset_info& data)
      : wanted_(wanted), data_(data), encoded_here_(encoded_columns(data.references)) {
    for (std::size_t j = 0; j < data.names.size(); ++j) at_.emplace(data.names[j], j);
  }

  result<feature_map> match() {
    std::vector<feature_rule> rules;
    for (const auto& name : wanted_.names) rules.push_back(rule_of(name));
    if (!missing_.empty()) return lacks();
    if (auto ok = check_levels(); !ok) return pass(std::move(ok));
    return feature_map(data_.names.size(), std::move(rules));
  }

 private:
  feature_rule rule_of(const std::string& name) {
    if (const auto found = at_.find(name); found != at_.end()) return {0, 1, {found->second}};
    const auto prefix = prefix_of(name);
    if (std::ranges::count(data_.references, name) > 0) {
      feature_rule rest{1, -1, {}};
      for (std::size_t j = 0; j < data_.names.size(); ++j) {
        if (data_.names[j].starts_with(prefix)) rest.columns.push_back(j);
      }
      return rest;
    }
    if (!encoded_here_.contains(prefix)) missing_.push_back(name);
    return {0, 1, {}};
  }

  [[nodiscard]] failure lacks() const {
    const std::unordered_set<std::string> known(wanted_.names.begin(), wanted_.names.end());
    std::vector<std::string> others;
    for (const auto& name : data_.names) {
      if (!known.contains(name)) others.push_back(name);
    }
    const auto beside =
        others.empty() ? std::string("it has no others")
                       : fmt::format("it has {} that the model does not know", quoted_list(others));
    return fail(fmt::format("dataset \"{}\": lacks {} that the model needs; {}", data_.path,
                            quoted_list(missing_), beside));
  }

  // Rows of a level that the fit did not see would pass for the reference level.
  [[nodiscard]] result<void> check_levels() const {
    const auto encoded = encoded_columns(wanted_.references);
    std::unordered_set<std::string> known(wanted_.names.begin(), wanted_.names.end());
    known.insert(wanted_.references.begin(), wanted_.references.end());
    std::vector<std::string> unknown;
    for (const auto* list : {&data_.names, &data_.references}) {
      for (const auto& name : *list) {
        if (encoded.contains(prefix_of(name)) && !known.contains(name)) unknown.push_back(name);
      }
    }
    if (unknown.empty()) return {};
    return fail(
        fmt::format("dataset \"{}\": has {}, which the model has not seen; leave those "
                    "rows out, or fit again with them",
                    data_.path, quoted_list(unknown)));
  }

  const feature_names& wanted_;
  const dataset_info& data_;
  std::unordered_map<std::string, std::size_t> at_;
  std::unordered_set<std::string> encoded_here_;
  std::vector<std::string> missing_;
};

}  // namespace

feature_map::feature_map(std::size_t width, std::vector<feature_rule> rules)
    : width_(width), is_identity_(rules.size() == width), rules_(std::move(rules)) {
  for (std::size_t k = 0; k < rules_.size(); ++k) {
    const bool is_column = rules_[k].columns.size() == 1 && rules_[k].sign > 0;
    is_choice_ = is_choice_ && is_column;
    is_identity_ = is_identity_ && is_column && rules_[k].columns[0] == k;
  }
}

template <class T>
void feature_map::apply(std::span<const T> x, std::span<T> out) const {
  if (is_identity_) {
    std::ranges::copy(x, out.begin());
    return;
  }
  auto to = out.begin();
  for (auto row = x.begin(); to != out.end(); row += static_cast<std::ptrdiff_t>(width_)) {
    for (const auto& rule : rules_) {
      T sum = 0;
      for (const std::size_t j : rule.columns) sum += row[static_cast<std::ptrdiff_t>(j)];
      *to++ = is_choice_ ? sum : static_cast<T>(rule.constant + rule.sign * sum);
    }
  }
}

template void feature_map::apply(std::span<const float>, std::span<float>) const;
template void feature_map::apply(std::span<const double>, std::span<double>) const;

result<feature_map> map_features(const feature_names& wanted, const dataset_info& data) {
  return matcher(wanted, data).match();
}

}  // namespace berth::apps
