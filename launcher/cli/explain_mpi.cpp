#include "cli/explain_mpi.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "image/find.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    names.push_back(entry->path().filename());
  }
  return names;
}

// Slurm's plugin tells the series it was built for; the library that it loads tells more.
std::string exact_pmix(const std::string& series) {
  const auto here = image::find_mpi(-1, "/", image::unpacked{});
  if (!here || series.empty()) return series;
  for (const auto& one : here->pmix) {
    if (one.version.starts_with(series)) return one.version;
  }
  return series;
}

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

}  // namespace

mpi_explanation explain_mpi(image::mpi_facts image, const std::string& slurm,
                            bool own_pmi_library) {
  mpi_explanation all{std::move(image), {}, {"none", {}, {}}};
  const auto colon = slurm.find(':');
  if (colon == std::string::npos) return all;
  all.host = container::host_from(slurm.substr(0, colon), names_in(slurm.substr(colon + 1)));
  all.host.pmix = exact_pmix(all.host.pmix);
  all.plan = container::plan_mpi(all.image, all.host, own_pmi_library);
  return all;
}

std::vector<std::string> lines_of(const mpi_explanation& mpi) {
  std::vector<std::string> lines;
  for (const auto& one : mpi.image.libraries) {
    lines.push_back(fmt::format("{} {} ({})", name_of(one.kind),
                                one.version.empty() ? "?" : one.version, one.path));
  }
  if (lines.empty()) lines.emplace_back("none found in the image");
  for (const auto& one : mpi.image.pmix) {
    lines.push_back(fmt::format("client of PMIx {} ({})", one.version, one.path));
  }
  if (!mpi.image.pmi2.empty()) lines.push_back(fmt::format("client of PMI-2 ({})", mpi.image.pmi2));
  if (!mpi.image.pmi1.empty()) lines.push_back(fmt::format("client of PMI-1 ({})", mpi.image.pmi1));
  if (!mpi.host.chosen.empty()) {
    lines.push_back(fmt::format("the step has --mpi={}; Slurm has {}; its PMIx is {}",
                                mpi.host.chosen, fmt::join(mpi.host.available, ", "),
                                or_none(mpi.host.pmix)));
    lines.push_back(fmt::format("the ranks meet through {}", mpi.plan.wiring));
  }
  return lines;
}

ordered_json json_of(const mpi_explanation& mpi) {
  auto libraries = ordered_json::array();
  for (const auto& one : mpi.image.libraries) {
    libraries.push_back(
        {{"name", name_of(one.kind)}, {"version", one.version}, {"path", one.path}});
  }
  auto pmix = ordered_json::array();
  for (const auto& one : mpi.image.pmix) {
    pmix.push_back({{"version", one.version}, {"path", one.path}});
  }
  return {{"libraries", libraries},
          {"pmix", pmix},
          {"pmi2", mpi.image.pmi2},
          {"pmi1", mpi.image.pmi1},
          {"slurm",
           {{"mpi", mpi.host.chosen}, {"available", mpi.host.available}, {"pmix", mpi.host.pmix}}},
          {"wiring", mpi.plan.wiring}};
}

}  // namespace berth::cli
