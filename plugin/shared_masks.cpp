#include "plugin/shared_masks.hpp"

#include <sys/mman.h>

namespace berth::plugin {
namespace {

// hwloc and Linux allow more, no machine has more.
constexpr std::size_t most_cpus = 8192;
constexpr std::size_t word_bits = 8 * sizeof(unsigned long);
constexpr std::size_t words_per_task = most_cpus / word_bits;

}  // namespace

result<shared_masks> shared_masks::create(std::size_t tasks) {
  const auto words = tasks * words_per_task;
  void* memory = ::mmap(nullptr, words * sizeof(unsigned long), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot share memory with the tasks");
  return shared_masks({static_cast<unsigned long*>(memory), words}, tasks);
}

shared_masks::~shared_masks() {
  if (!words_.empty()) ::munmap(words_.data(), words_.size_bytes());
}

void shared_masks::store(std::size_t task, const std::vector<int>& cpus) {
  const auto mask = words_.subspan(task * words_per_task, words_per_task);
  for (const auto cpu : cpus) {
    const auto bit = static_cast<std::size_t>(cpu);
    if (bit < most_cpus) mask[bit / word_bits] |= 1UL << (bit % word_bits);
  }
}

std::vector<int> shared_masks::all() const {
  std::vector<int> cpus;
  for (std::size_t bit = 0; bit < most_cpus; ++bit) {
    for (std::size_t task = 0; task < tasks_; ++task) {
      if ((words_[task * words_per_task + bit / word_bits] >> (bit % word_bits) & 1) != 0) {
        cpus.push_back(static_cast<int>(bit));
        break;
      }
    }
  }
  return cpus;
}

}  // namespace berth::plugin
