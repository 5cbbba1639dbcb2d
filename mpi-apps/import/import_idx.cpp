#include <fmt/format.h>

#include <algorithm>

#include "common/collective.hpp"
#include "import/idx.hpp"
#include "import/import.hpp"
#include "import/table_parts.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t head_bytes = 1024;

struct idx_source {
  const source_file& file;
  idx_head head;
};

result<idx_source> open_idx(const source_file& file) {
  auto bytes = file.head(head_bytes);
  if (!bytes) return pass(std::move(bytes));
  auto head = parse_idx(*bytes, file.size());
  if (!head) return pass(std::move(head), fmt::format("\"{}\"", file.path()));
  return idx_source{file, std::move(*head)};
}

result<void> read_rows(const idx_source& from, std::int64_t first, std::int64_t count,
                       std::vector<char>& bytes, std::vector<double>& numbers) {
  const std::int64_t row = from.head.width() * from.head.element_bytes();
  bytes.resize(static_cast<std::size_t>(count * row));
  numbers.resize(static_cast<std::size_t>(count * from.head.width()));
  auto got = from.file.read(from.head.data_begin + first * row, bytes);
  if (!got) return pass(std::move(got));
  if (*got < bytes.size()) {
    return fail(fmt::format("\"{}\": was changed while it was imported", from.file.path()));
  }
  convert_idx(from.head, bytes, numbers);
  return {};
}

result<void> write_part(const idx_source& images, const idx_source* labels, part_range range,
                        std::size_t part, dataset_writer& writer, progress_line& shown) {
  const std::int64_t rows = images.head.rows();
  const std::int64_t chunk = writer.chunk_rows();
  // Whole chunks a part.
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  const auto all = static_cast<std::int64_t>(range.all);
  const auto from = chunks * static_cast<std::int64_t>(part) / all * chunk;
  const auto to = std::min(rows, chunks * static_cast<std::int64_t>(part + 1) / all * chunk);
  std::vector<char> bytes;
  std::vector<double> numbers;
  result<void> ok;
  for (std::int64_t first = from; first < to && ok; first += chunk) {
    const std::int64_t count = std::min(chunk, to - first);
    ok = read_rows(images, first, count, bytes, numbers);
    if (ok) ok = writer.write_features(first, std::span<const double>(numbers));
    shown.add(std::ssize(bytes));
    if (ok && labels != nullptr) {
      ok = read_rows(*labels, first, count, bytes, numbers);
      if (ok) ok = writer.write_targets(first, numbers);
    }
  }
  return ok;
}

result<void> check_labels(const idx_source& images, const idx_source& labels) {
  if (labels.head.shape.size() != 1) {
    return fail(fmt::format("\"{}\": has {} dimensions; a file of labels has one",
                            labels.file.path(), labels.head.shape.size()));
  }
  if (labels.head.rows() == images.head.rows()) return {};
  return fail(fmt::format("\"{}\" has {} images but \"{}\" has {} labels", images.file.path(),
                          images.head.rows(), labels.file.path(), labels.head.rows()));
}

dataset_layout layout_of(const idx_source& images, bool labelled, precision values) {
  dataset_layout layout;
  layout.rows = images.head.rows();
  layout.features = images.head.width();
  layout.values = values;
  for (std::int64_t k = 1; k <= layout.features; ++k) {
    layout.feature_names.push_back(fmt::format("pixel{}", k));
  }
  if (labelled) layout.targets = {{"label", {}}};
  return layout;
}

}  // namespace

result<import_output> import_idx(const communicator& comm, const import_request& request,
                                 const source_file& source, progress_line& shown) {
  auto images = agree(comm, open_idx(source));
  if (!images) return pass(std::move(images));
  if (images->head.shape.size() == 1) {
    return fail(
        fmt::format("\"{}\": is a file of labels; name the images, and this one with "
                    "--labels",
                    source.path()));
  }
  std::optional<source_file> label_file;
  std::optional<idx_source> labels;
  if (!request.labels.empty()) {
    auto opened = source_file::open(comm, request.labels, request.output);
    if (!opened) return pass(std::move(opened));
    label_file.emplace(std::move(*opened));
    auto head = agree(comm, open_idx(*label_file));
    if (!head) return pass(std::move(head));
    if (auto ok = check_labels(*images, *head); !ok) return pass(std::move(ok));
    labels.emplace(std::move(*head));
  }
  auto writer = dataset_writer::create(comm, request.output,
                                       layout_of(*images, labels.has_value(), request.values),
                                       {request.source, request.labels});
  if (!writer) return pass(std::move(writer));
  shown.begin("writing", source.size());
  const auto range = parts_of(comm, request.threads);
  std::vector<result<void>> done(range.count);
  for_each_part(range, [&](std::size_t part) {
    done[part - range.first] =
        write_part(*images, labels ? &*labels : nullptr, range, part, *writer, shown);
  });
  const auto bad = std::ranges::find_if(done, [](const auto& each) { return !each; });
  if (auto all = agree(comm, bad == done.end() ? result<void>() : std::move(*bad)); !all) {
    return pass(std::move(all));
  }
  import_summary summary;
  summary.format = "IDX";
  summary.rows = writer->layout().rows;
  summary.layout = writer->layout();
  return import_output{std::move(summary), std::move(*writer)};
}

}  // namespace berth::apps
