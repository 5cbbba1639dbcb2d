#include "roofline/speed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/blas_setup.hpp"
#include "common/placement.hpp"
#include "roofline/machine_peak.hpp"

namespace berth::apps {

namespace {

// Below this share of the time, parts are not worth a word.
constexpr double worth_telling = 0.02;
// A thread that had its processor for less of the time shared it.
constexpr double undisturbed = 0.85;

struct node {
  int ranks = 0;
  int threads = 0;
  int blas_threads = 0;
  std::set<int> cpus;
};

std::map<std::string, node> nodes_of(const std::vector<rank_setting>& ranks) {
  std::map<std::string, node> nodes;
  for (const auto& each : ranks) {
    auto& one = nodes[each.host];
    ++one.ranks;
    one.threads += each.threads;
    one.blas_threads += each.blas_threads;
    one.cpus.insert(each.cpus.begin(), each.cpus.end());
  }
  return nodes;
}

std::vector<rank_setting> gather_settings(const communicator& comm, int threads) {
  const auto places = gather_placements(comm);
  const auto blas = comm.gather(fmt::format("{} {}", blas_threads(), slow_blas_kernel()));
  const auto computing = comm.gather(fmt::format("{}", threads));
  std::vector<rank_setting> all;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto gap = blas[i].find(' ');
    all.push_back({places[i].host, cpu_numbers(places[i].cpus), std::stoi(blas[i]),
                   blas[i].substr(gap + 1), std::stoi(computing[i])});
  }
  return all;
}

// Threads compute on no more processors than there are.
double peak_of(const std::vector<rank_setting>& ranks, double all_ranks) {
  double used = 0;
  for (const auto& [host, one] : nodes_of(ranks)) {
    used += std::min<double>(one.threads,
                             static_cast<double>(std::max<std::size_t>(one.cpus.size(), 1)));
  }
  return all_ranks * used / static_cast<double>(ranks.size());
}

std::vector<speed_part> add_up(const std::vector<std::vector<work>>& ranks) {
  std::vector<speed_part> parts;
  std::vector<double> wall;
  std::vector<double> cpu;
  for (const auto& rank : ranks) {
    for (const auto& each : rank) {
      auto at = std::ranges::find(parts, each.name, &speed_part::name);
      if (at == parts.end()) {
        at = parts.insert(at, {each.name, 0, 1, 0, 0, each.is_blas});
        wall.push_back(0);
        cpu.push_back(0);
      }
      const auto i = static_cast<std::size_t>(at - parts.begin());
      at->seconds = std::max(at->seconds, each.seconds);
      at->flops += each.flops;
      at->bytes += each.bytes;
      wall[i] += each.seconds;
      cpu[i] += each.cpu_seconds;
      at->cpu_share = wall[i] > 0 ? cpu[i] / wall[i] : 1;
    }
  }
  return parts;
}

bool is_computing(const speed_part& part) {
  return part.name != read_part && part.name != wait_part;
}

double time_of(const std::vector<speed_part>& parts) {
  double sum = 0;
  for (const auto& each : parts) {
    if (each.name != read_part) sum += each.seconds;
  }
  return sum;
}

std::string part_text(const speed_facts& facts, const speed_part& part) {
  std::vector<std::string> rates;
  if (part.flops > 0) {
    rates.push_back(fmt::format("{:.3g} GFLOP/s ({:.0f} % of the peak)", part.flop_rate() * 1e-9,
                                100 * part.flop_rate() / facts.peak_flops));
  }
  if (part.bytes > 0) rates.push_back(fmt::format("{:.3g} GB/s", part.byte_rate() * 1e-9));
  return fmt::format("{} {:.3g} s{}{}", part.name, part.seconds, rates.empty() ? "" : " at ",
                     fmt::join(rates, ", "));
}

}  // namespace

std::string find_bound(const speed_facts& facts) {
  const double all = time_of(facts.parts);
  const speed_part* longest = nullptr;
  for (const auto& each : facts.parts) {
    if (each.name == read_part) continue;
    if (longest == nullptr || each.seconds > longest->seconds) longest = &each;
  }
  if (longest == nullptr || all <= 0) return "";
  if (longest->name == wait_part) return "reading";
  if (longest->cpu_share < undisturbed) return "sharing its processors";
  if (longest->flops == 0) return longest->name;
  const double flops = longest->flop_rate() / facts.peak_flops;
  const double bytes = facts.peak_copy > 0 ? longest->byte_rate() / facts.peak_copy : 0;
  return bytes > flops ? "memory" : "the processor";
}

