#include "cli/image_facts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <variant>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/unique_fd.hpp"
#include "image/erofs_reader.hpp"

namespace berth::cli {
namespace {

// The text of the metadata file, empty for an image of another tool, which has none.
using metadata_text = result<std::string>;

// Nothing is mounted: unsquashfs unpacks the one small file to its standard output.
metadata_text read_inside(const image::superblock&, const std::string& path, int) {
  const std::string inside(image::metadata_path.substr(1));
  auto printed = run({{"unsquashfs", "-cat", path, inside}, current_environment(), {}});
  if (!printed) {
    return failure(std::move(printed).error().with_hint("install the package squashfs-tools"));
  }
  return printed->exit_code == 0 ? std::move(printed->out) : std::string();
}

metadata_text read_inside(const image::erofs_superblock& block, const std::string&, int fd) {
  const image::erofs_reader reader(fd, block);
  const auto file = reader.find(image::metadata_path);
  if (file) return reader.content(*file, image::metadata_size_limit);
  if (file.error().code() == std::errc::no_such_file_or_directory) return std::string();
  return failure(file.error());
}

metadata_text read_inside(const image::unpacked&, const std::string& path, int) {
  auto text = read_file(path + std::string(image::metadata_path), image::metadata_size_limit);
  if (text || text.error().code() != std::errc::no_such_file_or_directory) return text;
  return std::string();
}

void read_metadata(image_facts& known, int fd) {
  const auto text = std::visit(
      [&](const auto& content) { return read_inside(content, known.path, fd); }, known.content);
  if (text && text->empty()) return;
  auto parsed = text ? image::parse_metadata(*text) : pass(metadata_text(text));
  if (parsed) {
    known.metadata = std::move(*parsed);
  } else {
    known.metadata_problem = fmt::format("\"{}\" {}", image::metadata_path, parsed.error().text());
  }
}

}  // namespace

result<image_facts> gather_facts(const std::string& path) {
  const auto named = fmt::format("image \"{}\"", path);
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return fail_errno(fmt::format("{}: cannot open", named));
  auto content = image::recognise(fd.get());
  if (!content) return pass(std::move(content), named);
  auto trust = image::examine_path(path);
  if (!trust) return pass(std::move(trust), named);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("{}: cannot stat", named));
  image_facts known;
  known.path = path.starts_with('-') ? "./" + path : path;
  known.content = *content;
  known.size = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
  known.trust = std::move(*trust);
  read_metadata(known, fd.get());
  return known;
}

}  // namespace berth::cli
