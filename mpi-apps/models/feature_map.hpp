#pragma once
// The features that a model was fitted on, found in the columns of another dataset by name.
//
// Two imports may leave out different levels of a text column. With levels a, b, c:
//
//   model      reference kind=a: features kind=b, kind=c
//   dataset    reference kind=c: columns  kind=a, kind=b
//
// then kind=b is a column, and kind=c is 1 - kind=a - kind=b. A level that no row of the dataset
// has is 0.

#include <span>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "data/dataset.hpp"

namespace berth::apps {

/// What a fit calls its columns: names, and "column=level" of the levels that were left out.
struct feature_names {
  std::vector<std::string> names;
  std::vector<std::string> references;
};

/// A feature = constant + sign * (sum of columns).
struct feature_rule {
  double constant = 0;
  double sign = 1;
  std::vector<std::size_t> columns;
};

class feature_map {
 public:
  /// Every column as it is.
  explicit feature_map(std::size_t features = 0) : width_(features), is_identity_(true) {}
  /// Rules for columns of rows of `width`.
  feature_map(std::size_t width, std::vector<feature_rule> rules);

  /// Rows can be used as they are.
  [[nodiscard]] bool is_identity() const noexcept { return is_identity_; }
  /// Each feature is one column.
  [[nodiscard]] bool is_choice() const noexcept { return is_choice_; }

  /// Row-major rows of the dataset to row-major rows of features. T is float or double.
  /// @pre out.size() / features() rows of x.size() / width
  template <class T>
  void apply(std::span<const T> x, std::span<T> out) const;

 private:
  std::size_t width_;
  bool is_identity_ = false;
  bool is_choice_ = true;
  std::vector<feature_rule> rules_;
};

/// Errors: features that the dataset lacks, with the columns it has beside; levels that the fit did
/// not see. Further columns of the dataset do not matter.
result<feature_map> map_features(const feature_names& wanted, const dataset_info& data);

}  // namespace berth::apps
