#include "plugin/server_watch.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "plugin/end_step.hpp"
#include "plugin/slurm.hpp"

namespace berth::plugin {
namespace {

constexpr int for_ever = -1;

bool has_event(int fd, int patience) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, patience) > 0;
}

// Signals of slurmstepd are for its own threads.
class without_signals {
 public:
  without_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  without_signals(const without_signals&) = delete;
  without_signals& operator=(const without_signals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

server_watch::server_watch(int server, const site::job_facts& job, std::string image)
    : server_(server),
      job_(job.id),
      step_(job.step),
      node_(job.node),
      image_(std::move(image)),
      end_(::eventfd(0, EFD_CLOEXEC)) {
  const without_signals quiet;
  thread_ = std::thread([this] { wait(); });
}

server_watch::~server_watch() {
  ::eventfd_write(end_.get(), 1);
  thread_.join();
  if (ends_step_) end_step_apart(job_, step_);
}

void server_watch::wait() {
  std::array<pollfd, 2> events{pollfd{server_, POLLIN, 0}, pollfd{end_.get(), POLLIN, 0}};
  while (::poll(events.data(), events.size(), for_ever) < 0 && errno == EINTR) {
  }
  if (events[1].revents != 0 || events[0].revents == 0) return;
  slurm_error(
      "berth: node %s: image \"%s\": its FUSE server was killed or ran out of memory, and "
      "its files are gone; ending the step",
      node_.c_str(), image_.c_str());
  ends_step_ = true;
  kill_until_gone(job_, step_, [this](std::chrono::milliseconds pause) {
    return !has_event(end_.get(), static_cast<int>(pause.count()));
  });
}

}  // namespace berth::plugin
