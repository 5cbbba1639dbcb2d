#include "common/signals.hpp"

#include <csignal>

namespace berth::apps {

namespace {

volatile std::sig_atomic_t stop_requested = 0;
volatile std::sig_atomic_t save_requested = 0;

void note(int signal) noexcept {
  if (signal == SIGTERM) {
    stop_requested = 1;
  } else {
    save_requested = 1;
  }
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGUSR1, &action, nullptr);
}

bool was_told_to_stop() {
  return stop_requested != 0;
}

bool take_save_request() {
  const bool requested = save_requested != 0;
  save_requested = 0;
  return requested;
}

}  // namespace berth::apps
