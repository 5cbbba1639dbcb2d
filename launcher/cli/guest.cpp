#include "cli/guest.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "base/file.hpp"
#include "container/unprivileged.hpp"
#include "container/wire.hpp"
#include "image/enroot_files.hpp"
#include "image/metadata.hpp"

namespace berth::cli {
namespace {

constexpr std::chrono::seconds patience{10};

result<image::image_metadata> read_metadata() {
  const auto text = read_file(std::string(image::metadata_path), image::metadata_size_limit);
  // An image that was not made by berth has none.
  if (!text && text.error().code() == std::errc::no_such_file_or_directory) {
    return image::image_metadata{};
  }
  if (!text) return failure(text.error());
  return image::parse_metadata(*text);
}

// An image that enroot made keeps its entrypoint in a script, which runs what follows it.
void read_enroot_script(image::image_metadata& into) {
  constexpr const char* script = "/etc/rc";
  struct stat info {};
  if (!into.entrypoint.empty() || ::stat(script, &info) != 0 || !S_ISREG(info.st_mode)) return;
  into.entrypoint = {"/bin/sh", script};
}

struct variables_file {
  std::vector<std::string> templates;
  std::vector<std::string> warnings;
};

variables_file read_enroot_environment() {
  const auto warning = [](const std::string& reason) {
    return std::vector{fmt::format("the image's {}: {}", image::environment_path, reason)};
  };
  const auto text = read_file(image::environment_path, image::enroot_file_limit);
  if (!text && text.error().code() == std::errc::no_such_file_or_directory) return {};
  if (!text) return {{}, warning(text.error().text())};
  auto parsed = image::parse_environment(*text);
  const auto& problems = parsed.problems;
  if (problems.empty()) return {std::move(parsed.entries), {}};
  const auto more = problems.size() == 1
                        ? std::string()
                        : fmt::format(" (and {} more like it)", problems.size() - 1);
  return {std::move(parsed.entries), warning(problems.front() + more)};
}

result<std::string> look_around(const workdir_choice& where) {
  auto metadata = read_metadata();
  if (!metadata) return pass(std::move(metadata));
  std::vector<std::string> candidates{metadata->workdir, "/"};
  if (where.rule == site::workdir_rule::submit) {
    candidates.insert(candidates.begin(), where.submit_dir);
  }
  if (!where.wanted.empty()) candidates = {where.wanted};
  read_enroot_script(*metadata);
  container::wire_writer out;
  const auto variables = read_enroot_environment();
  for (const auto& words : {metadata->env, variables.templates, metadata->entrypoint, metadata->cmd,
                            variables.warnings}) {
    out.texts(words);
  }
  for (const auto& folder : candidates) {
    if (folder.empty() || ::chdir(folder.c_str()) != 0) continue;
    out.text(folder);
    return out.take();
  }
  if (!where.wanted.empty()) {
    auto refused =
        fail_errno(fmt::format("--container-workdir: cannot enter \"{}\"", where.wanted));
    return failure(std::move(refused.value()).with_hint("name a folder of the container"));
  }
  return fail("no folder to start in: not even \"/\" can be entered");
}

}  // namespace

result<guest_facts> ask_guest(const container::identity& user, const workdir_choice& where) {
  const auto answer =
      container::run_unprivileged(user, patience, [&] { return look_around(where); });
  if (!answer) return failure(answer.error());
  container::wire_reader in(*answer);
  guest_facts facts;
  facts.environment = in.texts();
  facts.templates = in.texts();
  facts.entrypoint = in.texts();
  facts.command = in.texts();
  facts.warnings = in.texts();
  facts.workdir = in.text();
  if (auto whole = in.finish(); !whole) return pass(std::move(whole));
  return facts;
}

}  // namespace berth::cli
