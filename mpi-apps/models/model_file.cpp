#include "models/model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "common/atomic_file.hpp"
#include "common/hdf5_attributes.hpp"
#include "common/program.hpp"
#include "common/text.hpp"

namespace berth::apps {

namespace {

constexpr const char* format_name = "berth model 1";
constexpr const char* names_attribute = "names";

std::vector<double> column(const target_fit& fitted, double coefficient::*member) {
  std::vector<double> values;
  for (const auto& each : fitted.coefficients) values.push_back(each.*member);
  return values;
}

// Readers find the constant first, 0 where the model has none.
target_fit with_constant(target_fit fitted) {
  if (!has_intercept(fitted)) {
    coefficient none;
    none.name = intercept_name;
    none.std_error = std::nan("");
    fitted.coefficients.insert(fitted.coefficients.begin(), none);
  }
  return fitted;
}

result<void> write_coefficients(const hdf5_file& file, const target_fit& fitted) {
  const auto count = std::ssize(fitted.coefficients);
  auto estimates =
      write_doubles(file.get(), "coefficients", {count}, column(fitted, &coefficient::estimate));
  if (!estimates) return pass(std::move(estimates));
  std::vector<std::string> names;
  for (const auto& each : fitted.coefficients) names.push_back(each.name);
  if (auto ok = write_attribute(estimates->get(), names_attribute, std::span(std::as_const(names)));
      !ok) {
    return ok;
  }
  auto errors =
      write_doubles(file.get(), "std_errors", {count}, column(fitted, &coefficient::std_error));
  if (!errors) return pass(std::move(errors));
  return {};
}

result<void> write_statistics(const hdf5_file& file, const target_fit& fitted) {
  const hdf5_group group(
      H5Gcreate2(file.get(), "statistics", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  for (const auto& each : fitted.statistics) {
    if (auto ok = write_attribute(group.get(), each.name.c_str(), each.value); !ok) return ok;
  }
  return {};
}

result<void> write_provenance(const hdf5_file& file, const model& fitted) {
  const std::pair<const char*, std::string> texts[] = {
      {"format", format_name},
      {"kind", kind_name(fitted.kind)},
      {"target", fitted.targets.front().name},
      {"data", fitted.data},
      {"created", timestamp()},
      {"created_by", fmt::format("berth train {}", version())}};
  for (const auto& [name, text] : texts) {
    if (auto ok = write_attribute(file.get(), name, text); !ok) return ok;
  }
  if (!fitted.solution.path.empty()) {
    if (auto ok = write_attribute(file.get(), "solver", fitted.solution.path); !ok) return ok;
    if (auto ok = write_attribute(file.get(), "condition_number", fitted.solution.condition); !ok) {
      return ok;
    }
  }
  if (!fitted.levels.empty()) {
    if (auto ok = write_attribute(file.get(), "levels", std::span(fitted.levels)); !ok) return ok;
  }
  if (auto ok = write_attribute(file.get(), "rows", fitted.rows); !ok) return ok;
  return write_attribute(file.get(), "ranks", static_cast<std::int64_t>(fitted.ranks));
}

result<model_kind> read_kind(const hdf5_file& file) {
  const bool marked = has_attribute(file.get(), "format") && has_attribute(file.get(), "kind");
  if (!marked) {
    return fail(
        fmt::format("not a model: it has {}; make one with: train linear FILE.h5 -o "
                    "model.h5",
                    fmt::join(list_root(file), ", ")));
  }
  auto format = read_text(file.get(), "format");
  if (format && *format != format_name) {
    return fail(fmt::format("has format \"{}\"; this version reads \"{}\"", *format, format_name));
  }
  auto kind = read_text(file.get(), "kind");
  if (!kind) return pass(std::move(kind));
  for (const auto known : {model_kind::linear, model_kind::logistic}) {
    if (*kind == kind_name(known)) return known;
  }
  return fail(fmt::format("has unknown kind \"{}\"", *kind));
}

result<std::vector<coefficient>> read_coefficients(const hdf5_file& file) {
  auto estimates = read_doubles(file.get(), "coefficients");
  if (!estimates) return pass(std::move(estimates));
  auto errors = read_doubles(file.get(), "std_errors");
  if (!errors) return pass(std::move(errors));
  const hdf5_dataset dataset(H5Dopen2(file.get(), "coefficients", H5P_DEFAULT));
  auto names = read_texts(dataset.get(), names_attribute);
  if (!names) return pass(std::move(names));
  const std::size_t count = names->size();
  if (count < 1 || estimates->size() != count || errors->size() != count) {
    return fail(fmt::format("has {} coefficients, {} standard errors and {} names",
                            estimates->size(), errors->size(), count));
  }
  std::vector<coefficient> table(count);
  for (std::size_t j = 0; j < count; ++j) {
    table[j].name = (*names)[j];
    table[j].estimate = (*estimates)[j];
    table[j].std_error = (*errors)[j];
    if (!std::isfinite(table[j].estimate)) {
      return fail(fmt::format("coefficient \"{}\" is not finite", table[j].name));
    }
  }
  return table;
}

}  // namespace

const char* kind_name(model_kind kind) {
  return kind == model_kind::linear ? "linear" : "logistic";
}

result<void> write_model(const std::string& path, const model& fitted) {
  auto output = atomic_file::create(path);
  if (!output) return pass(std::move(output));
  auto file = create_hdf5(output->temporary());
  if (!file) return pass(std::move(file));
  auto ok = write_coefficients(*file, with_constant(fitted.targets.front()));
  if (ok) ok = write_statistics(*file, fitted.targets.front());
  if (ok) ok = write_provenance(*file, fitted);
  if (ok && !file->close()) ok = fail(hdf5_reason(), blame::run);
  if (!ok) return pass(std::move(ok), fmt::format("output \"{}\"", path));
  return output->commit();
}

result<model> read_model(const std::string& path) {
  auto file = open_hdf5(path);
  if (!file) return pass(std::move(file), "model");
  const auto context = fmt::format("model \"{}\"", path);
  auto kind = read_kind(*file);
  if (!kind) return pass(std::move(kind), context);
  auto table = read_coefficients(*file);
  if (!table) return pass(std::move(table), context);
  model read;
  read.kind = *kind;
  read.targets.push_back({"", std::move(*table), {}});
  if (auto target = read_text(file->get(), "target")) read.targets[0].name = std::move(*target);
  if (auto data = read_text(file->get(), "data")) read.data = std::move(*data);
  if (has_attribute(file->get(), "levels")) {
    if (auto levels = read_texts(file->get(), "levels")) read.levels = std::move(*levels);
  }
  return read;
}

}  // namespace berth::apps
