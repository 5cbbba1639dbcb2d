#include "models/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/atomic_file.hpp"
#include "common/hdf5_attributes.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "models/model_format.hpp"

namespace berth::apps {

namespace {

result<hdf5_dataset> write_column(const hdf5_file& file, const char* name,
                                  const std::vector<target_fit>& targets,
                                  double coefficient::*member) {
  std::vector<double> values;
  for (const auto& target : targets) {
    for (const auto& each : target.coefficients) values.push_back(each.*member);
  }
  return write_doubles(file.get(), name,
                       coefficients_shape(std::ssize(targets), std::ssize(targets[0].coefficients)),
                       values);
}

result<void> write_names(const hdf5_file& file, hid_t coefficients,
                         const std::vector<target_fit>& targets) {
  std::vector<std::string> names;
  std::vector<std::string> aliased;
  std::vector<std::string> target_names;
  for (const auto& each : targets[0].coefficients) {
    names.push_back(each.name);
    if (each.is_aliased) aliased.push_back(each.name);
  }
  for (const auto& each : targets) target_names.push_back(each.name);
  auto ok = write_fixed_dataset(file.get(), names_dataset, names);
  if (ok) ok = write_fixed_dataset(file.get(), targets_dataset, target_names);
  if (ok && !aliased.empty()) {
    ok = write_fixed(coefficients, aliased_attribute, std::span<const std::string>(aliased));
  }
  return ok;
}

result<void> write_coefficients(const hdf5_file& file, const std::vector<target_fit>& targets) {
  auto estimates = write_column(file, "coefficients", targets, &coefficient::estimate);
  if (!estimates) return pass(std::move(estimates));
  if (auto ok = write_names(file, estimates->get(), targets); !ok) return ok;
  auto errors = write_column(file, "std_errors", targets, &coefficient::std_error);
  if (!errors) return pass(std::move(errors));
  return {};
}

result<void> write_covariance(const hdf5_file& file, const model& fitted, std::int64_t p) {
  if (fitted.covariance_root.empty()) return {};
  auto made = write_doubles(file.get(), "covariance_root", {p, p}, fitted.covariance_root);
  return made ? result<void>{} : pass(std::move(made));
}

result<void> write_statistics(const hdf5_file& file, const std::vector<target_fit>& targets) {
  const hdf5_group group(
      H5Gcreate2(file.get(), "statistics", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  for (const auto& each : targets[0].statistics) {
    std::vector<double> values;
    for (const auto& target : targets) values.push_back(value_of(target, each.name));
    auto ok = values.size() == 1 ? write_attribute(group.get(), each.name.c_str(), values[0])
                                 : write_attribute(group.get(), each.name.c_str(),
                                                   std::span<const double>(values));
    if (!ok) return ok;
  }
  return {};
}

result<void> write_sums(const hdf5_file& file, const gram_pass& sums) {
  const auto& gram = sums.gram;
  const hdf5_group group(H5Gcreate2(file.get(), "gram", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  const std::size_t n = gram.columns.count();
  std::vector<double> hi;
  std::vector<double> lo;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      const twofold sum = gram.at(i, j);
      hi.push_back(sum.hi);
      lo.push_back(sum.lo);
    }
  }
  auto made = write_doubles(group.get(), "hi", {std::ssize(hi)}, hi);
  if (made) made = write_doubles(group.get(), "lo", {std::ssize(lo)}, lo);
  if (made) made = write_doubles(group.get(), "scale", {std::ssize(gram.scale)}, gram.scale);
  if (made && !gram.turnover.empty()) {
    made = write_doubles(group.get(), "turnover", {std::ssize(gram.turnover)}, gram.turnover);
  }
  if (!made) return pass(std::move(made));
  auto ok = write_attribute(group.get(), "rows", gram.rows);
  if (ok) ok = write_attribute(group.get(), "counted", sums.counted);
  if (ok) ok = write_attribute(group.get(), "weighted", std::int64_t{gram.columns.is_weighted});
  if (ok) ok = write_attribute(group.get(), "log_weights", sums.log_weights);
  if (ok) ok = write_fixed(group.get(), "precision", std::string(origin_name(gram.origin)));
  return ok;
}

result<void> write_settings(const hdf5_file& file, const model& fitted) {
  if (fitted.kind != model_kind::linear) return {};
  const auto& settings = fitted.settings;
  auto ok = write_attribute(file.get(), "intercept", std::int64_t{settings.intercept});
  if (ok) ok = write_attribute(file.get(), "l1", fitted.l1);
  if (ok) ok = write_attribute(file.get(), "l2", settings.l2);
  if (ok) ok = write_attribute(file.get(), "standardized", std::int64_t{fitted.is_standardized});
  if (ok) ok = write_attribute(file.get(), "level", fitted.level);
  if (ok) ok = write_fixed(file.get(), "errors", fitted.errors);
  if (ok) {
    ok = write_fixed(file.get(), "rank_deficient", std::string(rule_name(settings.deficient)));
  }
  if (ok && !fitted.solution.path.empty()) {
    ok = write_fixed(file.get(), "solver", fitted.solution.path);
    if (ok) ok = write_attribute(file.get(), "condition_number", fitted.solution.condition);
  }
  return ok;
}

result<void> write_provenance(const hdf5_file& file, const model& fitted) {
  const std::pair<const char*, std::string> texts[] = {
      {"format", format_name},  {"kind", kind_name(fitted.kind)},
      {"data", fitted.data},    {"command", fitted.origin.command},
      {"created", timestamp()}, {"created_by", fmt::format("berth train {}", version())}};
  for (const auto& [name, text] : texts) {
    if (auto ok = write_fixed(file.get(), name, text); !ok) return ok;
  }
  const std::pair<const char*, const std::vector<std::string>*> lists[] = {
      {"levels", &fitted.levels},
      {"reference_levels", &fitted.references},
      {"files", &fitted.origin.files},
      {"digests", &fitted.origin.digests},
      {"versions", &fitted.origin.versions}};
  for (const auto& [name, list] : lists) {
    if (list->empty()) continue;
    auto ok = write_fixed(file.get(), name, std::span<const std::string>(*list));
    if (!ok) return ok;
  }
  const std::pair<const char*, std::int64_t> counts[] = {
      {"rows", fitted.rows}, {"ranks", fitted.ranks}, {"hosts", fitted.origin.hosts}};
  for (const auto& [name, count] : counts) {
    if (auto ok = write_attribute(file.get(), name, count); !ok) return ok;
  }
  return {};
}

result<void> write_parts(const hdf5_file& file, const model& fitted) {
  std::vector<target_fit> targets;
  // Readers find the constant first, also where the model has none.
  for (const auto& each : fitted.targets) targets.push_back(with_constant(each));
  auto ok = write_coefficients(file, targets);
  if (ok) ok = write_covariance(file, fitted, std::ssize(targets[0].coefficients));
  if (ok) ok = write_statistics(file, targets);
  if (ok && fitted.sums && is_kept(fitted.sums->gram)) {
    ok = write_sums(file, *fitted.sums);
  }
  if (ok) ok = write_settings(file, fitted);
  if (ok) ok = write_provenance(file, fitted);
  return ok;
}

// At most, with the room that HDF5 takes for its own.
std::int64_t bytes_of(const model& fitted) {
  constexpr std::int64_t own = 16 << 10;
  std::size_t numbers = fitted.covariance_root.size();
  std::size_t longest = 0;
  for (const auto& target : fitted.targets) {
    numbers += 2 * target.coefficients.size() + target.statistics.size();
    for (const auto& each : target.coefficients) longest = std::max(longest, each.name.size());
  }
  if (fitted.sums && is_kept(fitted.sums->gram)) {
    const std::size_t n = fitted.sums->gram.columns.count();
    numbers += n * (n + 1) + 2 * n;
  }
  const std::size_t texts = 2 * longest * (fitted.targets[0].coefficients.size() + 1);
  return own + static_cast<std::int64_t>(8 * numbers + texts);
}

}  // namespace

const char* kind_name(model_kind kind) {
  return kind == model_kind::linear ? "linear" : "logistic";
}

const char* origin_name(gram_origin origin) {
  return origin == gram_origin::twofold  ? "twofold"
         : origin == gram_origin::factor ? "factor"
                                         : "double";
}

const char* rule_name(rank_rule rule) {
  return rule == rank_rule::error ? "error" : rule == rank_rule::drop ? "drop" : "min-norm";
}

std::vector<std::int64_t> coefficients_shape(std::int64_t targets, std::int64_t count) {
  if (targets == 1) return {count};
  return {targets, count};
}

result<void> write_model(const std::string& path, const model& fitted) {
  auto output = atomic_file::create(path);
  if (!output) return pass(std::move(output));
  const auto context = fmt::format("output \"{}\"", path);
  if (auto room = output->check_space(bytes_of(fitted)); !room) return room;
  auto file = create_hdf5(output->temporary());
  if (!file) return pass(std::move(file), context);
  auto ok = write_parts(*file, fitted);
  if (ok && !file->close()) ok = fail(hdf5_reason(), blame::run);
  if (!ok) return pass(std::move(ok), context);
  return output->commit();
}

}  // namespace berth::apps
