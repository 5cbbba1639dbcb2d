#pragma once
// The files within an image by which enroot configures a container: /etc/environment and
// /etc/fstab. Source: enroot, doc/image-format.md. The texts come from users.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::image {

inline constexpr const char* environment_path = "/etc/environment";
inline constexpr const char* fstab_path = "/etc/fstab";
inline constexpr std::size_t enroot_file_limit = 65536;  ///< bytes

/// The value of a variable outside of the container, or nothing.
using value_lookup = std::function<std::optional<std::string>(const std::string& name)>;

struct environment_file {
  /// "NAME=value" with a legal name, at most 256; quotes around a whole value are gone, "${NAME}"
  /// is still in it.
  std::vector<std::string> entries;
  std::vector<std::string> problems;  ///< of lines left out: "line 3 is not NAME=VALUE"
};

/// As pam_env reads it: blank lines, comments, "export " before a name. Of a name that comes twice
/// the last value counts.
environment_file parse_environment(std::string_view text);

/// The entries with each "${NAME}" replaced by what `value_of` says, or by nothing; a value that
/// would be longer than 128 KiB loses its variable.
std::vector<std::string> expand_references(const std::vector<std::string>& entries,
                                           const value_lookup& value_of);

/// One mount that an image asks for; "${NAME}" is still in its fields.
struct fstab_line {
  std::size_t number = 0;
  std::string source;
  std::string target;
  std::string type;  ///< of the file system; "none" for a bind mount
  std::vector<std::string> options;

  friend bool operator==(const fstab_line&, const fstab_line&) = default;
};

/// As enroot reads it, so fields may be left out ("tmpfs /scratch", "/data", "/data /mnt ro,bind").
/// "\040" and the like are what they stand for. Left out are comments, lines for another
/// time (a last number that is neither 0 nor -1), what `mount -a` does not mount either (swap,
/// "noauto"), and the kernel's own file systems, such as proc, which every container has.
/// Errors: a line without a target, more than 256 lines.
result<std::vector<fstab_line>> parse_fstab(std::string_view text);

/// The names in "${NAME}" in these lines, each once, at most 256.
std::vector<std::string> references_of(const std::vector<fstab_line>& lines);

/// The text with each "${NAME}" replaced by what `value_of` says, or by nothing.
std::string expand_references(std::string_view text, const value_lookup& value_of);

}  // namespace berth::image
