#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "dataset/check.hpp"
#include "dataset/shell_word.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t most_named = 100;
constexpr double exact_double = 0x1p53;

class judge {
 public:
  judge(const dataset& data, const scan_facts& facts, std::string import)
      : data_(data), facts_(facts), import_(std::move(import)) {}

  std::vector<finding> all() {
    missing();
    infinite();
    constant();
    duplicates();
    precision();
    shape();
    weights();
    if (facts_.stored_zeros > 0) {
      note("stored-zeros",
           fmt::format("{} of the stored elements of {} are 0 and need not be stored",
                       grouped(facts_.stored_zeros), data_.x.path),
           {});
    }
    return std::move(found_);
  }

 private:
  using names = std::vector<std::string>;

  [[nodiscard]] std::string name(std::size_t column) const {
    const auto& features = data_.info.names;
    if (column < features.size()) return features[column];
    if (facts_.targets.size() == 1) return data_.info.target;
    return fmt::format("{}[{}]", data_.info.target, column - features.size() + 1);
  }
  [[nodiscard]] const column_statistics& column(std::size_t j) const {
    const auto features = facts_.features.size();
    return j < features ? facts_.features[j] : facts_.targets[j - features];
  }
  [[nodiscard]] std::size_t columns() const {
    return facts_.features.size() + facts_.targets.size();
  }
  [[nodiscard]] bool is_constant(std::size_t j) const {
    const auto& some = column(j);
    return some.missing() == 0 && some.min == some.max;
  }

  void add(severity level, const char* id, std::string text, std::string cure, names concerned = {},
           std::vector<std::int64_t> rows = {}) {
    if (concerned.size() > most_named) concerned.resize(most_named);
    found_.push_back(
        {level, id, std::move(text), std::move(cure), std::move(concerned), std::move(rows)});
  }
  void note(const char* id, std::string text, std::string cure) {
    add(severity::note, id, std::move(text), std::move(cure));
  }

  // "2 in "age", 1 in "y"" of the columns where `count` is not 0, and their names.
  template <class Count>
  [[nodiscard]] std::string by_column(const Count& count, names& concerned) const {
    std::string list;
    for (std::size_t j = 0; j < columns(); ++j) {
      const std::int64_t some = count(column(j));
      if (some == 0) continue;
      concerned.push_back(name(j));
      if (concerned.size() > 8) continue;
      list += fmt::format("{}{} in \"{}\"", list.empty() ? "" : ", ", grouped(some), name(j));
    }
    if (concerned.size() > 8)
      list += fmt::format(" and more in {} other columns", concerned.size() - 8);
    return list;
  }

  [[nodiscard]] std::string first_rows() const {
    std::string text;
    for (const auto& bad : facts_.first_bad_rows) {
      names concerned;
      for (const auto j : bad.columns) concerned.push_back(name(static_cast<std::size_t>(j)));
      text += fmt::format("{}row {} ({})", text.empty() ? "" : ", ", grouped(bad.row + 1),
                          quoted_list(concerned, 2));
    }
    return text;
  }
  [[nodiscard]] std::vector<std::int64_t> bad_row_numbers() const {
    std::vector<std::int64_t> rows;
    for (const auto& bad : facts_.first_bad_rows) rows.push_back(bad.row + 1);
    return rows;
  }

  // Infinite values are refused unless they are declared as missing.
  [[nodiscard]] std::string drop_command() const {
    bool infinite = false;
    for (std::size_t j = 0; j < columns(); ++j) infinite = infinite || column(j).infinite > 0;
    return import_ + " --missing drop" + (infinite ? " --na=inf --na=-inf" : "");
  }

  void missing() {
    names concerned;
    const auto list = by_column([](const auto& some) { return some.nan; }, concerned);
    if (concerned.empty()) return;
    const double share =
        static_cast<double>(facts_.bad_rows) / static_cast<double>(data_.info.rows);
    add(severity::error, "missing-values",
        fmt::format("missing values (NaN): {}; {} of {} rows ({:.2g} %) are incomplete, first {}",
                    list, grouped(facts_.bad_rows), grouped(data_.info.rows), 100 * share,
                    first_rows()),
        drop_command(), std::move(concerned), bad_row_numbers());
  }

  void infinite() {
    names concerned;
    const auto list = by_column([](const auto& some) { return some.infinite; }, concerned);
    if (concerned.empty()) return;
    add(severity::error, "infinite-values",
        fmt::format("infinite values: {}; first {}", list, first_rows()),
        drop_command(), std::move(concerned), bad_row_numbers());
  }

