#include "dataset/import.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/atomic_file.hpp"
#include "common/dataset_file.hpp"
#include "common/hdf5_attributes.hpp"
#include "common/program.hpp"
#include "common/text.hpp"

namespace berth::apps {

namespace {

using texts = std::span<const std::string>;

result<void> write_features(const hdf5_file& file, const import_summary& done,
                            const encoded_table& table) {
  const auto features = std::ssize(done.plan.names);
  auto x = write_doubles(file.get(), "X", {done.rows, features}, table.x);
  if (!x) return pass(std::move(x));
  if (auto ok = write_attribute(x->get(), feature_names_attribute, texts(done.plan.names)); !ok) {
    return ok;
  }
  if (done.plan.references.empty()) return {};
  return write_attribute(x->get(), reference_levels_attribute, texts(done.plan.references));
}

result<void> write_target(const hdf5_file& file, const import_summary& done,
                          const encoded_table& table) {
  auto y = write_doubles(file.get(), "y", {done.rows}, table.y);
  if (!y) return pass(std::move(y));
  if (auto ok = write_attribute(y->get(), target_name_attribute, done.plan.target_name); !ok) {
    return ok;
  }
  if (done.plan.target_levels.empty()) return {};
  return write_attribute(y->get(), target_levels_attribute, texts(done.plan.target_levels));
}

result<void> write_dataset(const import_request& request, const import_summary& done,
                           const encoded_table& table) {
  auto output = atomic_file::create(request.output);
  if (!output) return pass(std::move(output));
  auto file = create_hdf5(output->temporary());
  if (!file) return pass(std::move(file));
  auto ok = write_features(*file, done, table);
  if (ok) ok = write_target(*file, done, table);
  if (ok) ok = write_attribute(file->get(), "source", request.source);
  if (ok) ok = write_attribute(file->get(), "created", timestamp());
  if (ok)
    ok = write_attribute(file->get(), "created_by", fmt::format("berth dataset {}", version()));
  if (ok) ok = write_attribute(file->get(), "dropped_rows", done.dropped);
  if (ok && !file->close()) ok = fail(hdf5_reason(), blame::run);
  if (!ok) return pass(std::move(ok), fmt::format("output \"{}\"", request.output));
  return output->commit();
}

}  // namespace

result<import_summary> import_table(const import_request& request) {
  if (auto ok = check_writable(request.output, {request.source}); !ok) return pass(std::move(ok));
  const auto text = read_text_file(request.source);
  if (!text) return failure(text.error());
  const auto context = fmt::format("\"{}\"", request.source);
  auto dialect = guess_dialect(*text);
  dialect.delimiter = request.delimiter.value_or(dialect.delimiter);
  dialect.quote = request.quote.value_or(dialect.quote);
  auto facts = scan_table(*text, dialect, request.excluded);
  if (!facts) return pass(std::move(facts), context);
  auto plan = plan_encoding(*facts, request.encode);
  if (!plan) return pass(std::move(plan), context);
  const auto table = encode_table(*text, dialect, *facts, *plan);
  if (!table) return failure(error(table.error()).with_context(context));
  import_summary done{facts->complete_rows, facts->rows - facts->complete_rows, std::move(*plan)};
  if (auto ok = write_dataset(request, done, *table); !ok) return pass(std::move(ok));
  return done;
}

std::string summary_text(const import_request& request, const import_summary& done) {
  const auto& plan = done.plan;
  std::string text =
      fmt::format("{}: {}, {}, target \"{}\"\n", request.output, counted(done.rows, "row", "rows"),
                  counted(std::ssize(plan.names), "feature", "features"), plan.target_name);
  if (plan.target_levels.size() == 2) {
    text += fmt::format("target: 0 = \"{}\", 1 = \"{}\"\n", plan.target_levels[0],
                        plan.target_levels[1]);
  }
  if (!plan.references.empty()) {
    text += fmt::format("reference levels (left out): {}\n", quoted_list(plan.references));
  }
  if (!plan.single.empty()) {
    text += fmt::format("text columns of one value (left out): {}\n", quoted_list(plan.single));
  }
  if (done.dropped > 0) {
    text += fmt::format("dropped {} with missing values\n", counted(done.dropped, "row", "rows"));
  }
  return text;
}

std::string summary_json(const import_request& request, const import_summary& done) {
  const nlohmann::ordered_json out{{"program", "dataset"},
                                   {"version", version()},
                                   {"output", request.output},
                                   {"rows", done.rows},
                                   {"dropped_rows", done.dropped},
                                   {"features", done.plan.names},
                                   {"reference_levels", done.plan.references},
                                   {"target", done.plan.target_name},
                                   {"target_levels", done.plan.target_levels}};
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
