#include "base/task_pool.hpp"

#include <system_error>
#include <utility>

namespace berth {
namespace {

constexpr std::size_t most_waiting = 64;

}  // namespace

task_pool::task_pool(unsigned threads) {
  try {
    for (unsigned i = 1; i < threads; ++i) threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {
    // A limit of the user or of the job: those that there are do the work.
  }
}

task_pool::~task_pool() {
  finish();
}

void task_pool::give(std::function<void()> task) {
  {
    const std::scoped_lock guard(lock_);
    waiting_.push_back(std::move(task));
    if (waiting_.size() > most_waiting || threads_.empty()) {
      task = std::exchange(waiting_.front(), nullptr);
      waiting_.pop_front();
    } else {
      task = nullptr;
    }
  }
  if (task) return task();
  given_.notify_one();
}

void task_pool::finish() {
  {
    const std::scoped_lock guard(lock_);
    closed_ = true;
  }
  given_.notify_all();
  serve();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void task_pool::serve() {
  std::unique_lock guard(lock_);
  for (;;) {
    given_.wait(guard, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto task = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    task();
    task = nullptr;  // what it holds goes before the lock is taken
    guard.lock();
  }
}

}  // namespace berth
