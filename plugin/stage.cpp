#include "plugin/stage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "container/container_options.hpp"
#include "container/staged.hpp"
#include "image/shared_file_system.hpp"
#include "plugin/job_info.hpp"
#include "plugin/slurm_config.hpp"

namespace berth::plugin {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::string stage_program(const settings& site) {
  return fs::path(site.helper).parent_path() / "berth-stage";
}

// Spares most steps a program: the site's file is only read where a copy is possible at all.
bool may_be_wanted(const std::string& image, container::stage_choice choice, std::uint32_t nodes) {
  if (choice != container::stage_choice::any) return choice == container::stage_choice::always;
  if (nodes < 2) return false;
  const unique_fd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const auto shared = fd ? image::shared_file_system(fd.get()) : failure(error("not here"));
  return shared && !shared->empty();
}

result<std::string> number_of(spank_t sp, spank_item item, const char* name) {
  std::uint32_t value = 0;
  if (spank_get_item(sp, item, &value) == ESPANK_SUCCESS) return fmt::format("{}", value);
  if (auto known = variable(name)) return std::move(*known);
  return fail(fmt::format("{} is not known", name));
}

result<std::string> make_copies(spank_t sp, const settings& site, const std::string& image,
                                const std::string& choice, const std::string& nodes) {
  const auto job = number_of(sp, S_JOB_ID, "SLURM_JOB_ID");
  if (!job) return failure(job.error());
  const auto end = run({{stage_program(site), "copy", site.site_file, choice, *job, nodes, image},
                        current_environment(),
                        {}});
  if (!end) return failure(end.error());
  if (end->exit_code == 0) return end->out;
  auto text = end->err.substr(0, end->err.find('\n'));
  constexpr std::string_view ours = "berth: ";
  if (text.starts_with(ours)) text.erase(0, ours.size());
  return fail(text.empty() ? "the copying was ended" : text);
}

// Prints other jobs that may be over.
result<std::string> clean(const settings& site, const std::vector<std::string>& jobs) {
  command cleaning{
      {stage_program(site), "clean", site.site_file}, {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, {}};
  cleaning.argv.insert(cleaning.argv.end(), jobs.begin(), jobs.end());
  return run_ok(cleaning);
}

}  // namespace

result<void> stage_image(spank_t sp, const settings& site) {
  const auto begin = std::chrono::steady_clock::now();
  const auto image = variable(image_variable);
  if (!image || *image == no_image || *image == container::existing_image || has_oci_conf() ||
      variable(attach_variable))
    return {};
  const auto chosen = container::choices_on_the_way(variable);
  const auto options = chosen ? container::parse_options(*chosen, "/") : failure(chosen.error());
  if (!options) return failure(options.error());
  const auto nodes = number_of(sp, S_JOB_NNODES, "SLURM_NNODES").value_or("1");
  const auto count = static_cast<std::uint32_t>(std::strtoul(nodes.c_str(), nullptr, 10));
  if (!may_be_wanted(*image, options->stage, count)) return {};
  const bool insists = options->stage == container::stage_choice::always;
  const auto copy = make_copies(sp, site, *image, insists ? "always" : "auto", nodes);
  if (!copy && insists) return failure(copy.error());
  if (!copy) {
    slurm_error("berth: %s; the nodes read the image itself", copy.error().text().c_str());
    return {};
  }
  if (copy->empty()) return {};
  ::setenv(staged_variable, copy->c_str(), 1);
  if (!options->timing) return {};
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  return write_all(STDERR_FILENO, fmt::format("berth: image staged on {} nodes in {:.1f} ms\n",
                                              nodes, spent.count()));
}

result<void> remove_staged(spank_t sp, const settings& site) {
  const auto job = number_of(sp, S_JOB_ID, "SLURM_JOB_ID");
  if (!job) return failure(job.error());
  auto doubtful = clean(site, {*job});
  if (!doubtful) return pass(std::move(doubtful));
  const auto over = over_among(*doubtful);
  if (over.empty()) return {};
  doubtful = clean(site, over);
  return doubtful ? result<void>() : pass(std::move(doubtful));
}

}  // namespace berth::plugin
