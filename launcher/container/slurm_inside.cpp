#include "container/slurm_inside.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "container/slurm_conf.hpp"
#include "container/slurm_paths.hpp"
#include "container/wire.hpp"
#include "image/elf.hpp"
#include "image/libraries.hpp"
#include "image/runtime.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t plugin_limit = std::size_t{64} << 20;
constexpr const char* origin = "slurm";

constexpr std::array clients{"sacct",   "sacctmgr", "salloc",   "sattach", "sbatch", "sbcast",
                             "scancel", "scontrol", "scrontab", "sdiag",   "sinfo",  "sprio",
                             "squeue",  "sreport",  "srun",     "sshare",  "sstat",  "strigger"};

// Plugins that only daemons load: what these need (databases, web servers, hardware counters) would
// be most of all libraries.
constexpr std::array<std::string_view, 28> of_daemons{"accounting_storage_mysql",
                                                      "acct_gather_",
                                                      "burst_buffer_",
                                                      "cgroup_",
                                                      "core_spec_",
                                                      "ext_sensors_",
                                                      "gpu_",
                                                      "job_container_",
                                                      "job_submit_",
                                                      "jobacct_",
                                                      "jobcomp_",
                                                      "mcs_",
                                                      "metrics_",
                                                      "namespace_",
                                                      "node_features",
                                                      "openapi_",
                                                      "power_",
                                                      "preempt_",
                                                      "prep_",
                                                      "priority_",
                                                      "proctrack_",
                                                      "rest_auth_",
                                                      "route_",
                                                      "sched_",
                                                      "site_factor_",
                                                      "slurmctld_",
                                                      "task_",
                                                      "libslurm"};

