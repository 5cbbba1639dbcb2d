#include "import/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "import/file_digest.hpp"
#include "import/source_format.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t head_bytes = std::size_t{1} << 16;

// As typed, with quotes around words that a shell would split.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string raw{std::istreambuf_iterator<char>(file), {}};
  std::string text;
  for (std::size_t at = 0; at < raw.size();) {
    const std::string word = raw.c_str() + at;
    at += word.size() + 1;
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\$&|;<>()*?#`") == word.npos;
    if (!text.empty()) text += ' ';
    text += plain ? word : fmt::format("'{}'", word);
  }
  return text;
}

result<source_format> format_of(const import_request& request, const source_file& source) {
  if (request.format) return *request.format;
  auto head = source.head(head_bytes);
  if (!head) return pass(std::move(head));
  auto found = recognise_format(*head);
  if (!found) {
    return fail(fmt::format("\"{}\" {}", source.path(), found.error().text()));
  }
  return found;
}

using kind_request = std::pair<std::string, column_kind>;

// Options that mean nothing for a format are mistakes that would go unnoticed.
result<void> check_options(const import_request& request, source_format format) {
  const auto misplaced = [&](const char* option, const char* formats) {
    return fail(fmt::format("{} is for {}, but \"{}\" is {}; --format overrides", option, formats,
                            request.source, format_name(format)));
  };
  const bool table = format == source_format::csv;
  const auto& columns = request.table.columns;
  const auto& rules = request.table.rules;
  if (table && columns.targets.empty() && request.target_needed) {
    return fail("--target COLUMN is missing; for features alone, add --no-target");
  }
  const bool columns_known = table || format == source_format::hdf5;
  const struct {
    bool given;
    bool fits;
    const char* option;
    const char* formats;
  } uses[] = {
      {!columns.targets.empty(), columns_known, "--target", "tables and HDF5"},
      {!columns.weights.empty(), columns_known, "--weights", "tables and HDF5"},
      {!columns.excluded.empty(), columns_known, "--exclude", "tables and HDF5"},
      {!columns.kinds.empty(), columns_known, "--type", "tables and HDF5"},
      {!columns.references.empty(), columns_known, "--reference", "tables and HDF5"},
      {!rules.missing_marks.empty(), columns_known, "--na", "tables and HDF5"},
      {rules.missing != missing_policy::error, columns_known, "--missing", "tables and HDF5"},
      {!columns.texts.empty(), table, "--text", "tables"},
      {std::ranges::find(columns.kinds, column_kind::text, &kind_request::second) !=
           columns.kinds.end(),
       table, "--type COLUMN=text", "tables"},
      {request.table.delimiter.has_value(), table, "--delimiter", "tables"},
      {request.table.quote.has_value(), table, "--quote", "tables"},
      {!request.table.header, table, "--no-header", "tables"},
      {!request.features_path.empty(), format == source_format::hdf5, "--features", "HDF5"},
      {!request.labels.empty(), format == source_format::idx, "--labels", "IDX"},
      {request.features > 0, format == source_format::libsvm, "--n-features", "LIBSVM"},
      {request.layout == sparsity::sparse, format != source_format::idx, "--sparse",
       "tables, LIBSVM and HDF5"},
  };
  for (const auto& each : uses) {
    if (each.given && !each.fits) return misplaced(each.option, each.formats);
  }
  return {};
}

result<import_output> import_source(const communicator& comm, const import_request& request,
                                    const source_file& source, source_format format) {
  progress_line shown(request.progress, comm.is_root(), comm.size());
  switch (format) {
    case source_format::csv:
      return import_csv(comm, request, source, shown);
    case source_format::libsvm:
      return import_libsvm(comm, request, source, shown);
    case source_format::idx:
      return import_idx(comm, request, source, shown);
    case source_format::hdf5:
      return import_hdf5(comm, request, source, shown);
  }
  return fail("unknown format", blame::run);
}

result<void> finish(const communicator& comm, const import_request& request, import_output& made,
                    file_digest* digest) {
  auto ok = on_root(comm, [&]() -> result<void> {
    made.writer.set("source", request.source);
    if (digest != nullptr) {
      auto sum = digest->get();
      if (!sum) return pass(std::move(sum));
      made.writer.set("source_sha256", *sum);
    }
    made.writer.set("command_line", command_line());
    made.writer.set("dropped_rows", made.summary.dropped);
    return {};
  });
  if (!ok) return ok;
  return made.writer.commit();
}

}  // namespace

result<import_summary> import_dataset(const communicator& comm, const import_request& request) {
  const auto start = std::chrono::steady_clock::now();
  auto ok = on_root(comm, [&] { return check_writable(request.output, {request.source}); });
  if (!ok) return pass(std::move(ok));
  std::error_code ignored;
  std::unique_ptr<file_digest> digest;
  if (comm.is_root() && request.digest &&
      std::filesystem::is_regular_file(request.source, ignored)) {
    digest = std::make_unique<file_digest>(request.source);
  }
  auto source = source_file::open(comm, request.source, request.output);
  if (!source) return pass(std::move(source));
  auto format = agree(comm, format_of(request, *source));
  if (!format) return pass(std::move(format));
  if (auto fine = check_options(request, *format); !fine) return pass(std::move(fine));
  auto made = import_source(comm, request, *source, *format);
  if (!made) return pass(std::move(made));
  if (auto done = finish(comm, request, *made, digest.get()); !done) return pass(std::move(done));
  made->summary.source_bytes = source->size();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  made->summary.seconds = passed.count();
  return std::move(made->summary);
}

}  // namespace berth::apps
