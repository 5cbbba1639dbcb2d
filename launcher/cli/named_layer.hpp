#pragma once
// The writable layers of berth run's named containers, which stay on the user's disk until
// `berth rm` removes them.
//
//   FOLDER              $XDG_STATE_HOME/berth/named, or ~/.local/state/berth/named
//   FOLDER/NAME/lock    held by the processes of the container; the number of the first one
//   FOLDER/NAME/record  what the container is made of; without it the others are leftovers
//   FOLDER/NAME/upper   and work: overlayfs's
//
// From `berth` downwards every folder is the user's own, 0700; links are not followed.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::cli {

struct layer_record {
  std::string image;          ///< its real path
  std::string fingerprint;    ///< changes with the image's content
  std::uint64_t created = 0;  ///< seconds since 1970
};

/// Where the user's layers are. Error: neither variable is set.
result<std::string> named_folder();

/// The names of the containers there, sorted, whether they have a record or not.
result<std::vector<std::string>> named_containers(const std::string& folder);

/// One container's folder.
class named_layer {
 public:
  /// Locked for this process until the object's end, or as `leave_locked` says. Nothing where there
  /// is no such folder and `create` is false. Errors: another process holds it; something in it is
  /// not the user's own.
  static result<std::optional<named_layer>> lock(const std::string& folder, const std::string& name,
                                                 bool create);
  /// The same to look at, which locks nothing and creates nothing.
  static result<std::optional<named_layer>> look(const std::string& folder,
                                                 const std::string& name);

  /// The process that locked it, as it said itself, or 0; nothing where none has it locked.
  [[nodiscard]] std::optional<pid_t> holder() const;
  [[nodiscard]] result<std::optional<layer_record>> record() const;
  /// Bytes that its files take on the disk. @pre as remove
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// An empty layer in place of whatever is there, then its record: from then on the container
  /// exists. @pre it is locked, and as remove
  [[nodiscard]] result<void> begin(const layer_record& record) const;
  /// The folder as a detached mount. @pre may mount
  [[nodiscard]] result<unique_fd> mount() const;
  /// The lock stays with this process, the programs that it executes, and their children.
  [[nodiscard]] result<void> leave_locked();
  /// The container exists no more from the first moment on. @pre it is locked; this process is root
  /// of a user namespace, for folders that their owner closed
  [[nodiscard]] result<void> remove() const;

 private:
  named_layer(unique_fd all, unique_fd folder, std::string name, std::string path)
      : all_(std::move(all)),
        folder_(std::move(folder)),
        name_(std::move(name)),
        path_(std::move(path)) {}
  static result<std::optional<named_layer>> find(const std::string& folder, const std::string& name,
                                                 bool create);
  [[nodiscard]] result<bool> take_lock();
  unique_fd all_;
  unique_fd folder_;
  std::string name_;
  std::string path_;
  unique_fd lock_;
};

/// What cures a file system that can carry no layer.
inline constexpr const char* other_state_home =
    "set XDG_STATE_HOME to a folder of yours on a local disk";

}  // namespace berth::cli
