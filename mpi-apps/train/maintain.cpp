#include "train/maintain.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "common/text.hpp"
#include "models/linear.hpp"
#include "models/model_file.hpp"
#include "models/row_passes.hpp"
#include "train/fit.hpp"
#include "train/origin.hpp"

namespace berth::apps {

namespace {

std::string output_of(const train_options& chosen) {
  return chosen.output.empty() ? chosen.maintain.models[0] : chosen.output;
}

result<model> open_model(const communicator& comm, const train_options& chosen) {
  const auto& path = chosen.maintain.models[0];
  auto ok = on_root(comm, [&] { return check_writable(output_of(chosen), {chosen.data}); });
  if (!ok) return pass(std::move(ok));
  auto fitted = share_model(comm, path);
  if (!fitted) return fitted;
  ok = on_root(comm, [&] { return check_has_sums(path, *fitted); });
  if (!ok) return pass(std::move(ok));
  return fitted;
}

// Columns that the model does not know, unless --columns says which to use.
std::vector<std::string> extra_columns(const train_options& chosen, const model& fitted,
                                       const dataset_info& info) {
  if (!chosen.stream.columns.empty()) return {};
  const auto features = features_of(fitted);
  std::vector<std::string> extra;
  for (const auto& name : info.names) {
    const auto prefix = name.substr(0, name.find('=') + 1);
    const bool is_level =
        !prefix.empty() && std::ranges::any_of(fitted.references, [&](const std::string& each) {
          return each.starts_with(prefix);
        });
    if (!is_level && std::ranges::find(features, name) == features.end()) extra.push_back(name);
  }
  return extra;
}

std::vector<std::string> unlike_columns(const std::vector<std::string>& columns,
                                        const std::vector<std::string>& features) {
  std::vector<std::string> unlike;
  if (columns.empty()) return unlike;
  for (const auto& name : features) {
    if (std::ranges::find(columns, name) == columns.end()) unlike.push_back(name);
  }
  for (const auto& name : columns) {
    if (std::ranges::find(features, name) == features.end()) unlike.push_back(name);
  }
  return unlike;
}

// What the dataset and the model do not have in common, in words.
result<void> check_alike(const train_options& chosen, const model& fitted, bool is_weighted,
                         const dataset& data) {
  std::vector<std::string> differences;
  const auto extra = extra_columns(chosen, fitted, data.info);
  if (!extra.empty()) {
    differences.push_back(
        fmt::format("{} not in the model (choose features with --columns)", quoted_list(extra)));
  }
  const auto unlike = unlike_columns(chosen.stream.columns, features_of(fitted));
  if (!unlike.empty()) {
    differences.push_back(
        fmt::format("--columns and the model's features differ in {}", quoted_list(unlike)));
  }
  const auto& theirs = data.info.targets;
  std::vector<std::string> ours;
  for (const auto& each : fitted.targets) ours.push_back(each.name);
  if (ours != theirs) {
    differences.push_back(
        fmt::format("target {} instead of {}", quoted_list(theirs), quoted_list(ours)));
  }
  const bool weights = chosen.stream.weights && data.weights.has_value();
  if (weights != is_weighted) {
    differences.push_back(is_weighted ? "no weights, which the model's rows have"
                                      : "weights, which the model's rows have not (--no-weights)");
  }
  if (differences.empty()) return {};
  return fail(fmt::format("dataset \"{}\": does not go with model \"{}\": {}", data.info.path,
                          chosen.maintain.models[0], fmt::join(differences, "; ")));
}

result<gram_pass> change(const train_options& chosen, const gram_pass& old, const gram_pass& rows) {
  if (!chosen.maintain.remove) {
    return gram_pass{add_rows(old.gram, rows.gram), old.counted + rows.counted,
                     old.log_weights + rows.log_weights};
  }
  auto less = remove_rows(old.gram, rows.gram);
  if (!less || rows.counted > old.counted) {
    return fail(fmt::format("model \"{}\": has not the {} of \"{}\" that --remove is to take away",
                            chosen.maintain.models[0], counted(rows.gram.rows, "row", "rows"),
                            chosen.data));
  }
  return gram_pass{std::move(*less), old.counted - rows.counted,
                   old.log_weights - rows.log_weights};
}

void warn_if_known(const train_options& chosen, const model_origin& old,
                   const std::string& digest) {
  const auto at = std::ranges::find(old.digests, digest);
  if (chosen.maintain.remove || at == old.digests.end()) return;
  std::cerr << fmt::format("train: warning: model \"{}\": already has the rows of \"{}\"\n",
                           chosen.maintain.models[0], chosen.data);
}

void extend_origin(const train_options& chosen, const model_origin& old, model_origin& origin) {
  warn_if_known(chosen, old, origin.digests[0]);
  const auto file = chosen.maintain.remove ? chosen.data + " (removed)" : chosen.data;
  origin.files = old.files;
  origin.files.push_back(file);
  auto digests = old.digests;
  digests.push_back(origin.digests[0]);
  origin.digests = std::move(digests);
}

// On rank 0: the model of all rows, written.
result<model> renew(const train_options& chosen, const model& old, const gram_pass& rows,
                    model_origin origin, int ranks) {
  auto sums = change(chosen, *old.sums, rows);
  if (!sums) return pass(std::move(sums));
  const char* sign = chosen.maintain.remove ? "-" : "+";
  auto made = refit(old, std::move(*sums), fmt::format("{} {} {}", old.data, sign, chosen.data));
  if (!made) return pass(std::move(made), fmt::format("model \"{}\"", chosen.maintain.models[0]));
  extend_origin(chosen, old.origin, origin);
  made->origin = std::move(origin);
  made->ranks = ranks;
  made->solution.passes = 1;
  if (auto ok = write_model(output_of(chosen), *made); !ok) return pass(std::move(ok));
  warn_of_errors(chosen.maintain.models[0], old);
  return made;
}

}  // namespace

void warn_of_errors(const std::string& path, const model& old) {
  if (old.errors == "classic") return;
  std::cerr << fmt::format(
      "train: warning: model \"{}\": its standard errors were {}, which need all rows; they are "
      "classic now\n",
      path, old.errors);
}

std::vector<std::string> features_of(const model& fitted) {
  std::vector<std::string> names;
  for (const auto& each : fitted.targets[0].coefficients) {
    if (each.name != intercept_name) names.push_back(each.name);
  }
  return names;
}

result<void> check_has_sums(const std::string& path, const model& fitted) {
  if (fitted.kind != model_kind::linear) {
    return fail(fmt::format("model \"{}\": is {}; only linear models can go on without their rows",
                            path, kind_name(fitted.kind)));
  }
  if (fitted.sums) return {};
  return fail(
      fmt::format("model \"{}\": does not hold its sums; train linear keeps them up to {} features",
                  path, grouped(most_kept_features)));
}

result<model> refit(const model& like, gram_pass sums, const std::string& data) {
  dataset_info info;
  info.path = data;
  info.names = features_of(like);
  info.references = like.references;
  info.features = std::ssize(info.names);
  info.rows = sums.gram.rows;
  for (const auto& each : like.targets) info.targets.push_back(each.name);
  auto kept = std::make_shared<const gram_pass>(std::move(sums));
  const bool is_penalised = like.l1 > 0 || like.is_standardized;
  return is_penalised
             ? fit_penalised(std::move(kept), info, like.settings, like.l1, like.is_standardized)
             : fit_sums(std::move(kept), info, like.settings, like.level);
}

result<void> update_model(const communicator& comm, const train_options& chosen) {
  phase_clock clock(comm);
  auto old = open_model(comm, chosen);
  if (!old) return pass(std::move(old));
  auto data = open_dataset(comm, chosen.data, chosen.parts);
  if (!data) return pass(std::move(data));
  auto ok = on_root(
      comm, [&] { return check_alike(chosen, *old, old->sums->gram.columns.is_weighted, *data); });
  if (!ok) return ok;
  auto options = chosen.stream;
  options.like = feature_names{features_of(*old), old->references};
  auto stream = stream_source::create(comm, *data, options);
  if (!stream) return pass(std::move(stream));
  int passes = 0;
  auto rows = clock.time("read and add up", [&] {
    return pass_gram(comm, stream->rows(), gram_precision::exact, passes);
  });
  if (!rows) return pass(std::move(rows), fmt::format("dataset \"{}\"", chosen.data));
  auto origin = describe_origin(comm, chosen.command, {chosen.data});
  if (!origin) return pass(std::move(origin));
  model made;
  ok = clock.time("solve and write", [&] {
    return on_root(comm, [&]() -> result<void> {
      auto renewed = renew(chosen, *old, *rows, std::move(*origin), comm.size());
      if (!renewed) return pass(std::move(renewed));
      made = std::move(*renewed);
      return {};
    });
  });
  if (ok && comm.is_root()) {
    print_report(chosen, made, {output_of(chosen), clock.phases(), {}, {}});
  }
  return ok;
}

}  // namespace berth::apps
