#include "cli/explain.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/subprocess.hpp"
#include "binding/site_process.hpp"
#include "cli/explain_enroot.hpp"
#include "cli/explain_libraries.hpp"
#include "cli/explanation.hpp"
#include "cli/image_facts.hpp"
#include "cli/report.hpp"
#include "cli/slurm_cache.hpp"
#include "container/backend.hpp"
#include "container/environment.hpp"
#include "container/id_map.hpp"
#include "container/image_file.hpp"
#include "container/plan.hpp"
#include "image/shared_file_system.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;
namespace fs = std::filesystem;

reasoned explain_backend(const explain_request& request, const image_facts& image, bool trusted) {
  const auto distrust =
      image.trust.weakest.empty()
          ? std::string("the image is in no trusted folder of the site")
          : fmt::format("others than root can change \"{}\"", image.trust.weakest);
  // Which ids exist is the node's to say; here the lists of this machine are read.
  const auto user = current_identity();
  const auto* entry = ::getpwuid(user.uid);
  const bool several =
      request.step && id_map_of(user, entry == nullptr ? "" : entry->pw_name).several;
  const auto chosen =
      choose_backend(request.options.backend, {image::kind_of(image.content), request.step, trusted,
                                               request.options.remap_root, several, distrust});
  if (!chosen) return {"none", chosen.error().text()};
  return {std::string(name_of(chosen->way)), chosen->why};
}

reasoned choose_workdir(const explain_request& request, const site::config& rules,
                        const explanation& all, const std::string& here) {
  if (!request.options.workdir.empty()) return {request.options.workdir, "--container-workdir"};
  if (rules.workdir == site::workdir_rule::submit && shows(all.mounts, here)) {
    return {here, "submit directory"};
  }
  const auto& metadata = all.image.metadata;
  if (metadata && !metadata->workdir.empty()) return {metadata->workdir, "image"};
  return {"/", "default"};
}

reasoned choose_pin(const explain_request& request, const site::config& rules) {
  if (!request.pin.empty()) return {request.pin, "--pin"};
  if (request.step) return {rules.pin, "site"};
  return {"none", "berth run pins with --pin only"};
}

reasoned choose_user(const explain_request& request) {
  const auto uid = current_identity().uid;
  if (!request.options.remap_root || uid == 0) return {fmt::format("{}", uid), "default"};
  return {fmt::format("0, outside {}", uid), "--container-remap-root"};
}

// What becomes of what is written to the root.
reasoned choose_end(const explain_request& request) {
  const auto& options = request.options;
  if (!options.writable) return {"read-only", "--container-readonly"};
  if (!options.save.empty()) {
    return {fmt::format("written to \"{}\" at the step's end", options.save), "--container-save"};
  }
  if (options.name.text.empty()) return {"thrown away", "default"};
  if (!request.step) {
    return {fmt::format("kept on disk as \"{0}\" until: berth rm {0}", options.name.text),
            "--container-name"};
  }
  return {fmt::format("kept for the job as \"{}\"", options.name.text), "--container-name"};
}

reasoned choose_entrypoint(const explain_request& request, const image_facts& image,
                           bool has_script) {
  if (!request.options.entrypoint) return {"none", "--container-entrypoint is not given"};
  const auto& metadata = image.metadata;
  if (!metadata || metadata->entrypoint.empty()) {
    if (has_script) return {"/bin/sh /etc/rc", "image"};
    return {"none", "the image has none"};
  }
  return {fmt::format("{}", fmt::join(metadata->entrypoint, " ")), "image"};
}

