#include "pinning/environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace berth::pinning {
namespace {

/// OpenMP's explicit notation, which no runtime has to look up in sysfs: "{0,4},{1,5}".
std::string places(const placement& where) {
  std::string text;
  for (const auto& place : where.places) {
    if (!text.empty()) text += ',';
    text += fmt::format("{{{}}}", fmt::join(place, ","));
  }
  return text;
}

}  // namespace

std::vector<variable> thread_environment(const placement& where, const request& asked) {
  if (asked.how == policy::none) return {};
  const auto threads = fmt::format("{}", where.threads);
  std::vector<variable> set = {{"OMP_NUM_THREADS", threads},
                               {"OPENBLAS_NUM_THREADS", threads},
                               {"MKL_NUM_THREADS", threads}};
  if (asked.how == policy::numa) {
    set.push_back({"OMP_PROC_BIND", "false"});
  } else {
    set.push_back({"OMP_PLACES", places(where)});
    set.push_back({"OMP_PROC_BIND", "spread"});
  }
  return set;
}

}  // namespace berth::pinning
