#include "base/task_pool.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <set>

namespace berth {
namespace {

TEST(TaskPool, AllTasksAreDoneWhateverTheNumberOfThreads) {
  for (const unsigned threads : {0U, 1U, 2U, 7U}) {
    std::atomic<int> sum = 0;
    task_pool pool(threads);
    for (int i = 1; i <= 1000; ++i) pool.give([&sum, i] { sum += i; });
    pool.finish();
    EXPECT_EQ(sum, 500500) << threads;
  }
}

TEST(TaskPool, TasksRunAtTheSameTime) {
  task_pool pool(3);
  std::promise<void> first;
  std::promise<void> second;
  // Each waits for the other: one thread alone would never finish.
  pool.give([&] {
    first.set_value();
    second.get_future().wait();
  });
  pool.give([&] {
    second.set_value();
    first.get_future().wait();
  });
  pool.finish();
}

TEST(TaskPool, WhoGivesTheTasksWorksToo) {
  const auto me = std::this_thread::get_id();
  std::mutex lock;
  std::set<std::thread::id> workers;
  std::promise<void> busy;
  std::promise<void> all_given;
  const auto given = all_given.get_future().share();
  task_pool pool(2);
  pool.give([&busy, given] {
    busy.set_value();
    given.wait();
  });
  busy.get_future().wait();  // the other thread is
  for (int i = 0; i < 1000; ++i) {
    pool.give([&] {
      const std::scoped_lock guard(lock);
      workers.insert(std::this_thread::get_id());
    });
  }
  EXPECT_EQ(workers, std::set{me});
  all_given.set_value();
  pool.finish();
}

TEST(TaskPool, ALimitOfThreadsIsNoFailure) {
  const auto child = ::fork();
  if (child == 0) {
    // Root is not limited.
    const bool limited = ::geteuid() != 0 || ::setresuid(65534, 65534, 65534) == 0;
    const rlimit one{1, 1};
    if (!limited || ::setrlimit(RLIMIT_NPROC, &one) != 0) ::_exit(2);
    std::atomic<int> done = 0;
    task_pool pool(16);
    for (int i = 0; i < 100; ++i) pool.give([&done] { ++done; });
    pool.finish();
    ::_exit(done == 100 ? 0 : 3);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(TaskPool, WhatATaskHoldsIsGoneWhenAllIsDone) {
  const auto held = std::make_shared<int>(1);
  task_pool pool(2);
  for (int i = 0; i < 100; ++i) pool.give([held] {});
  pool.finish();
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace berth