std::vector<std::string> find_warnings(const std::vector<rank_setting>& ranks, bool used_blas) {
  std::vector<std::string> all;
  for (const auto& [host, one] : nodes_of(ranks)) {
    if (!one.cpus.empty() && one.ranks > std::ssize(one.cpus)) {
      all.push_back(
          fmt::format("{} ranks share {} processors on {}; start as many ranks as there "
                      "are cores, each bound to one",
                      one.ranks, one.cpus.size(), host));
    } else if (!one.cpus.empty() && one.threads > std::ssize(one.cpus)) {
      all.push_back(
          fmt::format("{} threads share {} processors on {}; leave out --threads, or give the "
                      "ranks more cores",
                      one.threads, one.cpus.size(), host));
    } else if (used_blas && one.blas_threads > std::ssize(one.cpus)) {
      all.push_back(
          fmt::format("{} BLAS threads share {} processors on {}; unset "
                      "OPENBLAS_NUM_THREADS and OMP_NUM_THREADS",
                      one.blas_threads, one.cpus.size(), host));
    }
  }
  const auto slow = std::ranges::find_if(
      ranks, [](const rank_setting& each) { return !each.slow_kernel.empty(); });
  if (used_blas && slow != ranks.end()) {
    all.push_back(
        fmt::format("OpenBLAS on {} runs its {} kernels, which leave AVX-512 unused; unset "
                    "OPENBLAS_CORETYPE",
                    slow->host, slow->slow_kernel));
  }
  return all;
}

speed_facts sum_up_speed(const communicator& comm, const work_log& log, bool with_copy) {
  speed_facts facts;
  facts.ranks = gather_work(comm, log);
  const auto settings = gather_settings(comm, log.threads());
  for (const auto& bytes : comm.gather(fmt::format("{}", peak_memory()))) {
    facts.peak_memory.push_back(std::stod(bytes));
  }
  const double flops = comm.sum(measure_flops());
  const double copy = with_copy ? comm.sum(measure_copy(log.threads())) : 0;
  if (!comm.is_root()) return {};
  facts.peak_flops = peak_of(settings, flops);
  facts.peak_copy = copy;
  facts.parts = add_up(facts.ranks);
  facts.bound = find_bound(facts);
  const bool used_blas = std::ranges::any_of(facts.parts, [&](const speed_part& each) {
    return each.is_blas && each.seconds > worth_telling * time_of(facts.parts);
  });
  facts.warnings = find_warnings(settings, used_blas);
  return facts;
}

std::string speed_text(const speed_facts& facts) {
  std::vector<std::string> parts;
  const double all = time_of(facts.parts);
  double wall = 0;
  double cpu = 0;
  for (const auto& each : facts.parts) {
    if (is_computing(each)) {
      wall += each.seconds;
      cpu += each.seconds * each.cpu_share;
    }
    if (each.seconds > worth_telling * all) parts.push_back(part_text(facts, each));
  }
  if (parts.empty()) return "";
  auto text = fmt::format("Speed: {}; peak {:.3g} GFLOP/s", fmt::join(parts, "; "),
                          facts.peak_flops * 1e-9);
  if (facts.peak_copy > 0) text += fmt::format(", copying {:.3g} GB/s", facts.peak_copy * 1e-9);
  if (!facts.bound.empty()) text += fmt::format("; bound by {}", facts.bound);
  if (!facts.peak_memory.empty()) {
    text += fmt::format("; memory {:.3g} MB a rank", 1e-6 * std::ranges::max(facts.peak_memory));
  }
  text += "\n";
  if (wall > 0 && cpu < undisturbed * wall) {
    text += fmt::format("Speed: other work took the processors for {:.0f} % of the time\n",
                        100 * (1 - cpu / wall));
  }
  for (const auto& each : facts.warnings) text += fmt::format("Speed: warning: {}\n", each);
  return text;
}

}  // namespace berth::apps
