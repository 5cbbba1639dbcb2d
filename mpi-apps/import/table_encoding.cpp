#include "import/table_encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/text.hpp"
#include "import/number.hpp"

namespace berth::apps {

namespace {

using texts = std::vector<std::string>;

result<void> check_missing(const table_survey& survey, const table_rules& rules) {
  std::string list;
  texts nothing;
  for (std::size_t j = 0; j < survey.head.columns.size(); ++j) {
    const auto missing = survey.facts.columns[j].missing;
    if (missing == 0) continue;
    if (missing == survey.facts.rows) nothing.push_back(survey.head.columns[j].name);
    list += fmt::format("{}{} in column \"{}\"", list.empty() ? "" : ", ", missing,
                        survey.head.columns[j].name);
  }
  if (!nothing.empty() && rules.missing == missing_policy::error) {
    return fail(fmt::format("missing values: {}; {} without a value: leave out with --exclude",
                            list, quoted_list(nothing)));
  }
  if (!list.empty() && rules.missing == missing_policy::error) {
    return fail(
        fmt::format("missing values: {}; leave those rows out with --missing drop, or "
                    "replace the values with --missing mean or --missing indicator",
                    list));
  }
  if (survey.facts.kept > 0) return {};
  return fail(survey.facts.rows == 0
                  ? std::string("has a header but no rows")
                  : fmt::format("every row has a missing value ({}); leave columns out with "
                                "--exclude",
                                list));
}

result<void> check_levels(const table_column& column, const column_facts& facts,
                          const table_rules& rules) {
  if (facts.levels.size() <= rules.max_levels) return {};
  if (!facts.first_text) {
    return fail(
        fmt::format("column \"{}\" has more than {} different values; allow more with "
                    "--max-levels",
                    column.name, rules.max_levels));
  }
  const auto why =
      fmt::format(" (line {} has \"{}\")", facts.first_text->line, facts.first_text->value);
  if (column.role == column_role::target) {
    return fail(
        fmt::format("target \"{}\" is text with more than {} different values{}; it must "
                    "be numeric or have at most --max-levels",
                    column.name, rules.max_levels, why));
  }
  return fail(
      fmt::format("column \"{0}\" is text with more than {1} different values{2}; leave it "
                  "out with --exclude {0}, make words of it with --text {0}=count, or "
                  "allow more with --max-levels",
                  column.name, rules.max_levels, why));
}

// Numbers in numeric order where all are numbers, else texts in byte order.
texts sorted_levels(const text_map<std::int64_t>& levels) {
  texts sorted;
  bool numbers = true;
  for (const auto& [level, count] : levels) {
    sorted.push_back(level);
    numbers = numbers && parse_number(level).has_value();
  }
  std::ranges::sort(sorted);
  if (numbers) {
    std::ranges::stable_sort(sorted, {},
                             [](const std::string& each) { return *parse_number(each); });
  }
  return sorted;
}

result<texts> ordered_levels(const table_column& column, const column_facts& facts,
                             const column_requests& wanted) {
  auto levels = sorted_levels(facts.levels);
  for (const auto& [name, reference] : wanted.references) {
    if (name != column.name) continue;
    const auto at = std::ranges::find(levels, reference);
    if (at == levels.end()) {
      return fail(fmt::format("column \"{}\" has no level \"{}\" for the reference; it has {}",
                              name, reference, quoted_list(levels, 30)));
    }
    std::rotate(levels.begin(), at, at + 1);
  }
  return levels;
}

class planner {
 public:
  planner(const table_survey& survey, const table_rules& rules, const column_requests& wanted)
      : survey_(survey),
        rules_(rules),
        wanted_(wanted),
        replaces_(rules.missing == missing_policy::mean ||
                  rules.missing == missing_policy::indicator) {}

  result<table_encoding> plan() {
    for (std::size_t j = 0; j < survey_.head.columns.size(); ++j) {
      const auto& column = survey_.head.columns[j];
      if (column.kind == column_kind::skipped) continue;
      column_plan made;
      made.column = j;
      made.kind = column.kind;
      made.role = column.role;
      if (auto ok = plan_column(column, survey_.facts.columns[j], made); !ok) {
        return pass(std::move(ok));
      }
    }
    if (plan_.names.empty()) return no_feature();
    order_targets();
    return std::move(plan_);
  }

 private:
  result<void> plan_column(const table_column& column, const column_facts& facts,
                           column_plan& made) {
    if (column.kind == column_kind::category) {
      if (auto ok = check_levels(column, facts, rules_); !ok) return ok;
    }
    if (column.role == column_role::weights) {
      plan_.weights = true;
      plan_.weights_name = column.name;
      plan_.columns.push_back(std::move(made));
      return {};
    }
    if (column.role == column_role::target) return plan_target(column, facts, std::move(made));
    if (nothing_in(column, facts)) {
      plan_.empty.push_back(column.name);
      return {};
    }
    switch (column.kind) {
      case column_kind::number:
        plan_number(column, facts, std::move(made));
        return {};
      case column_kind::category:
        return plan_category(column, facts, std::move(made));
      default:
        return plan_words(column, facts, std::move(made));
    }
  }

  result<void> plan_target(const table_column& column, const column_facts& facts,
                           column_plan made) {
    target_layout target{column.name, {}};
    if (column.kind == column_kind::category) {
      auto levels = ordered_levels(column, facts, wanted_);
      if (!levels) return pass(std::move(levels));
      if (levels->size() < 2) {
        return fail(
            fmt::format("target \"{}\" is text with one value, \"{}\"; it needs at least "
                        "two",
                        column.name, levels->front()));
      }
      set_codes(*levels, made);
      target.levels = std::move(*levels);
    }
    plan_.targets.push_back(std::move(target));
    plan_.columns.push_back(std::move(made));
    return {};
  }

