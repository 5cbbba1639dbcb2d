#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "image/squashfs.hpp"
#include "image/squashfs_unpack.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest = 1 << 20;

// A folder to unpack into, and an image whose tables are not compressed: every byte counts.
struct scene {
  scene() {
    auto pattern = (fs::temp_directory_path() / "berth-fuzz-XXXXXX").string();
    top = ::mkdtemp(pattern.data());
    fs::create_directories(top / "root/folder");
    std::ofstream(top / "root/large") << std::string(10000, 'x');
    for (const auto* name : {"a", "b"}) std::ofstream(top / "root/folder" / name) << name;
    fs::create_hard_link(top / "root/folder/a", top / "root/hard");
    fs::create_symlink("folder/b", top / "root/link");
    const auto made = "mksquashfs " + (top / "root").string() + ' ' + (top / "image").string() +
                      " -noI -b 4096 -nopad -quiet -no-progress >/dev/null";
    if (std::system(made.c_str()) != 0) std::abort();
    image = berth::read_file(top / "image", largest).value();
  }
  ~scene() { fs::remove_all(top); }
  fs::path top;
  std::string image;
};

}  // namespace

// The input is a list of changes to the image: two bytes say where, one says what is there. What is
// unpacked stays in its folder, with the limit that it was given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const scene base;
  auto image = base.image;
  for (std::size_t i = 0; i + 3 <= size; i += 3) {
    const auto at = static_cast<std::size_t>(data[i] | data[i + 1] << 8);
    image[at % image.size()] = static_cast<char>(data[i + 2]);
  }
  const auto block = berth::image::parse_superblock(std::as_bytes(std::span(image)));
  if (!block || !berth::image::check_complete(*block, image.size())) return 0;
  const auto out = base.top / "out";
  fs::create_directory(out);
  std::ofstream(base.top / "changed", std::ios::binary) << image;
  {
    const berth::unique_fd file(::open((base.top / "changed").c_str(), O_RDONLY | O_CLOEXEC));
    const berth::unique_fd target(::open(out.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    (void)berth::image::unpack_squashfs(file.get(), target.get(), largest, 2);
  }
  fs::permissions(out, fs::perms::owner_all);
  fs::remove_all(out);
  for (const auto& entry : fs::directory_iterator(base.top)) {
    const auto name = entry.path().filename();
    if (name != "root" && name != "image" && name != "changed") std::abort();
  }
  return 0;
}
