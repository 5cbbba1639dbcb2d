#pragma once
// What berth needs to know about ELF programs and libraries: for which machine they are, which
// loader starts them, which libraries they name. Source: System V ABI, chapters 4 and 5.
//
// Files come from users: every offset is checked, every count has a limit, nothing is mapped.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace berth::image {

struct elf_facts {
  std::string architecture;         ///< OCI name, or "machine N" for one that has none
  int bits = 64;                    ///< 32 or 64
  std::string interpreter;          ///< the dynamic loader's path; empty for static ones, libraries
  std::vector<std::string> needed;  ///< names of libraries, at most 1,024, each at most 4,095 bytes
  bool dynamic = false;             ///< has a dynamic section; false: linked statically
};

/// Fills `into` from the file's bytes at `offset`; false where the file ends before.
using byte_source = std::function<bool(std::uint64_t offset, std::span<std::byte> into)>;

/// Nothing when the bytes are no ELF file at all. Errors: truncated or damaged.
result<std::optional<elf_facts>> parse_elf(const byte_source& read);
result<std::optional<elf_facts>> parse_elf(std::span<const std::byte> file);
/// The same for an open file; its offset stays where it is. `fd` is borrowed.
result<std::optional<elf_facts>> read_elf(int fd);

/// Error when this machine cannot execute the file: "is for arm64, this node is amd64", or neither
/// an ELF program nor a script. Looks at the first bytes only. `fd` is borrowed.
result<void> check_executable(int fd);

}  // namespace berth::image
