#pragma once
// Tasks on several threads.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace berth {

/// Carries out tasks on `threads` threads, the caller's among them: he works too whenever many
/// tasks wait, so that few ever do. Tasks must not throw, nor give further tasks.
class task_pool {
 public:
  /// Fewer threads where the system gives no more.
  explicit task_pool(unsigned threads);
  ~task_pool();
  task_pool(const task_pool&) = delete;
  task_pool& operator=(const task_pool&) = delete;

  void give(std::function<void()> task);
  /// Returns when all tasks are done; nothing may be given any more.
  void finish();

 private:
  void serve();
  std::mutex lock_;
  std::condition_variable given_;
  std::deque<std::function<void()>> waiting_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace berth
