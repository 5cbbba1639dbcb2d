#include "plugin/join_clock.hpp"

#include <sys/mman.h>

#include <new>

namespace berth::plugin {

static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");

result<join_clock> join_clock::create(std::uint32_t tasks) {
  void* memory =
      ::mmap(nullptr, sizeof(state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot share memory with the tasks");
  return join_clock(new (memory) state{}, tasks);
}

join_clock::~join_clock() {
  if (shared_ != nullptr) ::munmap(shared_, sizeof(state));
}

std::optional<std::chrono::microseconds> join_clock::joined(std::chrono::microseconds spent) {
  auto longest = shared_->longest.load();
  while (longest < spent.count() &&
         !shared_->longest.compare_exchange_weak(longest, spent.count())) {
  }
  if (shared_->count.fetch_add(1) + 1 != tasks_) return std::nullopt;
  return std::chrono::microseconds(shared_->longest.load());
}

}  // namespace berth::plugin