bool loaded_by_commands(const fs::path& plugin) {
  const auto name = plugin.filename().string();
  return plugin.extension() == ".so" &&
         std::none_of(of_daemons.begin(), of_daemons.end(),
                      [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool is_there(const fs::path& path) {
  std::error_code none;
  return fs::exists(path, none);
}

class finder {
 public:
  explicit finder(const slurm_place& place) { files_.place = place; }

  result<slurm_files> find() {
    if (auto done = add_programs(); !done) return pass(std::move(done));
    const auto values = read_slurm_conf(files_.place.conf);
    const auto plugins = plugin_folders(values);
    for (const auto& folder : plugins) {
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(folder, none)) {
        if (loaded_by_commands(entry.path())) add_plugin(entry.path());
      }
      add_folder(folder);
    }
    add_folder(fs::path(files_.place.conf).parent_path());
    add_plugstack(plugstack_of(files_.place.conf, values), plugins);
    add_sockets(values);
    return std::move(files_);
  }

 private:
  result<void> add_programs() {
    for (const auto* name : clients) {
      const auto path = fs::path(files_.place.programs) / name;
      if (!is_there(path)) continue;
      auto added = add_libraries(path);
      if (!added) return pass(std::move(added), fmt::format("\"{}\"", path.string()));
      files_.programs.push_back(path);
    }
    if (is_there(fs::path(files_.place.programs) / "srun")) return {};
    return fail(fmt::format("there is no srun in \"{}\"", files_.place.programs));
  }

  // Those of plugins that are missing are not an error: Slurm, too, only loads what is configured.
  void add_plugin(const fs::path& path) {
    static_cast<void>(add_libraries(path));
    if (path.filename().string().starts_with("mpi_pmix")) add_pmix_library(path);
  }

  // Slurm's PMIx plugin opens libpmix in a folder that is compiled into it.
  void add_pmix_library(const fs::path& plugin) {
    const auto binary = read_file(plugin, plugin_limit);
    if (!binary) return;
    for (const auto& folder : image::embedded_paths(*binary)) {
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(folder, none)) {
        if (!entry.path().filename().string().starts_with("libpmix.so")) continue;
        static_cast<void>(add_libraries(entry.path()));
        auto& all = files_.opened;
        if (std::find(all.begin(), all.end(), entry.path()) == all.end()) {
          all.push_back(entry.path());
        }
      }
    }
  }

  result<void> add_libraries(const fs::path& path) {
    const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) return fail_errno("cannot open");
    const auto facts = image::read_elf(fd.get());
    if (!facts) return failure(facts.error());
    if (!*facts) return fail("is no program");
    if (files_.loader.empty()) files_.loader = (*facts)->interpreter;
    if (files_.loader.empty()) return fail("is linked statically");
    const auto& needed = (*facts)->needed;
    if (std::all_of(needed.begin(), needed.end(),
                    [&](const auto& name) { return files_.libraries.contains(name); })) {
      return {};
    }
    const auto listed = run({{files_.loader, path.string()}, {"LD_TRACE_LOADED_OBJECTS=1"}, {}});
    if (!listed) return failure(listed.error());
    result<void> complete;
    for (auto& one : image::parse_loader_list(listed->out)) {
      if (!one.path.empty()) {
        files_.libraries.try_emplace(std::move(one.name), std::move(one.path));
      } else if (!files_.libraries.contains(one.name)) {
        complete = fail(fmt::format("needs the library \"{}\", which is not found", one.name));
      }
    }
    return complete;
  }

  // Slurm's own library lies in its plugin folder, wherever that was chosen to be.
  [[nodiscard]] std::vector<std::string> plugin_folders(
      const std::map<std::string, std::string>& values) const {
    if (const auto given = values.find("plugindir"); given != values.end()) {
      return split(given->second, ':');
    }
    for (const auto& [name, path] : files_.libraries) {
      if (name.starts_with("libslurm")) return {fs::path(path).parent_path()};
    }
    return {};
  }

  void add_folder(const fs::path& folder) {
    auto& all = files_.folders;
    const auto path = folder.lexically_normal().string();
    if (is_there(path) && std::find(all.begin(), all.end(), path) == all.end()) all.push_back(path);
  }

  void add_plugstack(const std::string& stack, const std::vector<std::string>& plugins) {
    for (const auto& line : read_plugstack(stack)) {
      add_if_outside(line.file);
      auto library = fs::path(line.library);
      for (const auto& folder : plugins) {
        if (library.is_relative() && is_there(folder / library)) library = folder / library;
      }
      add_plugin(library);
      if (library.is_absolute()) add_if_outside(library);
    }
  }

  // A file in a folder that is shown anyway needs no mount of its own.
  void add_if_outside(const fs::path& file) {
    const auto parent = file.lexically_normal().parent_path().string();
    const auto& all = files_.folders;
    if (std::find(all.begin(), all.end(), parent) == all.end()) add_folder(file);
  }

  // munge's, as AuthInfo=socket=PATH says, and that of auth/slurm.
  void add_sockets(const std::map<std::string, std::string>& values) {
    fs::path munge = "/run/munge/munge.socket.2";
    const auto info = values.find("authinfo");
    for (const auto& word : split(info == values.end() ? "" : info->second, ',')) {
      if (word.starts_with("socket=")) munge = word.substr(7);
    }
    files_.sockets = {munge.parent_path()};
    if (is_there("/run/slurm/sack.socket")) files_.sockets.emplace_back("/run/slurm");
  }

  slurm_files files_;
};

bind shown(const std::string& source, const std::string& target, bool required = true) {
  return {source, target, rights::user, true, required, origin};
}

std::string stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "-";
  return fmt::format("{}:{}:{}:{}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

}  // namespace

