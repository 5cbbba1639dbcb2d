#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "data/pack.hpp"
#include "models/model_file.hpp"
#include "models/model_format.hpp"

namespace berth::apps {

namespace {

result<std::string> read_word(hid_t where, const char* name) {
  auto texts = read_fixed(where, name);
  if (!texts) return pass(std::move(texts));
  if (texts->size() != 1) return fail(fmt::format("has {} texts \"{}\"", texts->size(), name));
  return std::move(texts->front());
}

result<void> check_format(const hdf5_file& file) {
  const bool marked = has_attribute(file.get(), "format") && has_attribute(file.get(), "kind");
  if (!marked) {
    return fail(
        fmt::format("not a model: it has {}; make one with: train linear FILE.h5 -o "
                    "model.h5",
                    fmt::join(list_root(file), ", ")));
  }
  auto format = read_word(file.get(), "format");
  if (!format) return pass(std::move(format));
  if (*format == format_name) return {};
  return fail(fmt::format("has format \"{}\"; this version reads \"{}\"; fit it again", *format,
                          format_name));
}

result<model_kind> read_kind(const hdf5_file& file) {
  auto kind = read_word(file.get(), "kind");
  if (!kind) return pass(std::move(kind));
  for (const auto known : {model_kind::linear, model_kind::logistic}) {
    if (*kind == kind_name(known)) return known;
  }
  return fail(fmt::format("has unknown kind \"{}\"", *kind));
}

result<std::vector<std::string>> read_list_if_there(hid_t where, const char* name) {
  if (!has_attribute(where, name)) return std::vector<std::string>();
  return read_fixed(where, name);
}

result<void> check_finite(const target_fit& target) {
  for (const auto& each : target.coefficients) {
    if (!std::isfinite(each.estimate)) {
      return fail(fmt::format("coefficient \"{}\" is not finite", each.name));
    }
  }
  return {};
}

result<std::vector<target_fit>> read_targets(const hdf5_file& file) {
  const hdf5_dataset dataset(H5Dopen2(file.get(), "coefficients", H5P_DEFAULT));
  if (!dataset) return fail("lacks /coefficients");
  auto names = read_fixed_dataset(file.get(), names_dataset);
  if (!names) return pass(std::move(names));
  auto targets = read_fixed_dataset(file.get(), targets_dataset);
  if (!targets) return pass(std::move(targets));
  auto aliased = read_list_if_there(dataset.get(), aliased_attribute);
  if (!aliased) return pass(std::move(aliased));
  if (names->empty() || names->front() != intercept_name || targets->empty()) {
    return fail(fmt::format("names {} coefficients, {} first, of {} targets", names->size(),
                            quoted_list(*names, 1), targets->size()));
  }
  const auto shape = coefficients_shape(std::ssize(*targets), std::ssize(*names));
  auto estimates = read_doubles(file.get(), "coefficients", shape);
  if (!estimates) return pass(std::move(estimates));
  auto errors = read_doubles(file.get(), "std_errors", shape);
  if (!errors) return pass(std::move(errors));
  std::vector<target_fit> read;
  for (std::size_t t = 0; t < targets->size(); ++t) {
    target_fit target{(*targets)[t], {}, {}};
    for (std::size_t j = 0; j < names->size(); ++j) {
      coefficient each;
      each.name = (*names)[j];
      each.estimate = (*estimates)[t * names->size() + j];
      each.std_error = (*errors)[t * names->size() + j];
      each.statistic = each.estimate / each.std_error;
      each.is_aliased = std::ranges::find(*aliased, each.name) != aliased->end();
      target.coefficients.push_back(std::move(each));
    }
    if (auto ok = check_finite(target); !ok) return pass(std::move(ok));
    read.push_back(std::move(target));
  }
  return read;
}

result<void> read_statistics(const hdf5_file& file, std::vector<target_fit>& targets) {
  const hdf5_group group(H5Gopen2(file.get(), "statistics", H5P_DEFAULT));
  if (!group) return fail("lacks /statistics");
  for (const auto& name : attribute_names(group.get())) {
    if (count_of(group.get(), name.c_str()) != std::ssize(targets)) {
      return fail(fmt::format("statistic \"{}\" has {} values for {} targets", name,
                              count_of(group.get(), name.c_str()), targets.size()));
    }
    auto values = read_numbers(group.get(), name.c_str());
    if (!values) return pass(std::move(values));
    for (std::size_t t = 0; t < targets.size(); ++t) {
      targets[t].statistics.push_back({name, (*values)[t]});
    }
  }
  return {};
}

result<void> read_covariance(const hdf5_file& file, model& read) {
  if (H5Lexists(file.get(), "covariance_root", H5P_DEFAULT) <= 0) return {};
  const auto p = std::ssize(read.targets[0].coefficients);
  auto root = read_doubles(file.get(), "covariance_root", {p, p});
  if (!root) return pass(std::move(root));
  for (const double value : *root) {
    if (!std::isfinite(value)) return fail("covariance_root is not finite");
  }
  read.covariance_root = std::move(*root);
  return {};
}

bool is_power_of_two(double value) {
  int exponent = 0;
  return value > 0 && std::isfinite(value) && std::frexp(value, &exponent) == 0.5;
}

result<void> fill_sums(hid_t group, std::int64_t n, gram_matrix& gram) {
  auto hi = read_doubles(group, "hi", {n * (n + 1) / 2});
  if (!hi) return pass(std::move(hi));
  auto lo = read_doubles(group, "lo", {n * (n + 1) / 2});
  if (!lo) return pass(std::move(lo));
  std::size_t at = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    for (std::size_t j = i; j < static_cast<std::size_t>(n); ++j, ++at) {
      const twofold sum((*hi)[at], (*lo)[at]);
      const bool is_twofold = std::isfinite(sum.hi) && sum.hi + sum.lo == sum.hi;
      if (!is_twofold || (i == j && sum.hi < 0)) {
        return fail(fmt::format("/gram has {} + {} in row {}, column {}", sum.hi, sum.lo, i, j));
      }
      gram.set(i, j, sum);
    }
  }
  return {};
}

result<std::shared_ptr<const gram_pass>> read_sums(const hdf5_file& file, const model& read) {
  if (H5Lexists(file.get(), "gram", H5P_DEFAULT) <= 0) return nullptr;
  const hdf5_group group(H5Gopen2(file.get(), "gram", H5P_DEFAULT));
  if (!group) return fail("/gram is not a group");
  auto rows = read_count(group.get(), "rows");
  if (!rows) return pass(std::move(rows));
  auto counted = read_count(group.get(), "counted");
  if (!counted) return pass(std::move(counted));
  auto weighted = read_count(group.get(), "weighted");
  if (!weighted) return pass(std::move(weighted));
  auto log_weights = read_number(group.get(), "log_weights");
  if (!log_weights) return pass(std::move(log_weights));
  auto precision = read_word(group.get(), "precision");
  if (!precision) return pass(std::move(precision));
  const gram_columns columns{std::ssize(read.targets[0].coefficients) - 1, std::ssize(read.targets),
                             *weighted != 0};
  const auto n = static_cast<std::int64_t>(columns.count());
  auto scale = read_doubles(group.get(), "scale", {n});
  if (!scale) return pass(std::move(scale));
  if (!std::ranges::all_of(*scale, is_power_of_two))
    return fail("/gram/scale has no powers of two");
  auto made = std::make_shared<gram_pass>(
      gram_pass{make_gram(columns, std::move(*scale)), *counted, *log_weights});
  made->gram.rows = *rows;
  bool is_known = false;
  for (const auto each : {gram_origin::twofold, gram_origin::factor, gram_origin::rounded}) {
    if (*precision != origin_name(each)) continue;
    made->gram.origin = each;
    is_known = true;
  }
  if (!is_known) return fail(fmt::format("/gram has unknown precision \"{}\"", *precision));
  if (auto ok = fill_sums(group.get(), n, made->gram); !ok) return pass(std::move(ok));
  if (H5Lexists(group.get(), "turnover", H5P_DEFAULT) > 0) {
    auto turnover = read_doubles(group.get(), "turnover", {n});
    if (!turnover) return pass(std::move(turnover));
    made->gram.turnover = std::move(*turnover);
  }
  return made;
}

result<void> read_settings(const hdf5_file& file, model& read) {
  if (read.kind != model_kind::linear) return {};
  auto intercept = read_count(file.get(), "intercept");
  if (!intercept) return pass(std::move(intercept));
  auto l2 = read_number(file.get(), "l2");
  if (!l2) return pass(std::move(l2));
  auto l1 = read_number(file.get(), "l1");
  if (!l1) return pass(std::move(l1));
  if (!(*l2 >= 0 && *l1 >= 0)) return fail(fmt::format("l1 is {}, l2 is {}", *l1, *l2));
  auto standardized = read_count(file.get(), "standardized");
  if (!standardized) return pass(std::move(standardized));
  read.l1 = *l1;
  read.is_standardized = *standardized != 0;
  auto level = read_number(file.get(), "level");
  if (!level) return pass(std::move(level));
  if (!(*level > 0 && *level < 1)) return fail(fmt::format("level is {}", *level));
  read.level = *level;
  auto errors = read_word(file.get(), "errors");
  if (!errors) return pass(std::move(errors));
  read.errors = std::move(*errors);
  auto rule = read_word(file.get(), "rank_deficient");
  if (!rule) return pass(std::move(rule));
  read.settings.intercept = *intercept != 0;
  read.settings.l2 = *l2;
  for (const auto known : {rank_rule::error, rank_rule::drop, rank_rule::min_norm}) {
    if (*rule == rule_name(known)) read.settings.deficient = known;
  }
  if (has_attribute(file.get(), "solver")) {
    read.solution.path = read_word(file.get(), "solver").value_or("");
    read.solution.condition = read_number(file.get(), "condition_number").value_or(std::nan(""));
  }
  return {};
}

result<void> read_provenance(const hdf5_file& file, model& read) {
  const std::pair<const char*, std::vector<std::string>*> lists[] = {
      {"levels", &read.levels},
      {"reference_levels", &read.references},
      {"files", &read.origin.files},
      {"digests", &read.origin.digests},
      {"versions", &read.origin.versions}};
  for (const auto& [name, list] : lists) {
    auto texts = read_list_if_there(file.get(), name);
    if (!texts) return pass(std::move(texts));
    *list = std::move(*texts);
  }
  if (!read.levels.empty() && read.levels.size() != 2) {
    return fail(fmt::format("has {} levels, not two", read.levels.size()));
  }
  auto rows = read_count(file.get(), "rows");
  if (!rows) return pass(std::move(rows));
  read.rows = *rows;
  read.data = read_word(file.get(), "data").value_or("");
  read.origin.command = read_word(file.get(), "command").value_or("");
  return {};
}

result<model> read_parts(const hdf5_file& file) {
  if (auto ok = check_format(file); !ok) return pass(std::move(ok));
  model read;
  auto kind = read_kind(file);
  if (!kind) return pass(std::move(kind));
  read.kind = *kind;
  auto targets = read_targets(file);
  if (!targets) return pass(std::move(targets));
  read.targets = std::move(*targets);
  auto ok = read_statistics(file, read.targets);
  if (ok) ok = read_covariance(file, read);
  if (ok) ok = read_settings(file, read);
  if (ok) ok = read_provenance(file, read);
  if (!ok) return pass(std::move(ok));
  auto sums = read_sums(file, read);
  if (!sums) return pass(std::move(sums));
  read.sums = std::move(*sums);
  return read;
}

std::string packed(const model& fitted) {
  packer to;
  to.put(fitted.kind);
  to.put(fitted.targets.size());
  for (const auto& target : fitted.targets) {
    to.put(target.name);
    to.put(target.coefficients.size());
    for (const auto& each : target.coefficients) {
      to.put(each.name);
      to.put(each.estimate);
      to.put(each.is_aliased);
    }
    to.put(target.statistics.size());
    for (const auto& each : target.statistics) {
      to.put(each.name);
      to.put(each.value);
    }
  }
  to.put(fitted.levels);
  to.put(fitted.references);
  to.put(fitted.covariance_root.size());
  return std::move(to).take();
}

model unpacked(std::string bytes) {
  model fitted;
  unpacker from(std::move(bytes));
  std::size_t count = 0;
  from.get(fitted.kind);
  from.get(count);
  fitted.targets.resize(count);
  for (auto& target : fitted.targets) {
    from.get(target.name);
    from.get(count);
    target.coefficients.resize(count);
    for (auto& each : target.coefficients) {
      from.get(each.name);
      from.get(each.estimate);
      from.get(each.is_aliased);
    }
    from.get(count);
    target.statistics.resize(count);
    for (auto& each : target.statistics) {
      from.get(each.name);
      from.get(each.value);
    }
  }
  from.get(fitted.levels);
  from.get(fitted.references);
  from.get(count);
  fitted.covariance_root.resize(count);
  return fitted;
}

}  // namespace

result<model> read_model(const std::string& path) {
  auto file = open_hdf5(path);
  if (!file) return pass(std::move(file), "model");
  auto read = read_parts(*file);
  if (!read) return pass(std::move(read), fmt::format("model \"{}\"", path));
  return read;
}

result<model> share_model(const communicator& comm, const std::string& path) {
  std::string bytes;
  model fitted;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto read = read_model(path);
    if (!read) return pass(std::move(read));
    fitted = std::move(*read);
    bytes = packed(fitted);
    return {};
  });
  if (!ok) return pass(std::move(ok));
  comm.broadcast(bytes);
  if (!comm.is_root()) fitted = unpacked(std::move(bytes));
  comm.broadcast(std::span<double>(fitted.covariance_root));
  return fitted;
}

}  // namespace berth::apps
