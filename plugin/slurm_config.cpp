#include "plugin/slurm_config.hpp"

#include <unistd.h>

#include <filesystem>

#include "plugin/slurm.hpp"

// Weak: commands that do not export it still load the plugin.
extern "C" {
extern slurm_conf_t slurm_conf __attribute__((weak));
}

namespace berth::plugin {
namespace {

std::string text(const char* value) {
  return value == nullptr ? "" : value;
}

void replace_all(std::string& where, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = where.find(what, at)) != std::string::npos; at += with.size()) {
    where.replace(at, what.size(), with);
  }
}

// TaskProlog became a list in Slurm 24.11.
template <class Configuration>
std::vector<std::string> prologs_of(const Configuration& configuration) {
  std::vector<std::string> scripts;
  if constexpr (requires { configuration.task_prolog_cnt; }) {
    for (unsigned i = 0; i < configuration.task_prolog_cnt; ++i) {
      scripts.push_back(text(configuration.task_prolog[i]));
    }
  } else if (configuration.task_prolog != nullptr && *configuration.task_prolog != '\0') {
    scripts.push_back(configuration.task_prolog);
  }
  return scripts;
}

template <class Configuration>
void clear_prologs(Configuration& configuration) {
  if constexpr (requires { configuration.task_prolog_cnt; }) configuration.task_prolog_cnt = 0;
  configuration.task_prolog = nullptr;
}

}  // namespace

std::string spool_folder(const std::string& node_name) {
  if (&slurm_conf == nullptr) return {};
  auto folder = text(slurm_conf.slurmd_spooldir);
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) return {};
  host.resize(host.find('\0'));
  replace_all(folder, "%n", node_name);
  replace_all(folder, "%h", host.substr(0, host.find('.')));
  return folder;
}

std::vector<std::string> task_prologs() {
  return &slurm_conf == nullptr ? std::vector<std::string>{} : prologs_of(slurm_conf);
}

void forget_task_prologs() {
  if (&slurm_conf != nullptr) clear_prologs(slurm_conf);
}

std::string slurm_conf_file() {
  const auto path = &slurm_conf == nullptr ? "" : text(slurm_conf.slurm_conf);
  return path.empty() ? "/etc/slurm/slurm.conf" : path;
}

std::string plugin_folder() {
  const auto folders = &slurm_conf == nullptr ? "" : text(slurm_conf.plugindir);
  return folders.substr(0, folders.find(':'));
}

std::string default_mpi() {
  const auto word = &slurm_conf == nullptr ? "" : text(slurm_conf.mpi_default);
  return word.empty() ? "none" : word;
}

bool has_oci_conf() {
  const auto folder = std::filesystem::path(slurm_conf_file()).parent_path();
  return ::access((folder / "oci.conf").c_str(), F_OK) == 0;
}

}  // namespace berth::plugin
