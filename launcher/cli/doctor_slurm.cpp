#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "cli/doctor.hpp"
#include "container/identity.hpp"
#include "container/slurm_conf.hpp"
#include "container/slurm_inside.hpp"
#include "container/unprivileged.hpp"
#include "image/trust.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* plugin_name = "spank_berth.so";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream text(line);
  return {std::istream_iterator<std::string>(text), {}};
}

// "slurm-wlm 22.05.8" -> "22.05.8"
std::optional<std::string> slurm_release() {
  for (const auto* program : {"/usr/sbin/slurmd", "slurmd", "scontrol"}) {
    const auto told = run({{program, "-V"}, current_environment(), {}});
    if (!told || told->exit_code != 0) continue;
    const auto words = words_of(told->out);
    if (words.size() == 2) return words[1];
  }
  return std::nullopt;
}

// Loading runs the library's constructors: in a process without rights.
result<std::string> release_of_plugin(const std::string& library) {
  auto user = container::current_identity();
  if (user.uid == 0) user = {65534, 65534, {}};
  return container::run_unprivileged(user, std::chrono::seconds(10), [&]() -> result<std::string> {
    void* handle = ::dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL);
    const void* number = handle == nullptr ? nullptr : ::dlsym(handle, "plugin_version");
    if (number == nullptr) return fail(::dlerror());
    const auto version = *static_cast<const unsigned*>(number);
    return fmt::format("{}.{:02}.{}", version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
  });
}

// The first two numbers; Slurm takes plugins of the same release.
std::string series_of(const std::string& release) {
  const auto parts = split(release, '.');
  return parts.size() < 2 ? release : parts[0] + '.' + parts[1];
}

finding plugin_release(const std::string& library, const std::optional<std::string>& slurm) {
  const auto built = release_of_plugin(library);
  if (!built) return {"plugin version", verdict::unknown, built.error().text(), ""};
  if (!slurm) {
    return {"plugin version", verdict::unknown,
            fmt::format("compiled for Slurm {}; Slurm's own version is not known", *built), ""};
  }
  if (series_of(*built) == series_of(*slurm)) {
    return {"plugin version", verdict::ok, fmt::format("compiled for Slurm {}", *built), ""};
  }
  return {"plugin version", verdict::wrong,
          fmt::format("compiled for Slurm {}, this is {}: Slurm does not load it", *built, *slurm),
          fmt::format("compile Berth with the headers of Slurm {}", *slurm)};
}

// The plugin starts them as root.
finding node_programs(const container::spank_line& line) {
  std::error_code none;
  auto helper = fs::read_symlink("/proc/self/exe", none).parent_path().parent_path() /
                "libexec/berth/berth-node";
  constexpr std::string_view key = "helper=";
  for (const auto& word : line.arguments) {
    if (word.starts_with(key)) helper = word.substr(key.size());
  }
  for (const auto* name : {"berth-node", "berth-unpack", "berth-stage", "berth-slurm"}) {
    const auto path = std::string_view(name) == "berth-node" ? helper : helper.parent_path() / name;
    if (::access(path.c_str(), X_OK) != 0) {
      auto why = fail_errno(fmt::format("cannot run \"{}\"", path.string())).value();
      return {"node helper", verdict::wrong, why.text(),
              "install Berth anew, or write helper=/PATH/berth-node in plugstack.conf"};
    }
    const auto facts = image::examine_path(path);
    if (facts && !facts->weakest.empty()) {
      return {"node helper", verdict::wrong,
              fmt::format("others than root can change \"{}\", which root runs", facts->weakest),
              "chown root and chmod go-w"};
    }
  }
  return {"node helper", verdict::ok, helper, ""};
}

// For --container-slurm.
finding commands(const std::string& conf) {
  auto place = container::usual_slurm_place();
  if (!place) return {"Slurm inside", verdict::note, place.error().text(), "put srun into PATH"};
  place->conf = conf;
  const auto files = container::find_slurm_files(*place);
  if (files) {
    return {
        "Slurm inside", verdict::ok,
        fmt::format("{} commands, {} libraries", files->programs.size(), files->libraries.size()),
        ""};
  }
  return {"Slurm inside", verdict::note, files.error().text() + ": --container-slurm does not work",
          "install Slurm's commands"};
}

