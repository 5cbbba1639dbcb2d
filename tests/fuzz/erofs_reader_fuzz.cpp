#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "image/erofs_reader.hpp"

namespace {

using namespace berth::image;

// Some of the files below a folder, however they refer to each other.
void wander(const erofs_reader& image) {
  std::vector<std::uint64_t> numbers{image.root()};
  for (std::size_t at = 0; at < numbers.size() && at < 64; ++at) {
    const auto file = image.inode(numbers[at]);
    if (!file) continue;
    if (image.content(*file, 65536).value_or("").size() > 65536) std::abort();
    for (const auto& [name, value] : image.attributes(*file).value_or(std::vector<attribute>())) {
      if (name.empty() || value.size() > 65536) std::abort();
    }
    for (const auto& entry : image.list(*file).value_or(std::vector<erofs_entry>())) {
      if (entry.name.empty() || entry.name == "." || entry.name == ".." ||
          entry.name.find('/') != std::string::npos || entry.name.find('\0') != std::string::npos) {
        std::abort();
      }
      if (numbers.size() < 64) numbers.push_back(entry.inode);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int fd = ::memfd_create("image", MFD_CLOEXEC);
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) {
    return 0;
  }
  const auto block = parse_erofs(std::as_bytes(std::span(data, size)));
  if (block && check_complete(*block, size)) wander({fd, *block});
  return 0;
}
