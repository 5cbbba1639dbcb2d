#pragma once
// What berth knows about an image beyond squashfs: the file /.berth/image.json inside the image.
//
//   {"schema": 1, "architecture": "amd64", "env": ["PATH=/usr/bin"], "workdir": "/data",
//    "created": "2024-05-01T12:00:00Z", "programs": ["/usr/bin/train"], "tool": "berth 0.1.0",
//    "entrypoint": ["/usr/bin/tini", "--"], "cmd": ["train"]}
//
// Only "schema" and "architecture" must be there; keys that are not listed here are ignored, so
// that later versions may add some. The text comes from users: read it in a process without rights.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::image {

struct image_metadata {
  std::string architecture;           ///< OCI name: "amd64", "arm64", ...
  std::vector<std::string> env;       ///< "NAME=value" with legal names; at most 256
  std::string workdir;                ///< absolute without "..", or empty
  std::string created;                ///< RFC 3339, or empty
  std::vector<std::string> programs;  ///< absolute paths in the image
  std::string tool;                   ///< name and version of the program that made the image
  std::vector<std::string> entrypoint{};  ///< OCI's Entrypoint: words put before a command
  std::vector<std::string> cmd{};         ///< OCI's Cmd: the command where none is given
};

inline constexpr std::string_view metadata_path = "/.berth/image.json";
inline constexpr std::size_t metadata_size_limit = 65536;  ///< bytes
inline constexpr std::size_t metadata_env_limit = 256;     ///< entries, of programs as well

/// Errors: larger than the limit, not JSON, another schema, a value of another type or form; the
/// text names the key.
result<image_metadata> parse_metadata(std::string_view json);

/// The rules of `parse_metadata` on values from elsewhere, such as the command line.
result<void> validate(const image_metadata& data);

/// JSON with a final newline that parse_metadata reads back. @pre validate(data)
std::string write_metadata(const image_metadata& data);

/// The OCI name of the machine this runs on, from uname: "amd64", "arm64", ...; the kernel's own
/// name where OCI has none.
std::string host_architecture();

/// "2024-05-01T12:00:00Z". @pre 0 <= seconds < 2^32
std::string rfc3339(std::int64_t seconds_since_1970);

}  // namespace berth::image
