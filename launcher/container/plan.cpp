#include "container/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

namespace berth::container {
namespace {

namespace fs = std::filesystem;

const std::array defaults{
    bind{"/proc", "/proc", rights::node, false, true, "default"},
    bind{"/sys", "/sys", rights::node, false, true, "default"},
    bind{"/dev", "/dev", rights::node, false, true, "default"},  // with /dev/shm and /dev/pts
    bind{"/tmp", "/tmp", rights::node, false, true, "default"},
    bind{"/etc/passwd", "/etc/passwd", rights::node, true, false, "default"},
    bind{"/etc/group", "/etc/group", rights::node, true, false, "default"},
    bind{"/etc/hosts", "/etc/hosts", rights::node, true, false, "default"},
    bind{"/etc/resolv.conf", "/etc/resolv.conf", rights::node, true, false, "default"},
    // The machine for hwloc, where the node helper has left it.
    bind{"/run/berth/topology.xml", "/run/berth/topology.xml", rights::node, true, false,
         "default"},
};

// What an image brings itself: a user's folder there must not hide it.
constexpr std::array<std::string_view, 12> system_folders{"/bin",   "/boot",  "/etc", "/lib",
                                                          "/lib32", "/lib64", "/opt", "/root",
                                                          "/run",   "/sbin",  "/usr", "/var/lib"};

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

bool mountable(const std::string& folder) {
  const auto path = fs::path(folder).lexically_normal();
  return path.is_absolute() && path != path.root_path() &&
         std::none_of(system_folders.begin(), system_folders.end(),
                      [&](std::string_view system) { return is_below(path, system); });
}

std::size_t depth(const bind& entry) {
  const fs::path target(entry.target);
  return static_cast<std::size_t>(std::distance(target.begin(), target.end()));
}

}  // namespace

bool shows(const std::vector<bind>& binds, const std::string& folder) {
  return std::any_of(binds.begin(), binds.end(), [&](const bind& entry) {
    return entry.source == entry.target && is_below(folder, entry.source);
  });
}

std::vector<bind> plan_binds(const mount_facts& facts, const std::vector<site::mount_rule>& site) {
  std::vector<bind> binds(defaults.begin(), defaults.end());
  for (const auto& rule : site) {
    binds.push_back(
        {rule.source, rule.target, rights::user, rule.read_only, rule.required, "site"});
  }
  // A site may bind a default's target from elsewhere, or read-only: its word replaces ours.
  const auto replaced = [&](const bind& entry) {
    return entry.origin == "default" &&
           std::any_of(site.begin(), site.end(),
                       [&](const auto& rule) { return rule.target == entry.target; });
  };
  binds.erase(std::remove_if(binds.begin(), binds.end(), replaced), binds.end());
  const auto add_folder = [&](const std::string& folder, const char* origin) {
    const auto path = fs::path(folder).lexically_normal().string();
    if (!folder.empty() && mountable(path) && !shows(binds, path)) {
      binds.push_back({path, path, rights::user, false, false, origin});
    }
  };
  add_folder(facts.home, "home");
  add_folder(facts.submit_dir, "submit directory");
  if (!facts.pmix_dir.empty()) {
    binds.push_back({facts.pmix_dir, facts.pmix_dir, rights::user, false, false, "pmix"});
  }
  std::stable_sort(binds.begin(), binds.end(),
                   [](const bind& a, const bind& b) { return depth(a) < depth(b); });
  return binds;
}

std::string describe(const std::vector<bind>& binds) {
  std::string text;
  for (const auto& entry : binds) {
    text += fmt::format("{} -> {} ({}{})\n", entry.source, entry.target,
                        entry.read_only ? "read-only, " : "", entry.origin);
  }
  return text;
}

}  // namespace berth::container
