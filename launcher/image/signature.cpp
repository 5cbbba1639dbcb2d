#include "image/signature.hpp"

#include <algorithm>
#include <array>

namespace berth::image {
namespace {

using namespace std::string_view_literals;

struct signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view meaning;
};

// The first match wins: Apptainer's SIF files also begin with "#!".
constexpr std::array signatures{
    signature{32, "SIF_MAGIC"sv, "an Apptainer image (SIF)"},
    signature{0, "sqsh"sv, "a big-endian squashfs image of before version 4"},
    signature{0, "\x1f\x8b"sv, "a gzip file"},
    signature{0,
              "\xfd"
              "7zXZ"sv,
              "an xz file"},
    signature{0, "\x28\xb5\x2f\xfd"sv, "a zstd file"},
    signature{0, "BZh"sv, "a bzip2 file"},
    signature{0, "PK\x03\x04"sv, "a zip file"},
    signature{0,
              "\x7f"
              "ELF"sv,
              "an ELF program"},
    signature{0, "\x89HDF"sv, "an HDF5 file"},
    signature{257, "ustar"sv, "a tar archive (docker save writes such files)"},
    signature{0, "#!"sv, "a script"},
    signature{0, "{"sv, "a JSON text"},
    signature{1024, "\xe2\xe1\xf5\xe0"sv, "an EROFS image"},
    signature{1080, "\x53\xef"sv, "an ext4 file system"},
};

bool matches(std::span<const std::byte> start, const signature& known) {
  if (start.size() < known.offset + known.bytes.size()) return false;
  const auto piece = start.subspan(known.offset, known.bytes.size());
  return std::equal(piece.begin(), piece.end(), known.bytes.begin(),
                    [](std::byte b, char c) { return b == static_cast<std::byte>(c); });
}

}  // namespace

std::string_view describe_content(std::span<const std::byte> start) {
  const auto* found = std::find_if(signatures.begin(), signatures.end(),
                                   [&](const signature& known) { return matches(start, known); });
  return found == signatures.end() ? std::string_view() : found->meaning;
}

}  // namespace berth::image
