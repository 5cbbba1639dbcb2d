#include "cli/output_file.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace berth::cli {

namespace fs = std::filesystem;

result<void> check_output(const std::string& path, bool force) {
  std::error_code code;
  const auto status = fs::symlink_status(path, code);
  if (!fs::exists(status)) return {};
  if (fs::is_directory(path)) return fail(fmt::format("cannot write \"{}\": it is a folder", path));
  if (!force) return fail(fmt::format("\"{}\" exists already; --force replaces it", path));
  if (fs::is_symlink(status) || fs::is_regular_file(status)) return {};
  return fail(fmt::format("cannot write \"{}\": it is not a regular file", path));
}

}  // namespace berth::cli
