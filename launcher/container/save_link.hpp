#pragma once
// --container-save: on the step's first node each task's command gets a parent, berth-entry, which
// waits for it. The first task's then waits for those of the others, whose end of a pipe closes,
// and has the container's root written by a process of root's that was started beside it. So the
// task, and srun with it, ends when the image is there, or with an error.

#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"

namespace berth::container {

class save_link {
 public:
  /// In slurmstepd, before the tasks are forked. `program` is berth-save; `path` absolute.
  static result<save_link> create(std::string program, std::string path);

  /// In the first task, still root and outside of the container: starts berth-save, which waits.
  /// The namespaces are borrowed; `user_namespace` may be -1.
  result<void> start(const identity& user, int mount_namespace, int user_namespace);

  /// In slurmstepd, once all tasks are forked.
  void leave() { alive_.reset(); }

  /// In a task, last before execve: the value of container::save_variable. The descriptors in it
  /// stay open for berth-entry.
  [[nodiscard]] result<std::string> hand_over() const;

 private:
  save_link(std::string program, std::string path, unique_fd ended, unique_fd alive)
      : program_(std::move(program)),
        path_(std::move(path)),
        ended_(std::move(ended)),
        alive_(std::move(alive)) {}
  std::string program_;
  std::string path_;
  unique_fd ended_;  // read end: closed by everybody when all commands have ended
  unique_fd alive_;  // write end
  unique_fd saver_;  // socket to berth-save, in the first task
};

}  // namespace berth::container