  void constant() {
    names same;
    for (std::size_t j = 0; j < facts_.features.size(); ++j) {
      if (is_constant(j)) same.push_back(name(j));
    }
    if (same.empty()) return;
    const auto cure = import_ + exclude(same);
    add(severity::error, "constant-columns",
        fmt::format("{}, like the intercept: {}",
                    same.size() == 1 ? "a column is constant"
                                     : fmt::format("{} columns are constant", same.size()),
                    quoted_list(same)),
        cure, same);
  }

  [[nodiscard]] static std::string exclude(const names& some) {
    std::string text;
    for (std::size_t k = 0; k < std::min<std::size_t>(some.size(), 8); ++k) {
      text += " --exclude " + shell_word(some[k]);
    }
    return some.size() > 8 ? text + " ..." : text;
  }

  void duplicates() {
    const auto features = facts_.features.size();
    for (const auto& group : equal_columns(facts_.digests)) {
      names same;
      for (const auto j : group) {
        if (!is_constant(j)) same.push_back(name(j));
      }
      if (same.size() < 2) continue;
      const bool leak = group.back() >= features && group.front() < features;
      const auto last = same.back();
      if (leak) {
        same.pop_back();
        add(severity::warning, "target-among-features",
            fmt::format("{} equal{} the target \"{}\" in every row", quoted_list(same),
                        same.size() == 1 ? "s" : "", last),
            import_ + exclude(same), same);
      } else if (group.front() < features) {
        add(severity::error, "duplicate-columns",
            fmt::format("columns {} are equal in every row", quoted_list(same)),
            import_ + exclude({same.begin() + 1, same.end()}), same);
      }
    }
  }

  void precision() {
    const auto& element = data_.csr ? data_.csr->data.element : data_.x.element;
    if (facts_.inexact > 0) {
      names concerned;
      for (std::size_t j = 0; j < columns(); ++j) {
        if (std::max(-column(j).min, column(j).max) >= exact_double) concerned.push_back(name(j));
      }
      add(severity::warning, "rounded-integers",
          fmt::format("{} beyond 2^53 do not fit float64 and are rounded, in {}",
                      counted(facts_.inexact, "integer", "integers"), quoted_list(concerned)),
          "are these identifiers? " + import_ + exclude(concerned), concerned);
    }
    if (element.kind != element_kind::floating || element.bytes > 4) return;
    const double exact = element.bytes == 4 ? 0x1p24 : 0x1p11;
    names concerned;
    for (std::size_t j = 0; j < facts_.features.size(); ++j) {
      const auto& some = facts_.features[j];
      const bool beyond = std::max(-some.min, some.max) >= exact;
      if (some.finite > 0 && beyond && facts_.fractions[j] == 0) concerned.push_back(name(j));
    }
    if (concerned.empty()) return;
    add(severity::warning, "narrow-storage",
        fmt::format("whole numbers of {} and more are stored as {}, where neighbours merge, in {}",
                    grouped(static_cast<long long>(exact)), element.name, quoted_list(concerned)),
        fmt::format("store {} as float64 where {} made, or leave {} out",
                    concerned.size() == 1 ? "it" : "them",
                    concerned.size() == 1 ? "it was" : "they were",
                    concerned.size() == 1 ? "it" : "them"),
        concerned);
  }

  void shape() {
    if (data_.targets() == 0) note("no-target", "there is no target: good for predict alone", {});
    if (data_.targets() > 1) {
      note("several-targets",
           fmt::format("{} has {} targets; train logistic takes one", data_.y->path, data_.targets()),
           "store each as a dataset of its own, and choose with --target");
    }
    if (data_.info.rows > data_.info.features) return;
    add(severity::error, "fewer-rows-than-coefficients",
        fmt::format("{} for {} and an intercept: the coefficients are not determined",
                    counted(data_.info.rows, "row", "rows"),
                    counted(data_.info.features, "feature", "features")),
        "add rows, or leave features out");
  }

  void weights() {
    const auto& some = facts_.weights;
    if (!data_.weights) return;
    if (some.negative + some.missing > 0) {
      add(severity::error, "bad-weights",
          fmt::format("{}: {} negative, {} missing or infinite", data_.weights->path,
                      grouped(some.negative), grouped(some.missing)),
          "correct them; a weight is 0 or larger");
    }
    if (some.zero > 0) {
      note("zero-weights",
           fmt::format("{}: {} have weight 0 and count for nothing", data_.weights->path,
                       counted(some.zero, "row", "rows")),
           {});
    }
  }

  const dataset& data_;
  const scan_facts& facts_;
  std::string import_;
  std::vector<finding> found_;
};

}  // namespace

std::vector<finding> judge_values(const dataset& data, const scan_facts& facts,
                                  const std::string& import) {
  return judge(data, facts, import).all();
}

}  // namespace berth::apps
