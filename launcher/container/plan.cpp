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

// Another bind with one of these targets takes its place.
void remove_targets(std::vector<bind>& binds, const std::vector<std::string>& taken,
                    std::string_view origin = {}) {
  std::erase_if(binds, [&](const bind& entry) {
    return (origin.empty() || entry.origin == origin) &&
           std::find(taken.begin(), taken.end(), entry.target) != taken.end();
  });
}

template <class Rules>
std::vector<std::string> targets_of(const Rules& rules) {
  std::vector<std::string> targets;
  for (const auto& rule : rules) targets.push_back(rule.target);
  return targets;
}

bind bind_of(const mount_request& mount, std::string_view origin, bool required) {
  return {mount.source,  mount.target,        rights::user, mount.read_only,
          required,      std::string(origin), mount.kind,   mount.recursive,
          mount.follows, mount.size,          false,        mount.no_exec};
}

void add_user_mounts(std::vector<bind>& binds, const std::vector<mount_request>& user) {
  remove_targets(binds, targets_of(user));
  for (const auto& mount : user) binds.push_back(bind_of(mount, user_origin, true));
}

void add_image_mounts(std::vector<bind>& binds, const std::vector<fstab_mount>& image) {
  for (const auto& [mount, required] : image) {
    remove_targets(binds, {mount.target}, "default");
    const auto& target = mount.target;
    const bool taken = std::any_of(binds.begin(), binds.end(),
                                   [&](const bind& entry) { return entry.target == target; });
    if (!taken) binds.push_back(bind_of(mount, image_origin, required));
  }
}

}  // namespace

result<void> may_mount(const std::string& real, const site::user_mount_rules& rules) {
  const auto below = [&](const std::string& folder) { return is_below(real, folder); };
  if (std::none_of(rules.allowed.begin(), rules.allowed.end(), below)) {
    return fail(rules.allowed.empty() ? std::string("the site allows no mounts of users")
                                      : fmt::format("the site allows mounts from {} only",
                                                    fmt::join(rules.allowed, ", ")));
  }
  for (const auto& folder : rules.forbidden) {
    if (below(folder)) return fail(fmt::format("the site forbids mounts from {}", folder));
    if (is_below(folder, real)) {
      return fail(fmt::format("it holds {}, from which the site forbids mounts", folder));
    }
  }
  return {};
}

bool is_users_word(const bind& entry) {
  return entry.origin == user_origin || entry.origin == image_origin;
}

bool shows(const std::vector<bind>& binds, const std::string& folder) {
  return std::any_of(binds.begin(), binds.end(), [&](const bind& entry) {
    return entry.kind == mount_kind::bind && entry.source == entry.target &&
           is_below(folder, entry.source);
  });
}

std::vector<bind> plan_binds(const mount_facts& facts, const std::vector<site::mount_rule>& site) {
  std::vector<bind> binds(defaults.begin(), defaults.end());
  if (facts.remap_root) {
    remove_targets(binds, {"/etc/passwd", "/etc/group"});
    // PMIx believes what a client says of its number, unless munge says who it is outside.
    binds.push_back({"/run/munge", "/run/munge", rights::node, false, false, "default"});
  }
  for (const auto& rule : site) {
    binds.push_back(
        {rule.source, rule.target, rights::user, rule.read_only, rule.required, "site"});
  }
  binds.insert(binds.end(), facts.slurm.begin(), facts.slurm.end());
  // A site may bind a default's target from elsewhere, or read-only: its word replaces ours.
  for (const auto* origin : {"default", "slurm"}) {
    remove_targets(binds, targets_of(site), origin);
  }
  add_user_mounts(binds, facts.user);
  const auto covered = [&](const std::string& path) {
    return std::any_of(facts.user.begin(), facts.user.end(),
                       [&](const auto& mount) { return mount.target == path; });
  };
  const auto add_folder = [&](const std::string& folder, std::string_view origin) {
    const auto path = fs::path(folder).lexically_normal().string();
    if (!folder.empty() && mountable(path) && !shows(binds, path) && !covered(path)) {
      binds.push_back({path, path, rights::user, false, false, std::string(origin)});
    }
  };
  if (facts.mount_home) add_folder(facts.home, "home");
  // A submit directory that would show the home folder after all stays away too.
  const bool shows_home = !facts.home.empty() && is_below(facts.home, facts.submit_dir);
  if (facts.mount_home || !shows_home) add_folder(facts.submit_dir, submit_origin);
  if (!facts.pmix_dir.empty()) {
    binds.push_back({facts.pmix_dir, facts.pmix_dir, rights::user, false, false, "pmix"});
  }
  add_image_mounts(binds, facts.image);
  std::stable_sort(binds.begin(), binds.end(),
                   [](const bind& a, const bind& b) { return depth(a) < depth(b); });
  return binds;
}

std::string source_name(const bind& entry) {
  if (entry.kind == mount_kind::tmpfs) return "tmpfs";
  return entry.kind == mount_kind::folder ? "folder" : entry.source;
}

std::string describe(const std::vector<bind>& binds) {
  std::string text;
  for (const auto& entry : binds) {
    text += fmt::format("{} -> {} ({}{})\n", source_name(entry), entry.target,
                        entry.read_only ? "read-only, " : "", entry.origin);
  }
  return text;
}

}  // namespace berth::container