  void plan_number(const table_column& column, const column_facts& facts, column_plan made) {
    made.first = std::ssize(plan_.names);
    plan_.names.push_back(column.name);
    if (replaces(facts)) {
      auto sum = facts.sum;
      made.means = {sum.value() / static_cast<double>(facts.values)};
    }
    add_mark(column, facts, made);
    plan_.columns.push_back(std::move(made));
  }

  result<void> plan_category(const table_column& column, const column_facts& facts,
                             column_plan made) {
    auto levels = ordered_levels(column, facts, wanted_);
    if (!levels) return pass(std::move(levels));
    set_codes(*levels, made);
    made.first = std::ssize(plan_.names);
    made.count = std::ssize(*levels) - 1;
    if (made.count == 0) {
      plan_.single.push_back(column.name);
    } else {
      plan_.references.push_back(fmt::format("{}={}", column.name, levels->front()));
    }
    for (std::size_t k = 1; k < levels->size(); ++k) {
      const auto& level = (*levels)[k];
      plan_.names.push_back(fmt::format("{}={}", column.name, level));
      if (!replaces(facts)) continue;
      made.means.push_back(static_cast<double>(facts.levels.find(level)->second) /
                           static_cast<double>(facts.values));
    }
    add_mark(column, facts, made);
    if (made.count > 0 || made.mark >= 0) plan_.columns.push_back(std::move(made));
    return {};
  }

  result<void> plan_words(const table_column& column, const column_facts& facts, column_plan made) {
    made.words = column.words;
    made.first = std::ssize(plan_.names);
    plan_.words = true;
    const auto documents = static_cast<double>(facts.values);
    const auto weigh = [&](std::int64_t texts_with) {
      if (!column.words.tf_idf) return;
      made.idf.push_back(std::log((1 + documents) / (1 + static_cast<double>(texts_with))) + 1);
    };
    if (column.words.mode == word_mode::hash) {
      made.count = std::int64_t{1} << column.words.bits;
      for (std::int64_t k = 0; k < made.count; ++k) {
        plan_.names.push_back(fmt::format("{}:#{}", column.name, k));
        if (column.words.tf_idf) weigh(facts.words.buckets()[static_cast<std::size_t>(k)]);
      }
    } else {
      std::vector<std::pair<std::string, std::int64_t>> words(facts.words.words().begin(),
                                                              facts.words.words().end());
      if (words.empty()) return fail(fmt::format("column \"{}\" has no words", column.name));
      if (words.size() > word_counts::most_words) {
        return fail(
            fmt::format("column \"{0}\" has more than {1} different words; use --text "
                        "{0}=hash",
                        column.name, grouped(word_counts::most_words)));
      }
      std::ranges::sort(words);
      made.count = std::ssize(words);
      for (std::size_t k = 0; k < words.size(); ++k) {
        plan_.names.push_back(fmt::format("{}:{}", column.name, words[k].first));
        weigh(words[k].second);
        made.vocabulary.emplace(std::move(words[k].first), static_cast<std::int64_t>(k));
      }
    }
    plan_.columns.push_back(std::move(made));
    return {};
  }

  static void set_codes(const texts& levels, column_plan& made) {
    for (std::size_t k = 0; k < levels.size(); ++k) {
      made.codes.emplace(levels[k], static_cast<std::int64_t>(k));
    }
  }

  // No value in any kept row. Numbers are only counted where missing ones are replaced; elsewhere
  // every row that is kept has one.
  [[nodiscard]] bool nothing_in(const table_column& column, const column_facts& facts) const {
    if (column.kind == column_kind::category) return facts.levels.empty();
    return column.kind == column_kind::number && replaces_ && facts.missing > 0 &&
           facts.values == 0;
  }

  [[nodiscard]] bool replaces(const column_facts& facts) const {
    return replaces_ && facts.missing > 0;
  }

  void add_mark(const table_column& column, const column_facts& facts, column_plan& made) {
    if (facts.missing == 0 || rules_.missing != missing_policy::indicator) return;
    made.mark = std::ssize(plan_.names);
    plan_.names.push_back(column.name + "=NA");
  }

  // Targets in the order of the command line.
  void order_targets() {
    const auto& order = wanted_.targets;
    const auto rank = [&](const std::string& name) {
      return std::ranges::find(order, name) - order.begin();
    };
    std::ranges::sort(plan_.targets, {},
                      [&](const target_layout& each) { return rank(each.name); });
    for (auto& each : plan_.columns) {
      if (each.role == column_role::target) {
        each.first = rank(survey_.head.columns[each.column].name);
      }
    }
  }

  [[nodiscard]] failure no_feature() const {
    if (wanted_.targets.empty()) return fail("no feature is left");
    return fail(fmt::format("no feature is left beside the target \"{}\"", wanted_.targets[0]));
  }

  const table_survey& survey_;
  const table_rules& rules_;
  const column_requests& wanted_;
  bool replaces_;  // missing values
  table_encoding plan_;
};

}  // namespace

result<table_encoding> plan_encoding(const table_survey& survey, const table_rules& rules,
                                     const column_requests& wanted) {
  if (auto ok = check_missing(survey, rules); !ok) return pass(std::move(ok));
  return planner(survey, rules, wanted).plan();
}

}  // namespace berth::apps
