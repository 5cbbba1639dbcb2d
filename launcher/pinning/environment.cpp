#include "pinning/environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace berth::pinning {
namespace {

/// OpenMP's explicit notation, which no runtime has to look up in sysfs: "{0,2,4},{2},{4}".
std::string places(const placement& where) {
  auto text = fmt::format("{{{}}}", fmt::join(where.cpuset, ","));
  for (std::size_t t = 1; t < where.thread_pus.size(); ++t) {
    text += fmt::format(",{{{}}}", where.thread_pus[t]);
  }
  return text;
}

bool has_set(const std::vector<std::string>& environment, std::string_view name) {
  return std::any_of(environment.begin(), environment.end(), [&](std::string_view entry) {
    return entry.starts_with(name) && entry.substr(name.size()).starts_with('=');
  });
}

}  // namespace

std::vector<variable> thread_environment(const placement& where, const request& asked,
                                         const std::vector<std::string>& user) {
  if (asked.how == policy::none) return {};
  const auto count = fmt::format("{}", where.threads);
  std::vector<variable> set = {
      {"OMP_NUM_THREADS", count}, {"OPENBLAS_NUM_THREADS", count}, {"MKL_NUM_THREADS", count}};
  const auto threads = where.thread_pus.size();
  const bool binds = threads > 1 && threads <= where.cpuset.size();
  if (!has_set(user, "GOMP_CPU_AFFINITY") && !has_set(user, "KMP_AFFINITY")) {
    if (binds) set.push_back({"OMP_PLACES", places(where)});
    const auto* order = threads > where.cores.size() ? "close" : "spread";
    set.push_back({"OMP_PROC_BIND", binds ? order : "false"});
  }
  std::erase_if(set, [&](const variable& v) { return has_set(user, v.name); });
  return set;
}

}  // namespace berth::pinning
