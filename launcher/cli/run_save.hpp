#pragma once
// --container-save of `berth run`, by the programs that do it for srun: berth-save waits outside of
// the container, and berth-entry, the command's parent, tells it when the command has ended.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"
#include "container/save_link.hpp"

namespace berth::cli {

class run_save {
 public:
  /// Before the container's mount namespace is left for: the programs and `path` are here.
  static result<run_save> prepare(const std::string& path);

  /// In the container, by root of the user namespace that made it. The working directory is "/"
  /// afterwards.
  result<void> start(const container::identity& builder);

  /// In the container: becomes the parent of `file`, with these words. Returns only with an error.
  [[nodiscard]] result<void> run(const std::string& file,
                                 const std::vector<std::string>& words) const;

 private:
  run_save(container::save_link link, unique_fd entry, unique_fd outside)
      : link_(std::move(link)), entry_(std::move(entry)), outside_(std::move(outside)) {}
  container::save_link link_;
  unique_fd entry_;    // berth-entry
  unique_fd outside_;  // mount namespace
};

}  // namespace berth::cli
