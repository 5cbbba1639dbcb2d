#include "pinning/memory.hpp"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "topology/machine.hpp"

namespace berth::pinning {
namespace {

constexpr std::size_t word_bits = 8 * sizeof(unsigned long);
using node_mask = std::vector<unsigned long>;

node_mask mask_of(const std::vector<int>& nodes) {
  node_mask mask(nodes.empty() ? 0 : static_cast<std::size_t>(nodes.back()) / word_bits + 1);
  for (const int node : nodes) {
    const auto bit = static_cast<std::size_t>(node);
    mask[bit / word_bits] |= 1UL << (bit % word_bits);
  }
  return mask;
}

bool set_policy(int mode, const std::vector<int>& nodes) {
  const auto mask = mask_of(nodes);
  // The kernel takes one bit less than it is told.
  const auto bits = mask.empty() ? 0 : mask.size() * word_bits + 1;
  return ::syscall(SYS_set_mempolicy, mode, mask.empty() ? nullptr : mask.data(), bits) == 0;
}

int kernel_mode(memory_mode mode) {
  switch (mode) {
    case memory_mode::unchanged:
      break;
    case memory_mode::local:
      return MPOL_LOCAL;
    case memory_mode::bind:
      return MPOL_BIND;
    case memory_mode::interleave:
      return MPOL_INTERLEAVE;
    case memory_mode::prefer:
      return MPOL_PREFERRED_MANY;
  }
  return MPOL_DEFAULT;
}

}  // namespace

result<void> set_memory_policy(const memory_placement& wanted) {
  if (wanted.mode == memory_mode::unchanged) return {};
  const auto mode = kernel_mode(wanted.mode);
  if (set_policy(mode, wanted.nodes)) return {};
  if (errno == EINVAL && mode == MPOL_PREFERRED_MANY && !wanted.nodes.empty() &&
      set_policy(MPOL_PREFERRED, {wanted.nodes.front()})) {
    return {};
  }
  return fail_errno("cannot set the memory policy");
}

std::optional<std::vector<int>> allowed_memory() {
  constexpr std::size_t largest = static_cast<std::size_t>(topology::max_os_index) + 1;
  // The kernel answers EINVAL as long as the mask is smaller than its own.
  for (std::size_t bits = topology::max_numa_nodes; bits <= largest; bits *= 2) {
    node_mask mask(bits / word_bits);
    if (::syscall(SYS_get_mempolicy, nullptr, mask.data(), bits, nullptr, MPOL_F_MEMS_ALLOWED) ==
        0) {
      std::vector<int> nodes;
      for (std::size_t bit = 0; bit < bits; ++bit) {
        if ((mask[bit / word_bits] >> (bit % word_bits) & 1) != 0) {
          nodes.push_back(static_cast<int>(bit));
        }
      }
      return nodes;
    }
    if (errno != EINVAL) break;
  }
  return std::nullopt;
}

}  // namespace berth::pinning
