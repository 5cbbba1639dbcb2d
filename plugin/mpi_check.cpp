#include "plugin/mpi_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "container/mpi_plan.hpp"
#include "image/find.hpp"
#include "image/mpi.hpp"
#include "plugin/slurm.hpp"
#include "plugin/slurm_config.hpp"
#include "plugin/srun_words.hpp"
#include "plugin/step.hpp"

namespace berth::plugin {
namespace {

namespace fs = std::filesystem;

using paths = std::vector<std::string>;

constexpr std::size_t cache_slots = 64;
constexpr std::size_t cache_limit = std::size_t{256} << 10;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// The same file with the same content: nobody can set a time of change.
std::string identity_of(const struct stat& info) {
  return fmt::format("{} {} {} {}.{:09} {}.{:09}", info.st_dev, info.st_ino, info.st_size,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec,
                     info.st_ctim.tv_nsec);
}

// A fixed number of files, so that nothing has to be cleaned up.
std::string cache_slot(const std::string& identity) {
  const auto folder = variable("XDG_CACHE_HOME");
  const auto home = variable("HOME");
  if (!folder && !home) return {};
  const auto slot = std::hash<std::string>{}(identity) % cache_slots;
  return fmt::format("{}/berth/mpi/{}", folder ? *folder : *home + "/.cache", slot);
}

std::optional<paths> remembered(const std::string& slot, const std::string& identity) {
  const auto text =
      slot.empty() ? pass(result<std::string>(fail(""))) : read_file(slot, cache_limit);
  if (!text) return std::nullopt;
  auto lines = split(*text, '\n');
  if (lines.front() != identity) return std::nullopt;
  lines.erase(lines.begin());
  return lines;
}

void remember(const std::string& slot, const std::string& identity, const paths& found) {
  if (slot.empty()) return;
  std::error_code code;
  // Unpacked images are kept there too, and nobody else may enter.
  const auto folder = fs::path(slot).parent_path();
  fs::create_directories(folder.parent_path().parent_path(), code);
  ::mkdir(folder.parent_path().c_str(), 0700);
  ::mkdir(folder.c_str(), 0700);
  auto file = atomic_file::create(slot);
  if (!file) return;
  const auto text = fmt::format("{}\n{}", identity, fmt::join(found, "\n"));
  if (text.size() > cache_limit || !write_all(file->fd(), text)) return;
  static_cast<void>(file->commit());
}

result<paths> mpi_files(const std::string& image) {
  const unique_fd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno("cannot open");
  const auto identity = identity_of(info);
  const auto slot = cache_slot(identity);
  if (auto known = remembered(slot, identity)) return std::move(*known);
  const auto content = image::recognise(fd.get());
  if (!content) return failure(content.error());
  auto found = image::find_files(fd.get(), image, *content, image::mpi_places());
  if (found) remember(slot, identity, *found);
  return found;
}

std::string chosen_mpi(const paths& options) {
  if (const auto given = option_value(options, "--mpi")) return *given;
  return variable("SLURM_MPI_TYPE").value_or(default_mpi());
}

container::host_mpi host_mpi(const std::string& chosen) {
  paths files;
  std::error_code code;
  for (fs::directory_iterator entry(plugin_folder(), code), end; !code && entry != end;
       entry.increment(code)) {
    files.push_back(entry->path().filename());
  }
  return container::host_from(chosen, files);
}

}  // namespace

void check_mpi(const std::string& image) {
  const auto options = option_words_of_srun();
  if (!starts_several_tasks(options, variable)) return;
  const auto files = mpi_files(image);
  if (!files) {
    slurm_debug("berth: cannot look for MPI in image \"%s\": %s, ignoring", image.c_str(),
                one_line(files.error().text()).c_str());
    return;
  }
  const auto facts = image::recognise_mpi(*files);
  if (facts.libraries.empty()) return;
  const auto plan = container::plan_mpi(facts, host_mpi(chosen_mpi(options)),
                                        variable("I_MPI_PMI_LIBRARY").has_value());
  for (const auto& edit : plan.environment) {
    if (edit.value) ::setenv(edit.name.c_str(), edit.value->c_str(), 0);
  }
  if (plan.warning.empty()) return;
  slurm_info("berth: warning: image \"%s\": %s", one_line(image).c_str(),
             one_line(plan.warning).c_str());
}

std::string slurm_mpi() {
  return fmt::format("{}:{}", chosen_mpi(option_words_of_srun()), plugin_folder());
}

}  // namespace berth::plugin
