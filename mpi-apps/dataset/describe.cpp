#include "dataset/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t slab_values = std::int64_t{1} << 22;

// Welford's running mean and sum of squared deviations: no cancellation for large means.
class accumulator {
 public:
  void add(double value) {
    if (!std::isfinite(value)) {
      ++missing_;
      return;
    }
    ++count_;
    const double before = value - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (value - mean_);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  [[nodiscard]] column_summary summary(std::string name) const {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    if (count_ == 0) return {std::move(name), none, none, none, none, missing_};
    const double deviation =
        count_ > 1 ? std::sqrt(squares_ / static_cast<double>(count_ - 1)) : none;
    return {std::move(name), min_, mean_, max_, deviation, missing_};
  }

 private:
  std::int64_t count_ = 0;
  std::int64_t missing_ = 0;
  double mean_ = 0;
  double squares_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
};

std::string storage_of(const hdf5_file& file) {
  const hdf5_dataset x(H5Dopen2(file.get(), "/X", H5P_DEFAULT));
  const hdf5_type type(H5Dget_type(x.get()));
  const hdf5_properties creation(H5Dget_create_plist(x.get()));
  const auto name = type_name(type.get());
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return name + ", contiguous";
  hsize_t chunk[2] = {0, 0};
  H5Pget_chunk(creation.get(), 2, chunk);
  return fmt::format("{}, chunks [{} x {}], {}", name, chunk[0], chunk[1],
                     counted(H5Pget_nfilters(creation.get()), "filter", "filters"));
}

result<void> accumulate(const hdf5_file& file, const dataset_info& info,
                        std::vector<accumulator>& columns) {
  const std::int64_t step = std::max<std::int64_t>(1, slab_values / info.features);
  std::vector<double> x;
  std::vector<double> y;
  for (std::int64_t first = 0; first < info.rows; first += step) {
    const row_range range{first, std::min(step, info.rows - first)};
    x.resize(static_cast<std::size_t>(range.count * info.features));
    y.resize(info.has_target ? static_cast<std::size_t>(range.count) : 0);
    if (auto ok = read_features(file, info, range, x); !ok) return ok;
    if (info.has_target) {
      if (auto ok = read_target(file, info, range, y); !ok) return ok;
    }
    const auto width = static_cast<std::size_t>(info.features);
    for (std::size_t i = 0; i < x.size(); ++i) columns[i % width].add(x[i]);
    for (const double value : y) columns[width].add(value);
  }
  return {};
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

}  // namespace

result<dataset_summary> describe_dataset(const std::string& path) {
  auto info = inspect_dataset(path, target_use::if_present);
  if (!info) return pass(std::move(info));
  auto file = open_hdf5(path);
  if (!file) return pass(std::move(file), "dataset");
  std::vector<accumulator> columns(info->names.size() + (info->has_target ? 1 : 0));
  if (auto ok = accumulate(*file, *info, columns); !ok) return pass(std::move(ok), "dataset");
  dataset_summary summary{std::move(*info), {}, storage_of(*file)};
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const auto& names = summary.info.names;
    summary.columns.push_back(
        columns[j].summary(j < names.size() ? names[j] : summary.info.target));
  }
  return summary;
}

std::string description_text(const dataset_summary& summary) {
  const auto& info = summary.info;
  std::string text = fmt::format("{}: {}, {}, {}\n", info.path, counted(info.rows, "row", "rows"),
                                 counted(info.features, "feature", "features"), summary.storage);
  if (info.has_target) {
    text += fmt::format("target: {}{}\n", info.target,
                        info.levels.size() == 2
                            ? fmt::format(" (0 = {}, 1 = {})", info.levels[0], info.levels[1])
                            : "");
  }
  std::size_t widest = 6;
  for (const auto& column : summary.columns) widest = std::max(widest, column.name.size());
  text += fmt::format("\n{:{}} {:>12} {:>12} {:>12} {:>12} {:>8}\n", "column", widest, "min",
                      "mean", "max", "sd", "missing");
  for (const auto& column : summary.columns) {
    text +=
        fmt::format("{:{}} {:>12} {:>12} {:>12} {:>12} {:>8}\n", column.name, widest,
                    significant(column.min, 6), significant(column.mean, 6),
                    significant(column.max, 6), significant(column.deviation, 6), column.missing);
  }
  return text;
}

std::string description_json(const dataset_summary& summary) {
  const auto& info = summary.info;
  nlohmann::ordered_json out{{"program", "dataset"},
                             {"version", version()},
                             {"path", info.path},
                             {"rows", info.rows},
                             {"features", info.features},
                             {"storage", summary.storage},
                             {"has_target", info.has_target}};
  if (info.has_target) out["target"] = info.target;
  if (!info.levels.empty()) out["target_levels"] = info.levels;
  out["columns"] = nlohmann::ordered_json::array();
  for (const auto& column : summary.columns) {
    out["columns"].push_back({{"name", column.name},
                              {"min", number(column.min)},
                              {"mean", number(column.mean)},
                              {"max", number(column.max)},
                              {"sd", number(column.deviation)},
                              {"missing", column.missing}});
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
