#include "container/environment.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "image/enroot_files.hpp"

namespace berth::container {
namespace {

constexpr std::array<std::string_view, 4> personal{"HOME", "USER", "LOGNAME", "SHELL"};
constexpr std::array<std::string_view, 2> of_the_loader{"LD_PRELOAD", "LD_LIBRARY_PATH"};

bool belongs_to_user_or_slurm(std::string_view name) {
  return std::find(personal.begin(), personal.end(), name) != personal.end() ||
         name.starts_with("SLURM") || name.starts_with("PMI");
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<std::string> find_variable(const std::vector<std::string>& environment,
                                         std::string_view name) {
  for (const auto& entry : environment) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::vector<std::string> image_variables(std::vector<std::string> metadata,
                                         const std::vector<std::string>& templates,
                                         const std::vector<std::string>& task) {
  const auto value_of = [&](const std::string& name) { return find_variable(task, name); };
  for (auto& entry : image::expand_references(templates, value_of)) {
    if (!find_variable(metadata, entry.substr(0, entry.find('=')))) {
      metadata.push_back(std::move(entry));
    }
  }
  return metadata;
}

std::vector<std::string> exported_names(std::string_view slurm_export_env) {
  std::vector<std::string> names;
  for (const auto& piece : split(slurm_export_env, ',')) {
    const auto name = piece.substr(0, piece.find('='));
    if (!name.empty() && name != "ALL" && name != "NONE" && name != "NIL") names.push_back(name);
  }
  return names;
}

std::vector<environment_edit> plan_environment(const std::vector<std::string>& task,
                                               const std::vector<std::string>& image,
                                               const site::environment_rules& site,
                                               const std::vector<std::string>& exported) {
  std::vector<environment_edit> edits;
  const auto is_kept = [&](const std::string& name) {
    return find_variable(task, name) && (contains(exported, name) || name.starts_with("OMPI_"));
  };
  const auto stays_outside = [&](const std::string& name) {
    return std::find(of_the_loader.begin(), of_the_loader.end(), name) != of_the_loader.end() &&
           !contains(exported, name);
  };
  for (const auto name : of_the_loader) {
    if (find_variable(task, name) && stays_outside(std::string(name))) {
      edits.push_back({std::string(name), std::nullopt, "default"});
    }
  }
  for (const auto& entry : image) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    const auto name = entry.substr(0, equals);
    if (belongs_to_user_or_slurm(name) || is_kept(name)) continue;
    edits.push_back({name, entry.substr(equals + 1), "image"});
  }
  for (const auto& [name, value] : site.set) {
    const bool users = find_variable(task, name) && !stays_outside(name);
    if (!users && !find_variable(image, name)) {
      edits.push_back({name, value, "site"});
    }
  }
  for (const auto& name : site.unset) edits.push_back({name, std::nullopt, "site"});
  return edits;
}

}  // namespace berth::container
