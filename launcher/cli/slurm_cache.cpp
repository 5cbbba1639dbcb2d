#include "cli/slurm_cache.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;
using container::slurm_files;

// The file is a signature of the files that it names, an empty line, and their list.
constexpr const char* end_of_signature = "\n\n";

std::optional<slurm_files> find(const std::string& file, const container::slurm_place& place) {
  const auto kept = is_kept(file) ? find_kept(file, "") : std::nullopt;
  const auto end = kept ? kept->find(end_of_signature) : std::string::npos;
  if (end == std::string::npos) return std::nullopt;
  auto files = container::decode_slurm_files(std::string_view(*kept).substr(end + 2));
  if (!files || files->place != place) return std::nullopt;
  if (container::signature_of(*files) != kept->substr(0, end + 1)) return std::nullopt;
  return std::move(*files);
}

// Installed in libexec; in a build tree all programs are in one folder.
result<std::string> starter() {
  std::error_code code;
  const auto here = fs::read_symlink("/proc/self/exe", code).parent_path();
  for (const auto* folder : {".", "../libexec/berth"}) {
    const auto path = (here / folder / "berth-slurm").lexically_normal().string();
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return fail(fmt::format("--container-slurm: berth-slurm is not beside \"{}\"; install Berth anew",
                          here.string()));
}

}  // namespace

result<slurm_files> cached_slurm_files(const container::slurm_place& place,
                                       const std::string& folder) {
  const auto file = folder + "/slurm";
  const bool root = ::geteuid() == 0 && usable_run_folder(folder);
  if (auto cached = find(file, place)) return std::move(*cached);
  auto found = container::find_slurm_files(place);
  if (!found) return pass(std::move(found), "--container-slurm");
  // A list that cannot be kept is found again.
  if (root) {
    static_cast<void>(
        keep(file, container::signature_of(*found) + '\n' + container::encode(*found)));
  }
  return found;
}

result<std::vector<container::bind>> slurm_binds(const container::slurm_place& place) {
  const auto program = starter();
  if (!program) return failure(program.error());
  const auto files = cached_slurm_files(place);
  if (!files) return failure(files.error());
  return container::plan_slurm(*files, *program);
}

result<slurm_mounts> slurm_where_asked(const container::container_options& options,
                                       const site::config& rules) {
  slurm_mounts mounts;
  if (!options.slurm.value_or(rules.slurm_inside)) return mounts;
  const auto place = container::usual_slurm_place();
  if (!place) return failure(place.error());
  auto binds = slurm_binds(*place);
  if (!binds) return pass(std::move(binds));
  mounts.binds = std::move(*binds);
  mounts.conf = place->conf;
  return mounts;
}

}  // namespace berth::cli
