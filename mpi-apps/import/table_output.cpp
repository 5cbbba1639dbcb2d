#include "import/table_output.hpp"

namespace berth::apps {

dataset_layout layout_of(const table_survey& survey, const table_encoding& plan, precision values,
                         bool sparse, std::int64_t entries) {
  dataset_layout layout;
  layout.rows = survey.facts.kept;
  layout.features = std::ssize(plan.names);
  layout.values = values;
  layout.sparse = sparse;
  layout.entries = entries;
  layout.feature_names = plan.names;
  layout.reference_levels = plan.references;
  layout.targets = plan.targets;
  layout.weights = plan.weights;
  layout.weights_name = plan.weights_name;
  return layout;
}

import_summary summary_of(const table_survey& survey, const table_encoding& plan) {
  import_summary summary;
  summary.rows = survey.facts.kept;
  summary.dropped = survey.facts.rows - survey.facts.kept;
  summary.single = plan.single;
  summary.empty = plan.empty;
  for (std::size_t j = 0; j < survey.head.columns.size(); ++j) {
    const auto& column = survey.head.columns[j];
    imported_column made{column.name, kind_name(column.kind), 0, survey.facts.columns[j].missing};
    if (column.role == column_role::target) made.type = "target";
    if (column.role == column_role::weights) made.type = "weights";
    summary.columns.push_back(std::move(made));
  }
  for (const auto& each : plan.columns) {
    if (each.role != column_role::feature) continue;
    summary.columns[each.column].features = each.count + (each.mark >= 0 ? 1 : 0);
  }
  return summary;
}

result<void> write_encoded(dataset_writer& writer, std::int64_t first, const encoded_rows& rows,
                           std::int64_t& entry) {
  result<void> ok;
  if (rows.sparse) {
    ok = writer.write_features<double>(first, entry, {rows.starts, rows.columns, rows.values});
    entry += std::ssize(rows.values);
  } else {
    ok = writer.write_features(first, std::span<const double>(rows.x));
  }
  if (ok && !writer.layout().targets.empty()) ok = writer.write_targets(first, rows.y);
  if (ok && writer.layout().weights) ok = writer.write_weights(first, rows.weights);
  return ok;
}

}  // namespace berth::apps
