#include "train/open_checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "common/collective.hpp"
#include "common/signals.hpp"
#include "models/wide_solver.hpp"
#include "train/origin.hpp"

namespace berth::apps {

namespace {

result<void> check_solver(const train_options& chosen, const dataset_info& info) {
  const auto solver = chosen.linear.solver;
  const bool sums = solver == linear_solver::exact || solver == linear_solver::normal ||
                    (solver == linear_solver::automatic && info.features <= wide_features);
  if (sums) return {};
  return fail(fmt::format(
      "--checkpoint keeps sums: it goes with --solver exact and normal, and with auto up to {} "
      "features",
      wide_features));
}

// What the sums depend on.
result<checkpoint_identity> identity_of(const communicator& comm, const train_options& chosen,
                                        const dataset& data, const stream_source& stream) {
  std::string digest;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto text = digest_text(data.info.path);
    if (text) digest = std::move(*text);
    return text ? result<void>{} : pass(std::move(text));
  });
  if (!ok) return pass(std::move(ok));
  const bool weighted = chosen.stream.weights && data.weights.has_value();
  return checkpoint_identity{
      {"the data (bytes-hash)", digest},
      {"the features", fmt::format("{}", fmt::join(stream.info().names, ","))},
      {"the feature array", data.x.path},
      {"the target", data.y ? data.y->path : ""},
      {"the weights", weighted ? data.weights->path : "none"}};
}

}  // namespace

result<checkpoint> open_checkpoint(const communicator& comm, const train_options& chosen,
                                   const dataset& data, const stream_source& stream) {
  if (auto ok = check_solver(chosen, stream.info()); !ok) return pass(std::move(ok));
  auto identity = identity_of(comm, chosen, data, stream);
  if (!identity) return pass(std::move(identity));
  auto options = chosen.checkpoint;
  catch_stop_signals();
  options.stop = was_told_to_stop;
  options.save = take_save_request;
  options.tell = [](const std::string& what) {
    std::cerr << fmt::format("train: {}\n", what) << std::flush;
  };
  return checkpoint::open(comm, std::move(options), std::move(*identity));
}

}  // namespace berth::apps
