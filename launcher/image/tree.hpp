#pragma once
// The plan of an image's files: which path holds what. Built from paths of this machine, changed by
// nothing but its own functions, executed by stage.hpp.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"

namespace berth::image {

struct folder {
  unsigned mode = 0755;
};
struct symlink {
  std::string target;
};
struct text_file {
  std::string content;
};
/// A copy of a regular file of this machine. In the image everybody may read it, and execute it
/// where anybody may here: owners differ between the machine and the image.
struct copied_file {
  std::string source;  ///< path on this machine
  bool executable = false;
  std::int64_t modified = 0;  ///< seconds since 1970
  std::uint64_t size = 0;     ///< bytes
};
using node = std::variant<folder, symlink, text_file, copied_file>;

class tree {
 public:
  /// Path in the image (absolute, normal) -> what is there; parents come before children.
  [[nodiscard]] const std::map<std::string, node>& nodes() const noexcept { return nodes_; }

  /// Puts something at a path and folders above it. What is there already stays when it is the
  /// same; another content is an error that names the path. @pre path is absolute
  result<void> put(std::string_view path, node what);

  /// Copies a file of this machine to another path of the image.
  result<void> copy(const std::string& source, std::string_view target);

  /// Copies a file or folder (with all below it) of this machine to the same path, and every
  /// symbolic link that the path passes through, so that each of its names works in the image.
  result<void> mirror(std::string_view path);

  [[nodiscard]] bool contains(std::string_view path) const;

 private:
  result<std::string> resolve_parents(std::string_view path) const;
  std::map<std::string, node> nodes_;
};

/// Absolute and without ".", ".." and repeated slashes; links are not followed.
std::string normal_path(std::string_view path);

}  // namespace berth::image
