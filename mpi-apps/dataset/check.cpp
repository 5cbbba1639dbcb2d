#include "dataset/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/text.hpp"
#include "dataset/label_advice.hpp"
#include "dataset/layout_advice.hpp"
#include "dataset/shell_word.hpp"

namespace berth::apps {

namespace {

// Lays the same values out anew, to which options add what is to be left out.
std::string import_command(const check_request& request, const dataset& data) {
  std::string text = "dataset import " + shell_word(request.path) + " -o new.h5";
  const auto& parts = request.parts;
  if (!parts.features.empty()) text += " --features " + shell_word(parts.features);
  if (!parts.target.empty()) text += " --target " + shell_word(parts.target);
  if (!parts.weights.empty()) text += " --weights " + shell_word(parts.weights);
  return text + (data.y ? "" : " --no-target");
}

// The arrays that a dataset is read from.
std::vector<const array_storage*> arrays_of(const dataset& data) {
  std::vector<const array_storage*> arrays;
  if (data.csr) {
    arrays = {&data.csr->data, &data.csr->indices, &data.csr->indptr};
  } else {
    arrays = {&data.x};
  }
  if (data.y) arrays.push_back(&*data.y);
  if (data.weights) arrays.push_back(&*data.weights);
  return arrays;
}

std::string ranges_text(const std::vector<row_range>& ranges) {
  std::string text;
  for (std::size_t k = 0; k < ranges.size(); ++k) {
    if (k == 4) return text + fmt::format(" and {} more ranges", ranges.size() - 4);
    text += fmt::format("{}{} to {}", k == 0 ? "" : ", ", grouped(ranges[k].first + 1),
                        grouped(ranges[k].end()));
  }
  return text;
}

void append(std::vector<finding>& all, std::vector<finding>&& more) {
  std::ranges::move(more, std::back_inserter(all));
}

std::vector<finding> judge_all(const dataset& data, const check_request& request,
                               const scan_facts* facts) {
  auto found = judge_unwritten(data);
  const auto import = import_command(request, data);
  for (const auto& warning : data.warnings) {
    found.push_back({severity::warning, "opening", warning, {}});
  }
  for (const auto* array : arrays_of(data)) append(found, judge_layout(*array, import));
  if (facts != nullptr) {
    append(found, judge_values(data, *facts, import));
    if (data.targets() == 1) {
      append(found, judge_labels(facts->labels, data.info.target, data.info.levels));
    }
  }
  std::ranges::stable_sort(found, std::ranges::less(), &finding::level);
  return found;
}

}  // namespace

std::int64_t check_report::count(severity level) const {
  return std::ranges::count(findings, level, &finding::level);
}

std::vector<finding> judge_unwritten(const dataset& data) {
  std::vector<finding> found;
  for (const auto* array : arrays_of(data)) {
    const auto ranges = unwritten_rows(*array);
    if (ranges.empty()) continue;
    std::int64_t rows = 0;
    for (const auto& each : ranges) rows += each.count;
    finding bad{severity::error, "unwritten-rows", {}, {}, {}, {}};
    bad.text = rows == array->rows()
                   ? fmt::format("{} was never written: HDF5 reads it as zeros", array->path)
                   : fmt::format("rows {} of {} were never written: HDF5 reads them as zeros",
                                 ranges_text(ranges), array->path);
    bad.cure = "write them again; did the program that wrote the file end early?";
    for (std::size_t k = 0; k < std::min<std::size_t>(ranges.size(), 5); ++k) {
      bad.rows.push_back(ranges[k].first + 1);
    }
    found.push_back(std::move(bad));
  }
  return found;
}

result<check_report> check_dataset(const communicator& comm, const check_request& request) {
  const auto start = std::chrono::steady_clock::now();
  auto parts = request.parts;
  parts.accept_unwritten = true;
  auto data = open_dataset(comm, request.path, parts);
  if (!data) return pass(std::move(data));
  check_report report{std::move(*data), {}, {}, 0};
  const bool written =
      std::ranges::all_of(arrays_of(report.data), [](const auto* each) { return each->written; });
  if (written) {
    auto facts = scan_dataset(comm, report.data, request.memory_bytes);
    if (!facts) return pass(std::move(facts));
    if (comm.is_root()) report.findings = judge_all(report.data, request, &*facts);
    report.read = facts->read;
  } else if (comm.is_root()) {
    report.findings = judge_all(report.data, request, nullptr);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace berth::apps
