#include "common/placement.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <sstream>

namespace berth::apps {

namespace {

struct free_cpu_set {
  void operator()(cpu_set_t* set) const noexcept { CPU_FREE(set); }
};

std::vector<int> allowed_cpus() {
  // The kernel refuses a mask smaller than its own with EINVAL: grow until it fits.
  for (std::size_t limit = 1024; limit <= std::size_t{1} << 20; limit *= 2) {
    const std::unique_ptr<cpu_set_t, free_cpu_set> set(CPU_ALLOC(limit));
    const std::size_t bytes = CPU_ALLOC_SIZE(limit);
    if (sched_getaffinity(0, bytes, set.get()) != 0) {
      if (errno == EINVAL) continue;
      break;
    }
    std::vector<int> cpus;
    for (std::size_t cpu = 0; cpu < limit; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set.get())) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus;
  }
  return {};
}

}  // namespace

std::string cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    const char* comma = text.empty() ? "" : ",";
    text += last > i ? fmt::format("{}{}-{}", comma, cpus[i], cpus[last])
                     : fmt::format("{}{}", comma, cpus[i]);
    i = last + 1;
  }
  return text;
}

std::vector<int> cpu_numbers(const std::string& list) {
  std::vector<int> cpus;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const int last = std::stoi(dash == std::string::npos ? part : part.substr(dash + 1));
    for (int cpu = std::stoi(part); cpu <= last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

placement my_placement() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return {host.data(), cpu_list(allowed_cpus())};
}

std::vector<placement> gather_placements(const communicator& comm) {
  const auto mine = my_placement();
  const auto hosts = comm.gather(mine.host);
  const auto cpus = comm.gather(mine.cpus);
  std::vector<placement> all;
  for (std::size_t i = 0; i < hosts.size(); ++i) all.push_back({hosts[i], cpus[i]});
  return all;
}

}  // namespace berth::apps
