#include "image/kind.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "image/signature.hpp"

namespace berth::image {
namespace {

constexpr std::size_t start_size = 4096;

failure no_image(std::span<const std::byte> start) {
  const auto what = start.empty() ? std::string_view("empty") : describe_content(start);
  return fail(fmt::format("is {}{}not a squashfs image, an EROFS image or a folder", what,
                          what.empty() ? "" : ", "));
}

template <class Block>
result<image_content> completed(result<Block> block, std::uint64_t file_size) {
  if (!block) return pass(std::move(block));
  if (auto complete = check_complete(*block, file_size); !complete) {
    return pass(std::move(complete));
  }
  return image_content(*block);
}

}  // namespace

std::string_view name_of(kind what) {
  constexpr std::array<std::string_view, 3> names{"squashfs", "EROFS", "folder"};
  return names.at(static_cast<std::size_t>(what));
}

kind kind_of(const image_content& what) {
  return static_cast<kind>(what.index());
}

result<image_content> recognise(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail_errno("cannot stat");
  if (S_ISDIR(info.st_mode)) return image_content(unpacked{});
  if (!S_ISREG(info.st_mode)) return fail("is not a regular file or a folder");
  std::array<std::byte, start_size> bytes;
  std::size_t have = 0;
  while (have < bytes.size()) {
    const auto n = ::pread(fd, bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read");
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  const auto start = std::span(bytes).first(have);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (looks_like_squashfs(start)) return completed(parse_superblock(start), size);
  if (looks_like_erofs(start)) return completed(parse_erofs(start), size);
  return no_image(start);
}

}  // namespace berth::image
