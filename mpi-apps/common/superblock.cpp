#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "common/hdf5.hpp"

namespace berth::apps {

namespace {

using header = std::array<unsigned char, 64>;

constexpr std::array<unsigned char, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

std::uint64_t little_endian(const header& bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

// Version 0 and 1 keep "size of offsets" at byte 13, 2 and 3 at byte 9; the end-of-file address is
// the third address of the former and the third of the latter, after different fixed parts.
std::uint64_t end_of_file(const header& bytes) {
  const unsigned version = bytes[8];
  const bool old = version <= 1;
  const std::size_t width = old ? bytes[13] : bytes[9];
  if (version > 3 || (width != 2 && width != 4 && width != 8)) return 0;
  const std::size_t first_address = version == 0 ? 24 : version == 1 ? 28 : 12;
  return little_endian(bytes, first_address + 2 * width, width);
}

}  // namespace

result<superblock_facts> read_superblock(const std::string& path) {
  const std::string what = fmt::format("\"{}\": cannot open", path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno(what);
  struct stat status {};
  header bytes{};
  const bool known = ::fstat(fd, &status) == 0;
  const ssize_t got =
      known && S_ISREG(status.st_mode) ? ::pread(fd, bytes.data(), bytes.size(), 0) : 0;
  const int reason = errno;
  ::close(fd);
  if (!known || got < 0) return fail_errno(what, reason);
  if (!S_ISREG(status.st_mode)) return fail(fmt::format("\"{}\": not a regular file", path));
  superblock_facts facts;
  facts.actual_bytes = static_cast<std::uint64_t>(status.st_size);
  if (static_cast<std::size_t>(got) < signature.size()) return facts;
  facts.is_hdf5 = std::memcmp(bytes.data(), signature.data(), signature.size()) == 0;
  facts.expected_bytes = facts.is_hdf5 ? end_of_file(bytes) : 0;
  return facts;
}

}  // namespace berth::apps
