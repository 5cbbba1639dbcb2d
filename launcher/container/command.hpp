#pragma once
#include <string>

#include "base/error.hpp"

namespace berth::container {

/// Finds what execve would run for `name` in the current root and working directory, as Slurm and
/// shells do: a name with a slash is a path, any other is looked up along `path` (a PATH value).
/// Returns the path. Errors carry the code that execve would give (ENOENT, EACCES, ENOEXEC): not
/// found (naming the PATH searched), not executable, or a program for another architecture.
result<std::string> find_command(const std::string& name, const std::string& path);

}  // namespace berth::container
