#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "common/text.hpp"
#include "models/model_export.hpp"
#include "models/model_file.hpp"
#include "train/fit.hpp"
#include "train/maintain.hpp"
#include "train/origin.hpp"

namespace berth::apps {

namespace {

using texts = std::vector<std::string>;

texts only_in(const texts& some, const texts& others) {
  texts only;
  for (const auto& each : some) {
    if (std::ranges::find(others, each) == others.end()) only.push_back(each);
  }
  return only;
}

texts targets_of(const model& fitted) {
  texts names;
  for (const auto& each : fitted.targets) names.push_back(each.name);
  return names;
}

void compare(const char* what, const texts& a, const texts& b, texts& differences) {
  if (const auto only = only_in(a, b); !only.empty()) {
    differences.push_back(fmt::format("{} {} only in the first", what, quoted_list(only)));
  }
  if (const auto only = only_in(b, a); !only.empty()) {
    differences.push_back(fmt::format("{} {} only in the second", what, quoted_list(only)));
  }
}

texts differences_of(const model& a, const model& b) {
  texts differences;
  compare("feature", features_of(a), features_of(b), differences);
  compare("reference level", a.references, b.references, differences);
  compare("target", targets_of(a), targets_of(b), differences);
  if (differences.empty() && targets_of(a) != targets_of(b)) {
    differences.emplace_back("the order of the targets");
  }
  if (a.sums->gram.columns.is_weighted != b.sums->gram.columns.is_weighted) {
    differences.emplace_back("weights in one of them only");
  }
  if (a.settings.intercept != b.settings.intercept) differences.emplace_back("the intercept");
  if (a.settings.l2 != b.settings.l2) {
    differences.push_back(fmt::format("--l2 {} and {}", a.settings.l2, b.settings.l2));
  }
  if (a.l1 != b.l1) differences.push_back(fmt::format("--l1 {} and {}", a.l1, b.l1));
  if (a.is_standardized != b.is_standardized) differences.emplace_back("--standardize");
  if (a.settings.deficient != b.settings.deficient) {
    differences.push_back(fmt::format("--rank-deficient {} and {}", rule_name(a.settings.deficient),
                                      rule_name(b.settings.deficient)));
  }
  return differences;
}

// The sums with the features in the order that `like` has.
gram_matrix in_order_of(const model& like, const model& other) {
  const auto wanted = features_of(like);
  const auto have = features_of(other);
  const auto& from = other.sums->gram;
  if (wanted == have) return from;
  std::vector<std::size_t> at;
  for (const auto& name : wanted) {
    at.push_back(static_cast<std::size_t>(std::ranges::find(have, name) - have.begin()));
  }
  while (at.size() < from.columns.count()) at.push_back(at.size());
  auto made = make_gram(from.columns, from.scale);
  made.rows = from.rows;
  made.origin = from.origin;
  for (std::size_t i = 0; i < at.size(); ++i) {
    made.scale[i] = from.scale[at[i]];
    if (!from.turnover.empty()) made.turnover.push_back(from.turnover[at[i]]);
    for (std::size_t j = i; j < at.size(); ++j) made.set(i, j, from.at(at[i], at[j]));
  }
  return made;
}

void warn_of_shared_rows(const model_origin& all, const model_origin& more,
                         const std::string& path) {
  for (std::size_t i = 0; i < more.digests.size(); ++i) {
    if (std::ranges::find(all.digests, more.digests[i]) == all.digests.end()) continue;
    std::cerr << fmt::format(
        "train: warning: model \"{}\": the rows of \"{}\" are in another model too\n", path,
        i < more.files.size() ? more.files[i] : "");
  }
}

struct joined {
  model first;
  gram_pass sums;
  model_origin origin;
  std::string data;
};

result<void> join(joined& all, const std::string& path) {
  auto next = read_model(path);
  if (!next) return pass(std::move(next));
  if (auto ok = check_has_sums(path, *next); !ok) return ok;
  warn_of_errors(path, *next);
  if (all.data.empty()) {
    all.sums = *next->sums;
    all.origin = next->origin;
    all.data = next->data;
    all.first = std::move(*next);
    return {};
  }
  const auto differences = differences_of(all.first, *next);
  if (!differences.empty()) {
    return fail(fmt::format("model \"{}\": does not go with the first: {}", path,
                            fmt::join(differences, "; ")));
  }
  warn_of_shared_rows(all.origin, next->origin, path);
  all.sums = {add_rows(all.sums.gram, in_order_of(all.first, *next)),
              all.sums.counted + next->sums->counted,
              all.sums.log_weights + next->sums->log_weights};
  const auto append = [](texts& to, const texts& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(all.origin.files, next->origin.files);
  append(all.origin.digests, next->origin.digests);
  all.data += fmt::format(" + {}", next->data);
  return {};
}

result<model> join_all(const train_options& chosen, const model_origin& here) {
  if (auto ok = check_writable(chosen.output); !ok) return pass(std::move(ok));
  joined all;
  for (const auto& path : chosen.maintain.models) {
    if (auto ok = join(all, path); !ok) return pass(std::move(ok));
  }
  auto made = refit(all.first, std::move(all.sums), all.data);
  if (!made) return made;
  made->origin = here;
  made->origin.files = std::move(all.origin.files);
  made->origin.digests = std::move(all.origin.digests);
  if (auto ok = write_model(chosen.output, *made); !ok) return pass(std::move(ok));
  return made;
}

}  // namespace

result<void> export_stored(const communicator& comm, const train_options& chosen) {
  return on_root(comm, [&]() -> result<void> {
    const auto fitted = read_model(chosen.maintain.models[0]);
    if (!fitted) return failure(fitted.error());
    for (const auto& path : chosen.exports) {
      if (auto ok = check_export(path); !ok) return ok;
    }
    for (const auto& path : chosen.exports) {
      if (auto ok = export_model(path, *fitted); !ok) return ok;
    }
    return {};
  });
}

result<void> merge_models(const communicator& comm, const train_options& chosen) {
  phase_clock clock(comm);
  auto here = describe_origin(comm, chosen.command, {});
  if (!here) return pass(std::move(here));
  model made;
  auto ok = clock.time("merge", [&] {
    return on_root(comm, [&]() -> result<void> {
      auto merged = join_all(chosen, *here);
      if (!merged) return pass(std::move(merged));
      made = std::move(*merged);
      return {};
    });
  });
  if (ok && comm.is_root()) print_report(chosen, made, {chosen.output, clock.phases(), {}, {}});
  return ok;
}

}  // namespace berth::apps
