#pragma once
// A FUSE server can be killed: by its user, or when memory runs out. Tasks then find no file of the
// image any more, and of a parallel program some wait for ever for the others. So the step ends,
// and its user is told why.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "site/config.hpp"

namespace berth::plugin {

/// A thread of slurmstepd that waits for the end of a server. Start it after the tasks are forked.
/// slurmstepd keeps the container's mount namespace open, and with it the server alive, so that an
/// end while this object lives is never an ordinary one.
class server_watch {
 public:
  /// `server` is a pidfd, borrowed: it stays open while this object lives. `image` is one_line.
  server_watch(int server, const site::job_facts& job, std::string image);
  /// Ends the watch. A step that is being ended has nodes that go on: a process apart sees to it.
  ~server_watch();
  server_watch(const server_watch&) = delete;
  server_watch& operator=(const server_watch&) = delete;

 private:
  void wait();

  int server_;
  std::uint32_t job_, step_;
  std::string node_, image_;
  unique_fd end_;  // an eventfd
  std::atomic<bool> ends_step_{false};
  std::thread thread_;
};

}  // namespace berth::plugin
