#include "binding/schema.hpp"

#include <algorithm>

namespace berth::lua {

const std::vector<schema_key>& schema() {
  static const std::vector<schema_key> keys = {
      {"images", "table", "where images are and which are trusted"},
      {"images.folders", "list", "searched in order for an image named without a slash"},
      {"images.folders[]", "string", "absolute path"},
      {"images.trusted", "list",
       "images below, if root alone can change them, use the kernel mount"},
      {"images.trusted[]", "string", "absolute path"},
      {"mounts", "list", "what of the node is visible in every container"},
      {"mounts[]", "string or table", "a path for the same place in the container, or a table"},
      {"mounts[].source", "string", "absolute path on the node"},
      {"mounts[].target", "string", "absolute path in the container; default: source"},
      {"mounts[].read_only", "boolean", "default: false"},
      {"mounts[].required", "boolean", "false: skipped where the source is missing; default: true"},
      {"user_mounts", "table", "what users may mount into their containers themselves"},
      {"user_mounts.allowed", "list", "sources in these folders"},
      {"user_mounts.allowed[]", "string", "absolute path"},
      {"user_mounts.forbidden", "list", "but not in these"},
      {"user_mounts.forbidden[]", "string", "absolute path"},
      {"cache", "table", "where the unpack backend keeps the files of images"},
      {"cache.folder", "string", "absolute path on a local disk of the node"},
      {"cache.quota", "string or integer", "what all entries may take on disk, such as \"200G\""},
      {"stage", "table", "copies of images on the nodes' own disks"},
      {"stage.folder", "string", "absolute path, the same on all nodes, where users can write"},
      {"stage.nodes", "integer", "images of a shared file system are copied for more nodes"},
      {"warm_mounts", "table", "how mounts of images outlive a step"},
      {"warm_mounts.idle_seconds", "integer",
       "dropped when unused for longer; 0: every step mounts anew"},
      {"environment", "table", "environment variables of every task"},
      {"environment.set", "table", "variables to set where the user has not"},
      {"environment.set.*", "string or integer", "value of the variable"},
      {"environment.unset", "list", "variables to take away"},
      {"environment.unset[]", "string", "name of a variable"},
      {"pin", "table", "pinning of tasks to cores"},
      {"pin.default", "string", "value of --pin for those who give none"},
      {"pin.partitions", "table", "other values by partition"},
      {"pin.partitions.*", "string", "value of --pin for those who give none in this partition"},
      {"pin.on_failure", "string", "\"warn\" or \"fail\""},
      {"slurm_inside", "boolean", "whether containers have the node's Slurm commands"},
      {"workdir", "string", "\"submit\" or \"image\""},
      {"overlay_size", "string or integer",
       "what a container may write per node, such as \"512M\""},
      {"admit", "function", "admit(job, image): true, or false and the reason"},
  };
  return keys;
}

std::string_view type_of(std::string_view path) {
  const auto& keys = schema();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.path == path; });
  return found == keys.end() ? std::string_view() : found->type;
}

std::vector<std::string_view> names_below(std::string_view path) {
  std::vector<std::string_view> names;
  for (const auto& key : schema()) {
    auto rest = key.path;
    if (!path.empty()) {
      if (rest.substr(0, path.size()) != path || rest.size() <= path.size() + 1) continue;
      if (rest[path.size()] != '.') continue;
      rest.remove_prefix(path.size() + 1);
    }
    if (rest.find_first_of(".[*") == std::string_view::npos) names.push_back(rest);
  }
  return names;
}

std::string to_schema_path(std::string_view key) {
  for (const std::string_view free : {"environment.set.", "pin.partitions."}) {
    if (key.substr(0, free.size()) == free) return std::string(free) + "*";
  }
  std::string path;
  bool inside = false;
  for (const char c : key) {
    if (c == ']') inside = false;
    if (!inside) path += c;
    if (c == '[') inside = true;
  }
  return path;
}

}  // namespace berth::lua
