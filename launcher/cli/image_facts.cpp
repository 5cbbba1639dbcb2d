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

// Nothing where the file is not there.
using content = result<std::optional<std::string>>;

// Nothing is mounted: unsquashfs unpacks the one file to its standard output.
content read_from(const image::superblock&, const std::string& image, int, const std::string& path,
                  std::size_t limit) {
  auto printed = run({{"unsquashfs", "-cat", image, path.substr(1)}, current_environment(), {}});
  if (!printed) {
    return failure(std::move(printed).error().with_hint("install the package squashfs-tools"));
  }
  if (printed->exit_code != 0) return std::optional<std::string>();
  if (printed->out.size() > limit) return fail(fmt::format("larger than {} bytes", limit));
  return std::move(printed->out);
}

content read_from(const image::erofs_superblock& block, const std::string&, int fd,
                  const std::string& path, std::size_t limit) {
  const image::erofs_reader reader(fd, block);
  const auto file = reader.find(path);
  if (!file && file.error().code() == std::errc::no_such_file_or_directory) {
    return std::optional<std::string>();
  }
  if (!file) return failure(file.error());
  return reader.content(*file, limit);
}

content read_from(const image::unpacked&, const std::string& image, int, const std::string& path,
                  std::size_t limit) {
  auto text = read_file(image + path, limit);
  if (!text && text.error().code() == std::errc::no_such_file_or_directory) {
    return std::optional<std::string>();
  }
  return text;
}

void read_metadata(image_facts& known, int fd) {
  const auto text =
      read_inside(known, fd, std::string(image::metadata_path), image::metadata_size_limit);
  if (text && !*text) return;
  result<image::image_metadata> parsed =
      text ? image::parse_metadata(**text) : failure(text.error());
  if (parsed) {
    known.metadata = std::move(*parsed);
  } else {
    known.metadata_problem = fmt::format("\"{}\" {}", image::metadata_path, parsed.error().text());
  }
}

}  // namespace

result<std::optional<std::string>> read_inside(const image_facts& image, int fd,
                                               const std::string& path, std::size_t limit) {
  return std::visit([&](const auto& kind) { return read_from(kind, image.path, fd, path, limit); },
                    image.content);
}

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
