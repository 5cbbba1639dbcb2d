#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "pinning/policies.hpp"

namespace berth::pinning {
namespace {

using topology::device;
using topology::device_kind;
using topology::machine;
using indexes = std::vector<std::size_t>;

indexes of_kind(const machine& node, device_kind kind) {
  indexes found;
  for (std::size_t i = 0; i < node.devices.size(); ++i) {
    if (node.devices[i].kind == kind) found.push_back(i);
  }
  return found;
}

/// The network of computations, not of management: links at least half as fast as the fastest.
indexes fast_network(const machine& node) {
  auto found = of_kind(node, device_kind::network);
  int fastest_link = 0;
  for (const auto i : found) fastest_link = std::max(fastest_link, node.devices[i].link_mb_per_s);
  std::erase_if(found,
                [&](std::size_t i) { return 2 * node.devices[i].link_mb_per_s < fastest_link; });
  return found;
}

/// "0000:84:00.0", with or without the PCI domain when that is 0.
bool is_called(const device& it, std::string_view name) {
  if (it.address == name) return true;
  constexpr std::string_view domain = "0000:";
  if (it.address.starts_with(domain) && it.address.substr(domain.size()) == name) return true;
  return std::find(it.names.begin(), it.names.end(), name) != it.names.end();
}

failure unknown_device(const machine& node, const std::string& wanted) {
  std::vector<std::string_view> known;
  for (const auto& it : node.devices) {
    known.insert(known.end(), it.names.begin(), it.names.end());
    if (it.names.empty()) known.push_back(it.address);
  }
  if (known.empty())
    return fail(fmt::format("device \"{}\": this machine shows no devices", wanted));
  const auto meant = nearest_word(wanted, known);
  if (!meant.empty()) {
    return fail(
        fmt::format("device \"{}\" does not exist here, did you mean \"{}\"?", wanted, meant));
  }
  return fail(fmt::format("device \"{}\" does not exist here; there are {}", wanted,
                          fmt::join(known, ", ")));
}

/// Cores with a place in a range of PU positions.
row cores_in(cores_view cores, topology::pu_range range) {
  row inside;
  for (const auto& c : cores) {
    if (c.position >= range.first && c.position < range.first + range.count) inside.push_back(c);
  }
  return inside;
}

using range_key = std::pair<int, int>;  // count, first: the smallest ranges come first

/// Divides the cores of each range among the tasks whose devices are near it. Where ranges nest,
/// the inner one's tasks have its cores, and the outer one's tasks the others if there are any.
void divide_ranges(const job& work, const std::map<range_key, indexes>& tasks_of, division& into) {
  std::vector<bool> taken(work.node.pus.size(), false);
  for (const auto& [key, tasks] : tasks_of) {
    const auto all = cores_in(work.cores, {.first = key.second, .count = key.first});
    auto free = all;
    std::erase_if(free, [&](const core& c) { return taken[static_cast<std::size_t>(c.position)]; });
    const auto cores = into.keep(free.empty() ? all : std::move(free));
    for (const auto& c : cores) taken[static_cast<std::size_t>(c.position)] = true;
    const auto shares = divide_evenly(cores, tasks.size(), work.threads_per_task, into);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      auto& mine = into.shares[tasks[i]];
      const auto device = mine.device;
      mine = shares[i];
      mine.device = device;
    }
  }
}

}  // namespace

result<indexes> choose_devices(const machine& node, const std::string& wanted) {
  indexes found;
  if (wanted.empty() || wanted == "gpu") found = of_kind(node, device_kind::gpu);
  if (wanted == "network" || (wanted.empty() && found.empty())) found = fast_network(node);
  if (!found.empty()) return found;
  if (wanted.empty()) return fail("this machine shows neither a GPU nor a network device");
  if (wanted == "gpu") return fail("this machine shows no GPU");
  if (wanted == "network") return fail("this machine shows no network device");
  for (std::size_t i = 0; i < node.devices.size(); ++i) {
    if (is_called(node.devices[i], wanted)) found.push_back(i);
  }
  if (found.empty()) return unknown_device(node, wanted);
  return found;
}

result<void> divide_by_devices(const job& work, const std::string& wanted, division& into) {
  auto devices = choose_devices(work.node, wanted);
  if (!devices) return pass(std::move(devices));
  const auto is_far = [&](std::size_t d) { return work.node.devices[d].near.count == 0; };
  // The step has no core near these; unless that is so for all, the others serve it better.
  if (!std::all_of(devices->begin(), devices->end(), is_far)) std::erase_if(*devices, is_far);
  std::map<range_key, indexes> tasks_of;
  into.shares.resize(work.tasks);
  for (std::size_t task = 0; task < work.tasks; ++task) {
    const auto d = (*devices)[task % devices->size()];
    into.shares[task].device = d;
    auto near = work.node.devices[d].near;
    if (near.count == 0) near = {.first = 0, .count = static_cast<int>(work.node.pus.size())};
    tasks_of[{near.count, near.first}].push_back(task);
  }
  divide_ranges(work, tasks_of, into);
  return {};
}

}  // namespace berth::pinning
