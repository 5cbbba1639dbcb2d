#include "inference/diagnostics_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/collective.hpp"
#include "common/program.hpp"
#include "data/writer.hpp"

namespace berth::apps {

namespace {

constexpr const char* columns[] = {
    "fitted",        "residual", "leverage", "standardised_residual", "studentised_residual",
    "cooks_distance"};

dataset_layout layout_of(const model& fitted) {
  dataset_layout layout;
  layout.rows = fitted.rows;
  for (const auto& target : fitted.targets) {
    for (const auto* name : columns) {
      layout.feature_names.push_back(
          fitted.targets.size() == 1 ? name : fmt::format("{}:{}", name, target.name));
    }
  }
  layout.features = std::ssize(layout.feature_names);
  return layout;
}

result<void> write_rows(dataset_writer& output, const row_records& records,
                        const std::vector<residual_scale>& scales) {
  constexpr std::int64_t at_once = 8192;
  std::vector<double> values;
  const auto count = records.range().count;
  for (std::int64_t first = 0; first < count; first += at_once) {
    values.clear();
    for (auto i = first; i < std::min(first + at_once, count); ++i) {
      for (std::size_t t = 0; t < scales.size(); ++t) {
        const auto row = records.row(i, t, scales[t]);
        values.insert(values.end(), {row.fitted, row.residual, row.leverage, row.standardised,
                                     row.studentised, row.cooks_distance});
      }
    }
    auto ok = output.write_features(records.range().first + first, std::span<const double>(values));
    if (!ok) return ok;
  }
  return {};
}

}  // namespace

result<void> write_diagnostics(const communicator& comm, const std::string& path,
                               const model& fitted, const row_records& records,
                               const std::vector<residual_scale>& scales) {
  auto output = dataset_writer::create(comm, path, layout_of(fitted), {fitted.data});
  if (!output) return pass(std::move(output));
  if (auto ok = agree(comm, write_rows(*output, records, scales)); !ok) return ok;
  output->set("source", fitted.data);
  output->set("created_by", fmt::format("berth train {}", version()));
  return output->commit();
}

}  // namespace berth::apps
