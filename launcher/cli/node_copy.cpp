#include "cli/node_copy.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/subprocess.hpp"
#include "cli/node_talk.hpp"
#include "cli/run_folder.hpp"
#include "container/staged.hpp"
#include "container/unprivileged.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

// Hashing takes the user's rights and CPUs; what was compared once is not read again while nobody
// writes to it.
result<void> compare_digest(const staged_copy& copy, const image_file& file, std::uint32_t job,
                            const identity& user) {
  constexpr std::chrono::minutes patience{10};
  const auto stamp = stamp_of(file.fd.get());
  if (!stamp) return failure(stamp.error());
  const auto kept = fmt::format("{}/{}{}", run_folder, staged_prefix(job), copy.digest);
  const bool usable = usable_run_folder(run_folder);
  if (usable && is_kept(kept) && find_kept(kept, *stamp)) return {};
  const auto self = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "berth-stage";
  if (auto told = ask_for_patience(); !told) return told;
  auto found = run_unprivileged(user, patience, [&] {
    return run_ok({{self.string(), "digest", copy.path}, {}, {}});
  });
  if (!found) return pass(std::move(found), "staged copy");
  if (*found != copy.digest) {
    return fail(
        fmt::format("the staged copy \"{}\" is not the image: it was changed after it was "
                    "copied; start the step in a new job",
                    copy.path));
  }
  if (usable) static_cast<void>(keep(kept, *stamp));
  return {};
}

}  // namespace

result<image_file> open_job_copy(const node_request& request, const site::config& rules) {
  const auto copy = parse_staged(request.staged);
  if (!copy) return failure(copy.error());
  auto original = open_image(request.image, request.submit_dir, rules.images.folders, request.user);
  if (!original) return original;
  auto file = open_staged(*copy, *original, rules, request.job.id, request.user);
  if (!file) return pass(std::move(file), fmt::format("image \"{}\"", original->path));
  auto same = compare_digest(*copy, *file, request.job.id, request.user);
  if (!same) return pass(std::move(same), fmt::format("image \"{}\"", original->path));
  return file;
}

}  // namespace berth::cli
