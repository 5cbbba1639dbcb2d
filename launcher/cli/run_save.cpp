#include "cli/run_save.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "container/entry.hpp"

namespace berth::cli {
namespace {

constexpr const char* own_space = "/proc/self/ns/mnt";

// Installed in libexec; in a build tree all programs are in one folder.
result<std::string> helper(const char* name) {
  std::error_code code;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
  for (const auto* folder : {".", "../libexec/berth"}) {
    const auto path = (here / folder / name).lexically_normal().string();
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return fail(fmt::format("--container-save: {} is not beside \"{}\"; install Berth anew", name,
                          here.string()));
}

}  // namespace

result<run_save> run_save::prepare(const std::string& path) {
  const auto saver = helper("berth-save");
  if (!saver) return failure(saver.error());
  const auto parent = helper("berth-entry");
  if (!parent) return failure(parent.error());
  unique_fd entry(::open(parent->c_str(), O_PATH | O_CLOEXEC));
  if (!entry) return fail_errno(fmt::format("cannot open \"{}\"", *parent));
  unique_fd outside(::open(own_space, O_RDONLY | O_CLOEXEC));
  if (!outside) return fail_errno(fmt::format("cannot open \"{}\"", own_space));
  auto link = container::save_link::create(*saver, path);
  if (!link) return pass(std::move(link));
  return run_save(std::move(*link), std::move(entry), std::move(outside));
}

result<void> run_save::start(const container::identity& builder) {
  const unique_fd inside(::open(own_space, O_RDONLY | O_CLOEXEC));
  if (!inside || ::setns(outside_.get(), CLONE_NEWNS) != 0) {
    return fail_errno("--container-save: cannot leave the container");
  }
  auto started = link_.start(builder, inside.get(), -1);
  if (::setns(inside.get(), CLONE_NEWNS) != 0) {
    return fail_errno("--container-save: cannot go back to the container");
  }
  if (!started) return pass(std::move(started), "--container-save");
  return {};
}

result<void> run_save::run(const std::string& file, const std::vector<std::string>& words) const {
  auto descriptors = link_.hand_over();
  if (!descriptors) return pass(std::move(descriptors));
  std::vector<std::string> whole{file};
  whole.insert(whole.end(), words.begin(), words.end());
  ::setenv(container::save_variable, descriptors->c_str(), 1);
  ::setenv(container::entry_variable, container::encode_words(whole).c_str(), 1);
  const std::array<const char*, 2> argv{"berth-entry", nullptr};
  ::execveat(entry_.get(), "", const_cast<char* const*>(argv.data()), environ, AT_EMPTY_PATH);
  return fail_errno("--container-save: cannot run berth-entry");
}

}  // namespace berth::cli
