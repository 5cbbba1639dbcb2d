#pragma once
// The shared libraries of programs, found as the program itself finds them: by asking the dynamic
// loader that the program names.

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/tree.hpp"

namespace berth::image {

struct library {
  std::string name;  ///< as programs ask for it: "libz.so.1"
  std::string path;  ///< where the loader finds it; empty: nowhere
};

/// Reads what loaders (and ldd) print about a program. Lines of other forms (the vDSO) are left
/// out.
std::vector<library> parse_loader_list(const std::string& output);

/// Collects the libraries of many programs and plugins in the plan of an image.
class library_closure {
 public:
  explicit library_closure(tree& into) : tree_(into) {}

  /// Adds what an ELF file of this machine needs, with its loader; other files need nothing.
  /// Errors: for another machine, a library that is missing (named with the program), two different
  /// libraries of one name.
  result<void> add(const std::string& path);

  /// Name -> path on this machine of everything collected.
  [[nodiscard]] const std::map<std::string, std::string>& found() const noexcept { return found_; }
  /// The dynamic loader of the first program; empty while there was none.
  [[nodiscard]] const std::string& loader() const noexcept { return loader_; }

 private:
  result<void> place(const library& one);
  tree& tree_;
  std::map<std::string, std::string> found_;
  std::string loader_;
};

/// Libraries from outside the system's folders are copied to this folder of the image: a home
/// folder or /tmp of the node is mounted over the place that they came from.
inline constexpr std::string_view private_library_folder = "/usr/lib/berth";

}  // namespace berth::image
