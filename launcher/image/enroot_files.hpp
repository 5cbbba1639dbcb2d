#pragma once
// The files within an image by which enroot configures a container: /etc/environment and
// /etc/fstab. Source: enroot, doc/image-format.md. The texts come from users.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::image {

inline constexpr const char* environment_path = "/etc/environment";
inline constexpr const char* fstab_path = "/etc/fstab";
inline constexpr std::size_t enroot_file_limit = 65536;  ///< bytes

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
std::vector<std::string> expand_references(
    const std::vector<std::string>& entries,
    const std::function<std::optional<std::string>(const std::string&)>& value_of);

/// What an image's fstab asks for, one sentence each with the option that grants it: a mount is
/// made when the user wants it, not because an image does.
std::vector<std::string> describe_fstab(std::string_view text);

}  // namespace berth::image
