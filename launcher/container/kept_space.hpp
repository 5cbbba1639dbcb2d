#pragma once
// A mount namespace of root's own, without processes, that holds mounts beyond a step's end.
//
//   FOLDER         0700, bound onto itself: private and unbindable
//   FOLDER/ns      the namespace's file (nsfs); unmounting it drops everything that is kept
//
// Mounts in it are seen by nobody else: not in /proc/mounts of the node, not by services that copy
// the node's namespace (and would keep each copied mount for as long as they run), not by
// containers. The root of the namespace is a tmpfs with the entries' folders. mount_namespaces(7),
// setns(2).

#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::container {

class kept_space {
 public:
  /// The namespace that `folder` holds; a new one where it holds none. The folder above must exist
  /// or be one that can be made, belong to root and be writable by root alone. Processes that ask
  /// at the same moment get the same one. @pre the caller is root and may mount
  static result<kept_space> open_or_create(const std::string& folder);
  /// As above, but a folder that holds none is an error with std::errc::no_such_file_or_directory.
  static result<kept_space> open(const std::string& folder);

  /// While it lives, this (single-threaded) process is in the namespace: its root and working
  /// directory are the tmpfs. Ends the process if it cannot go back: work that goes on in the wrong
  /// place is never right. Takes some microseconds.
  class visit {
   public:
    visit(visit&& other) noexcept : home_(std::move(other.home_)) {}
    visit& operator=(visit&&) = delete;
    ~visit();

   private:
    friend class kept_space;
    explicit visit(unique_fd home) : home_(std::move(home)) {}
    unique_fd home_;  // the namespace to go back to
  };
  [[nodiscard]] result<visit> enter() const;

 private:
  explicit kept_space(unique_fd space) : space_(std::move(space)) {}
  unique_fd space_;
};

}  // namespace berth::container
