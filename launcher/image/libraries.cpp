#include "image/libraries.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "image/elf.hpp"
#include "image/metadata.hpp"

namespace berth::image {
namespace {

bool of_the_system(std::string_view path) {
  constexpr std::array<std::string_view, 5> folders{"/usr/", "/lib/", "/lib64/", "/lib32/",
                                                    "/opt/"};
  return std::any_of(folders.begin(), folders.end(),
                     [&](std::string_view folder) { return path.starts_with(folder); });
}

// The user's LD_LIBRARY_PATH counts, as it does when the program runs; a preloaded library is not
// the program's own.
std::vector<std::string> loader_environment() {
  auto env = current_environment();
  std::erase_if(env, [](const std::string& entry) {
    return entry.starts_with("LD_PRELOAD=") || entry.starts_with("LD_DEBUG") ||
           entry.starts_with("LD_TRACE_");
  });
  env.emplace_back("LD_TRACE_LOADED_OBJECTS=1");
  return env;
}

// glibc's --list stops at the first missing library; its variable, which ldd uses too, goes on and
// says "not found". musl only has --list.
std::vector<std::string> listing_command(const std::string& loader, const std::string& program) {
  if (loader.find("ld-musl") != std::string::npos) return {loader, "--list", program};
  return {loader, program};
}

result<std::optional<elf_facts>> facts_of(const std::string& path) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", path));
  auto facts = read_elf(fd.get());
  if (!facts) return pass(std::move(facts), fmt::format("\"{}\"", path));
  if (!*facts) return facts;
  if (auto runs = check_executable(fd.get()); !runs) {
    return pass(std::move(runs), fmt::format("\"{}\"", path));
  }
  return facts;
}

}  // namespace

std::vector<library> parse_loader_list(const std::string& output) {
  constexpr std::string_view arrow = " => ";
  std::vector<library> list;
  for (const auto& line : split(output, '\n')) {
    const auto text = trim(line);
    const auto middle = text.find(arrow);
    if (middle == std::string_view::npos) continue;
    const auto name = text.substr(0, middle);
    auto path = text.substr(middle + arrow.size());
    path = path.substr(0, path.rfind(" (0x"));
    list.push_back({std::string(name), path.starts_with('/') ? std::string(path) : std::string()});
  }
  return list;
}

result<void> library_closure::place(const library& one) {
  if (one.name.find('/') != std::string::npos || of_the_system(one.path)) {
    return tree_.mirror(one.path);
  }
  return tree_.copy(std::filesystem::canonical(one.path).string(),
                    fmt::format("{}/{}", private_library_folder, one.name));
}

result<void> library_closure::add(const std::string& path) {
  const auto facts = facts_of(path);
  if (!facts) return failure(facts.error());
  if (!*facts || !(*facts)->dynamic) return {};
  const auto& interpreter = (*facts)->interpreter;
  if (loader_.empty()) loader_ = interpreter;
  if (!interpreter.empty()) {
    if (auto done = tree_.mirror(interpreter); !done) return done;
  }
  const auto& needed = (*facts)->needed;
  if (std::all_of(needed.begin(), needed.end(),
                  [this](const std::string& name) { return found_.contains(name); })) {
    return {};
  }
  const auto& loader = interpreter.empty() ? loader_ : interpreter;
  if (loader.empty()) return {};
  const auto listed = run({listing_command(loader, path), loader_environment(), {}});
  if (!listed) return failure(listed.error());
  const auto libraries = parse_loader_list(listed->out);
  for (const auto& one : libraries) {
    if (one.path.empty()) {
      return fail(
          fmt::format("\"{}\" needs the library \"{}\", which is not found; install it or "
                      "add its folder to LD_LIBRARY_PATH",
                      path, one.name));
    }
    if (!found_.try_emplace(one.name, one.path).second) continue;
    if (auto done = place(one); !done) return done;
  }
  if (listed->exit_code == 0 || !libraries.empty()) return {};
  return fail(fmt::format("cannot list the libraries of \"{}\": {}", path, trim(listed->err)));
}

}  // namespace berth::image
