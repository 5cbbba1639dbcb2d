#pragma once
// --container-name of `berth run`: the layer that earlier runs with the same name wrote to.

#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/named_layer.hpp"
#include "container/container_options.hpp"
#include "container/image_file.hpp"
#include "container/rootfs.hpp"

namespace berth::cli {

class run_named {
 public:
  /// The container, locked; nothing without a name. An empty `image` becomes the container's own.
  /// Errors: it is in use; it is missing, or there, where the user wants it otherwise.
  static result<std::optional<run_named>> take(const container::container_name& name,
                                               std::string& image);
  /// What such a container is made of; nothing is locked or made.
  static result<std::string> image_of(const std::string& name);
  run_named(run_named&&) noexcept = default;
  run_named& operator=(run_named&&) = delete;
  /// A container that was new and is not to stay leaves nothing behind.
  ~run_named();

  /// Errors: the container is made of another image, or of this one before it changed.
  result<void> check(const container::image_file& image);
  /// For the new root, which borrows it. A new container exists from here on.
  /// @pre the process is root of a user namespace and may mount; check() succeeded
  result<container::disk_layer> open();
  /// It stays, and is in use while a program that this process executes, or a child of it, lives.
  result<void> stay();

 private:
  run_named(named_layer layer, std::string name, std::optional<layer_record> there)
      : layer_(std::make_unique<named_layer>(std::move(layer))),
        name_(std::move(name)),
        there_(std::move(there)) {}
  std::unique_ptr<named_layer> layer_;
  std::string name_;
  std::optional<layer_record> there_;  // nothing: it is new
  layer_record wanted_;
  unique_fd mount_;
};

}  // namespace berth::cli