std::vector<std::string> find_warnings(const explanation& all, const image_file& file) {
  std::vector<std::string> warnings;
  const auto& image = all.image;
  const auto host = image::host_architecture();
  if (!image.metadata) {
    warnings.push_back(image.metadata_problem.empty()
                           ? "the image has no metadata of berth: its variables and its working "
                             "directory are unknown"
                           : image.metadata_problem);
  } else if (image.metadata->architecture != host) {
    warnings.push_back(
        fmt::format("the image is for {}, this machine is {}", image.metadata->architecture, host));
  }
  for (const auto& mount : all.mounts) {
    std::error_code code;
    if (mount.kind == mount_kind::bind && mount.required && !fs::exists(mount.source, code)) {
      warnings.push_back(fmt::format("mount source \"{}\" ({}) is not on this machine",
                                     mount.source, mount.origin));
    }
  }
  for (auto& warning : library_warnings(image, file.fd.get(), all.mounts)) {
    warnings.push_back(std::move(warning));
  }
  if (!all.mpi.plan.warning.empty()) warnings.push_back(all.mpi.plan.warning);
  if (const auto network = image::shared_file_system(file.fd.get()); network && !network->empty()) {
    warnings.push_back(fmt::format(
        "the image is on a shared file system ({}), and each node reads it there", *network));
  }
  if (all.backend.what == "none") {
    warnings.push_back("the container would be refused: " + all.backend.why);
  }
  return warnings;
}

result<explanation> gather(const explain_request& request) {
  const auto here = fs::current_path().string();
  auto site = lua::site_process::start_or_default(request.site_file);
  if (!site) return pass(std::move(site));
  const auto& rules = site->config();
  const auto file = open_image(request.image, here, rules.images.folders, current_identity());
  if (!file) return failure(file.error());
  auto image = gather_facts(file->path);
  if (!image) return pass(std::move(image));
  explanation all;
  all.image = std::move(*image);
  all.backend = explain_backend(request, all.image, is_trusted(*file, rules.images.trusted));
  const char* home = std::getenv("HOME");
  const auto& options = request.options;
  auto slurm = slurm_where_asked(options, rules);
  if (!slurm) return pass(std::move(slurm));
  auto configured = read_enroot_files(all.image, file->fd.get(), options.mounts);
  all.mounts = plan_binds({home == nullptr ? "" : home,
                           here,
                           {},
                           options.mount_home,
                           options.mounts,
                           options.remap_root,
                           std::move(slurm->binds),
                           std::move(configured.mounts)},
                          rules.mounts);
  const auto& metadata = all.image.metadata;
  all.environment =
      plan_environment(current_environment(),
                       image_variables(metadata ? metadata->env : std::vector<std::string>{},
                                       configured.templates, current_environment()),
                       rules.environment, options.environment);
  if (!slurm->conf.empty()) add_slurm(all.environment, current_environment(), slurm->conf);
  auto mpi = image::find_mpi(file->fd.get(), all.image.path, all.image.content);
  if (!mpi) return pass(std::move(mpi), fmt::format("image \"{}\"", file->path));
  const auto pmi = std::string_view("I_MPI_PMI_LIBRARY");
  all.mpi = explain_mpi(
      std::move(*mpi), request.mpi,
      find_variable(current_environment(), pmi) || (metadata && find_variable(metadata->env, pmi)));
  for (const auto& edit : all.mpi.plan.environment) all.environment.push_back(edit);
  all.workdir = choose_workdir(request, rules, all, here);
  all.pin = choose_pin(request, rules);
  all.entrypoint = choose_entrypoint(request, all.image, configured.script);
  all.user = choose_user(request);
  all.root = choose_end(request);
  all.warnings = find_warnings(all, *file);
  for (const auto& warning : configured.warnings) all.warnings.push_back(warning);
  auto placement =
      plan_pin(request.pin.empty() && !request.step ? "none" : all.pin.what, request.tasks);
  if (placement) {
    all.placement = std::move(*placement);
  } else {
    all.warnings.push_back(fmt::format("pinning on this machine: {}", placement.error().text()));
  }
  return all;
}

}  // namespace

int explain(const explain_request& request) {
  const auto all = gather(request);
  if (!all) return report(all.error(), 2);
  if (request.json) {
    print_json(*all);
  } else {
    print_text(*all);
  }
  return 0;
}

}  // namespace berth::cli
