#include "container/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "image/elf.hpp"

namespace berth::container {
namespace {

bool runnable(const std::string& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(file.c_str(), X_OK) == 0;
}

result<std::string> search(const std::string& name, const std::string& path) {
  for (const auto& folder : split(path, ':')) {
    auto candidate = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    if (runnable(candidate)) return candidate;
  }
  return failure(error(fmt::format("command \"{}\"", name),
                       std::make_error_code(std::errc::no_such_file_or_directory))
                     .with_hint(fmt::format("searched PATH={}", path)));
}

result<std::string> check_path(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return fail_errno(fmt::format("command \"{}\"", file));
  if (runnable(file)) return file;
  auto denied = fail_errno(fmt::format("command \"{}\"", file), EACCES);
  return failure(std::move(denied.value()).with_hint("it must be an executable file: chmod +x"));
}

}  // namespace

result<std::string> find_command(const std::string& name, const std::string& path) {
  auto found = name.find('/') == std::string::npos ? search(name, path) : check_path(name);
  if (!found) return found;
  // A program that may be run but not read cannot be checked here; execve will tell.
  const unique_fd fd(::open(found->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return found;
  if (auto fits = image::check_executable(fd.get()); !fits) {
    return fail_errno(fmt::format("command \"{}\" {}", *found, fits.error().text()), ENOEXEC);
  }
  return found;
}

}  // namespace berth::container