void examine_plugin(const std::string& conf, const std::map<std::string, std::string>& config,
                    const std::optional<std::string>& slurm, std::vector<finding>& all) {
  const auto stack = container::plugstack_of(conf, config);
  auto lines = container::read_plugstack(stack);
  std::erase_if(lines,
                [](const auto& line) { return fs::path(line.library).filename() != plugin_name; });
  if (lines.empty()) {
    all.push_back({"plugin", verdict::wrong,
                   fmt::format("\"{}\" does not name {}: srun --container runs on the node itself",
                               stack, plugin_name),
                   fmt::format("add to it: required {}", plugin_name)});
    return;
  }
  const auto& line = lines.front();
  if (line.required) {
    all.push_back({"plugin", verdict::ok, fmt::format("required in \"{}\"", line.file), ""});
  } else {
    all.push_back(
        {"plugin", verdict::wrong,
         fmt::format("optional in \"{}\": where it fails, jobs run on the node itself", line.file),
         "write required instead of optional"});
  }
  all.push_back(node_programs(line));
  if (lines.size() > 1) {
    all.push_back({"plugin", verdict::wrong,
                   fmt::format("named again in \"{}\"", lines.back().file),
                   "name it once: it would be loaded twice"});
  }
  auto library = line.library;
  if (library.find('/') == std::string::npos) {
    const auto plugins = config.find("plugindir");
    const auto dirs = plugins == config.end()
                          ? std::vector<std::string>{"/usr/lib/x86_64-linux-gnu/slurm-wlm",
                                                     "/usr/lib/aarch64-linux-gnu/slurm-wlm",
                                                     "/usr/lib64/slurm", "/usr/lib/slurm"}
                          : split(plugins->second, ':');
    for (const auto& dir : dirs) {
      std::error_code none;
      if (fs::exists(fs::path(dir) / library, none)) library = fs::path(dir) / library;
    }
  }
  std::error_code none;
  if (!fs::exists(library, none)) {
    all.push_back({"plugin file", verdict::wrong, fmt::format("\"{}\" is not there", library),
                   "install Berth's plugin into Slurm's plugin folder"});
    return;
  }
  all.push_back(plugin_release(library, slurm));
}

finding munge() {
  const unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::string_view path = "/run/munge/munge.socket.2";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return {"munge", verdict::ok, "answers", ""};
  }
  const auto why = fail_errno(fmt::format("cannot reach \"{}\"", path));
  return {"munge", verdict::wrong, why.value().text(), "systemctl enable --now munge"};
}

finding pmix(const std::map<std::string, std::string>& config) {
  const auto given = config.find("plugindir");
  for (const auto& dir :
       split(given == config.end() ? "/usr/lib/x86_64-linux-gnu/slurm-wlm:"
                                     "/usr/lib/aarch64-linux-gnu/slurm-wlm:/usr/lib64/slurm:"
                                     "/usr/lib/slurm"
                                   : given->second,
             ':')) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(dir, none)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("mpi_pmix") && name.ends_with(".so")) {
        return {"PMIx", verdict::ok, entry.path().string(), ""};
      }
    }
  }
  return {"PMIx", verdict::note, "Slurm has no PMIx plugin: srun --mpi=pmix does not work",
          "install Slurm's MPI plugins, built with libpmix"};
}

std::string value_of(const std::map<std::string, std::string>& config, const std::string& key,
                     const char* missing) {
  const auto found = config.find(key);
  return found == config.end() ? missing : found->second;
}

void examine_cgroups(const std::map<std::string, std::string>& config, std::vector<finding>& all) {
  std::error_code none;
  const bool second = fs::exists("/sys/fs/cgroup/cgroup.controllers", none);
  all.push_back({"cgroups", verdict::ok, second ? "version 2" : "version 1", ""});
  const auto tracking = value_of(config, "proctracktype", "proctrack/cgroup");
  if (tracking.find("cgroup") == std::string::npos) {
    all.push_back({"process tracking", verdict::note,
                   tracking + ": processes of a step can outlive it",
                   "ProctrackType=proctrack/cgroup"});
  }
  const auto tasks = value_of(config, "taskplugin", "task/none");
  if (tasks.find("cgroup") == std::string::npos) {
    all.push_back({"task plugin", verdict::note,
                   tasks + ": steps are not fenced into their cores, Berth alone pins",
                   "TaskPlugin=task/affinity,task/cgroup and ConstrainCores=yes in cgroup.conf"});
  }
}

}  // namespace

std::vector<finding> examine_slurm(const doctor_paths& where) {
  std::vector<finding> all;
  const auto slurm = slurm_release();
  if (!slurm) {
    all.push_back({"Slurm", verdict::note, "neither slurmd nor scontrol can be run",
                   "needed for srun --container; berth run works without"});
    return all;
  }
  all.push_back({"Slurm", verdict::ok, *slurm, ""});
  if (::access(where.slurm_conf.c_str(), R_OK) != 0) {
    auto why = fail_errno(fmt::format("cannot read \"{}\"", where.slurm_conf)).value();
    all.push_back({"slurm.conf", verdict::unknown, why.text(),
                   "--slurm-conf or SLURM_CONF says where it is; a configless node has it below "
                   "/run/slurm/conf"});
    return all;
  }
  const auto config = container::read_slurm_conf(where.slurm_conf);
  const auto folder = fs::path(where.slurm_conf).parent_path().string();
  examine_plugin(where.slurm_conf, config, slurm, all);
  std::error_code none;
  if (fs::exists(folder + "/oci.conf", none)) {
    all.push_back({"oci.conf", verdict::wrong,
                   fmt::format("\"{}/oci.conf\" is there: Slurm takes --container itself", folder),
                   "remove it, or the plugin: site-configs/oci has both ways"});
  }
  all.push_back(commands(where.slurm_conf));
  all.push_back(munge());
  all.push_back(pmix(config));
  examine_cgroups(config, all);
  return all;
}

}  // namespace berth::cli
