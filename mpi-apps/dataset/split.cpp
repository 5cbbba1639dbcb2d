#include "dataset/split.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "data/read_rows.hpp"
#include "dataset/csv_rows.hpp"
#include "dataset/provenance.hpp"
#include "dataset/split_rows.hpp"

namespace berth::apps {

namespace {

const element_type& element_of(const dataset& data) {
  return data.csr ? data.csr->data.element : data.x.element;
}

// float32 holds every value exactly.
bool fits_single(const element_type& element) {
  return element.kind == element_kind::floating ? element.bytes <= 4 : element.bytes <= 2;
}

dataset_layout layout_of(const dataset& data) {
  dataset_layout layout;
  layout.features = data.info.features;
  layout.values = fits_single(element_of(data)) ? precision::f32 : precision::f64;
  layout.sparse = data.csr.has_value();
  layout.feature_names = data.info.names;
  const auto names = other_columns(data);
  for (std::int64_t k = 0; k < data.targets(); ++k) {
    layout.targets.push_back({names[static_cast<std::size_t>(k)], data.info.levels});
  }
  layout.weights = data.weights.has_value();
  layout.reference_levels = data.info.references;
  return layout;
}

// Opens an output, with this rank's first row and stored element in it. Collective, agreed.
result<open_output> open_one(const communicator& comm, split_output& wanted, dataset_layout layout,
                             const std::vector<part_counts>& counts, const std::string& source) {
  std::vector<bool> holds(counts[0].rows.size());
  std::int64_t first_row = 0;
  std::int64_t first_entry = 0;
  for (const auto part : wanted.parts) {
    holds[part] = true;
    for (std::size_t rank = 0; rank < counts.size(); ++rank) {
      layout.rows += counts[rank].rows[part];
      layout.entries += counts[rank].entries[part];
      if (rank >= static_cast<std::size_t>(comm.rank())) continue;
      first_row += counts[rank].rows[part];
      first_entry += counts[rank].entries[part];
    }
  }
  wanted.rows = layout.rows;
  if (layout.rows == 0) {
    return fail(fmt::format("output \"{}\" would have no rows; choose another share", wanted.path));
  }
  auto writer = dataset_writer::create(comm, wanted.path, std::move(layout), {source});
  if (!writer) return pass(std::move(writer));
  return open_output{std::move(*writer), std::move(holds), first_row, first_entry};
}

std::string options_text(const split_request& request) {
  std::string text = request.folds > 0 ? fmt::format("--folds {}", request.folds)
                                       : fmt::format("--test {}", request.test);
  if (request.validation > 0) text += fmt::format(" --validation {}", request.validation);
  if (request.stratify) text += " --stratify";
  return text + fmt::format(" --seed {}", request.seed);
}

// What the source says of itself, and how this part was taken from it.
void describe_origin(dataset_writer& out, const provenance& source, const split_request& request) {
  for (const auto& [name, value] : source) {
    if (name != "created" && name != "created_by") out.set(name, value);
  }
  out.set("split", fmt::format("{} {}", request.path, options_text(request)));
}

result<provenance> shared_provenance(const communicator& comm, const std::string& path) {
  provenance found;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto read = read_provenance(path);
    if (read) found = std::move(*read);
    return read ? result<void>{} : pass(std::move(read));
  });
  if (!ok) return pass(std::move(ok));
  return found;
}

result<std::vector<open_output>> open_all(const communicator& comm, const dataset& data,
                                          std::vector<split_output>& wanted,
                                          const std::vector<part_counts>& counts) {
  const auto layout = layout_of(data);
  std::vector<open_output> outputs;
  for (auto& each : wanted) {
    auto opened = open_one(comm, each, layout, counts, data.info.path);
    if (!opened) return pass(std::move(opened));
    outputs.push_back(std::move(*opened));
  }
  return outputs;
}

}  // namespace

std::vector<split_output> split_outputs(const split_request& request) {
  const auto names = part_names(request);
  std::vector<split_output> outputs;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto stem = fmt::format("{}-{}", request.prefix, names[k]);
    if (request.folds == 0) {
      outputs.push_back({stem + ".h5", {k}, 0});
      continue;
    }
    split_output train{stem + "-train.h5", {}, 0};
    for (std::size_t other = 0; other < names.size(); ++other) {
      if (other != k) train.parts.push_back(other);
    }
    outputs.push_back(std::move(train));
    outputs.push_back({stem + "-test.h5", {k}, 0});
  }
  return outputs;
}

result<std::vector<split_output>> split_dataset(const communicator& comm,
                                                const split_request& request,
                                                const dataset_request& parts) {
  if (auto ok = check_request(request); !ok) return pass(std::move(ok));
  auto data = open_dataset(comm, request.path, parts);
  if (!data) return pass(std::move(data));
  const auto mine = partition_of(*data, comm.size()).of(comm.rank());
  auto finder = part_finder::prepare(comm, *data, request, mine);
  if (!finder) return pass(std::move(finder));
  const auto counts = count_parts(comm, *data, *finder, part_names(request).size(), mine);
  if (!counts) return failure(counts.error());
  auto wanted = split_outputs(request);
  auto outputs = open_all(comm, *data, wanted, *counts);
  if (!outputs) return pass(std::move(outputs));
  const auto source = shared_provenance(comm, request.path);
  if (!source) return failure(source.error());
  auto ok = fits_single(element_of(*data)) ? distribute<float>(*data, *finder, mine, *outputs)
                                           : distribute<double>(*data, *finder, mine, *outputs);
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  for (auto& each : *outputs) {
    describe_origin(each.writer, *source, request);
    if (auto done = each.writer.commit(); !done) return pass(std::move(done));
  }
  return wanted;
}

std::string split_text(const std::vector<split_output>& done) {
  std::string text;
  for (const auto& each : done) {
    text += fmt::format("{}: {}\n", each.path, counted(each.rows, "row", "rows"));
  }
  return text;
}

std::string split_json(const split_request& request, const std::vector<split_output>& done) {
  nlohmann::ordered_json out{{"program", "dataset"},
                             {"version", version()},
                             {"path", request.path},
                             {"split", options_text(request)}};
  for (const auto& each : done) {
    out["outputs"].push_back({{"path", each.path}, {"rows", each.rows}});
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
