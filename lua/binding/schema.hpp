#pragma once
// Every key that a site file may hold. Messages, suggestions, `berth config show` and the type
// stubs in lua/berth/site.d.lua follow this table.

#include <string>
#include <string_view>
#include <vector>

namespace berth::lua {

struct schema_key {
  std::string_view path;  ///< "mounts[].target": [] stands for any index, * for any name
  std::string_view type;  ///< as messages name it
  std::string_view what;  ///< one line for people
};

const std::vector<schema_key>& schema();

/// The type of the key, or "" for a key that is not in the schema.
std::string_view type_of(std::string_view path);

/// The names directly below a key: "images" -> folders, trusted; "" -> images, mounts, ...
std::vector<std::string_view> names_below(std::string_view path);

/// "mounts[3].target" -> "mounts[].target", "environment.set.PATH" -> "environment.set.*".
std::string to_schema_path(std::string_view key);

}  // namespace berth::lua