result<slurm_place> usual_slurm_place() {
  slurm_place place;
  if (const char* named = std::getenv("SLURM_CONF"); named != nullptr && *named == '/') {
    place.conf = named;
  }
  for (const auto* usual : {"/etc/slurm/slurm.conf", "/run/slurm/conf/slurm.conf"}) {
    if (place.conf.empty() && is_there(usual)) place.conf = usual;
  }
  if (place.conf.empty()) {
    return fail("--container-slurm: there is no slurm.conf here; SLURM_CONF says where it is");
  }
  const char* path = std::getenv("PATH");
  for (const auto& folder : split(path == nullptr ? "" : path, ':')) {
    if (!folder.starts_with('/') || !is_there(fs::path(folder) / "srun")) continue;
    place.programs = folder;
    return place;
  }
  return fail("--container-slurm: there is no srun in PATH");
}

result<slurm_files> find_slurm_files(const slurm_place& place) {
  return finder(place).find();
}

std::string signature_of(const slurm_files& files) {
  std::string text;
  const auto add = [&](const std::string& path) { text += stamp_of(path) + '\n'; };
  for (const auto* path : {&files.place.conf, &files.loader}) add(*path);
  for (const auto& path : files.programs) add(path);
  for (const auto& [name, path] : files.libraries) add(path);
  for (const auto& path : files.folders) add(path);
  for (const auto& path : files.opened) add(path);
  return text;
}

std::vector<bind> plan_slurm(const slurm_files& files, const std::string& starter) {
  std::vector<bind> binds;
  for (const auto& program : files.programs) {
    const auto name = fs::path(program).filename().string();
    binds.push_back(shown(program, fmt::format("{}/{}", slurm_programs, name)));
    binds.push_back(shown(starter, fmt::format("{}/{}", slurm_commands, name)));
  }
  binds.push_back(shown(files.loader, slurm_loader));
  for (const auto& [name, path] : files.libraries) {
    const bool by_path = name.find('/') != std::string::npos;
    binds.push_back(shown(path, by_path ? name : fmt::format("{}/{}", slurm_libraries, name)));
  }
  for (const auto& folder : files.folders) binds.push_back(shown(folder, folder));
  for (const auto& file : files.opened) {
    binds.push_back(shown(file, file, false));
    binds.back().fills = true;
  }
  for (const auto& folder : files.sockets) binds.push_back(shown(folder, folder, false));
  return binds;
}

void add_slurm(std::vector<environment_edit>& edits, const std::vector<std::string>& task,
               const std::string& conf) {
  auto path = find_variable(task, "PATH");
  for (const auto& edit : edits) {
    if (edit.name == "PATH") path = edit.value;
  }
  std::erase_if(edits,
                [](const auto& edit) { return edit.name == "PATH" || edit.name == "SLURM_CONF"; });
  // An image without a PATH has the one that programs assume then.
  edits.push_back({"PATH",
                   fmt::format("{}:{}", slurm_commands,
                               path && !path->empty() ? *path : "/usr/local/bin:/usr/bin:/bin"),
                   origin});
  edits.push_back({"SLURM_CONF", conf, origin});
}

std::string encode(const slurm_files& files) {
  wire_writer out;
  for (const auto* text : {&files.place.conf, &files.place.programs, &files.loader}) {
    out.text(*text);
  }
  out.texts(files.programs);
  out.texts(files.folders);
  out.texts(files.opened);
  out.texts(files.sockets);
  out.u32(static_cast<std::uint32_t>(files.libraries.size()));
  for (const auto& [name, path] : files.libraries) {
    out.text(name);
    out.text(path);
  }
  return out.take();
}

result<slurm_files> decode_slurm_files(std::string_view bytes) {
  wire_reader in(bytes);
  slurm_files files;
  for (auto* text : {&files.place.conf, &files.place.programs, &files.loader}) *text = in.text();
  files.programs = in.texts();
  files.folders = in.texts();
  files.opened = in.texts();
  files.sockets = in.texts();
  for (auto count = in.u32(); count > 0 && in.good(); --count) {
    auto name = in.text();
    files.libraries[std::move(name)] = in.text();
  }
  if (auto complete = in.finish(); !complete) return pass(std::move(complete));
  return files;
}

}  // namespace berth::container
