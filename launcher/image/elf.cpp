#include "image/elf.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "image/bytes.hpp"
#include "image/metadata.hpp"

namespace berth::image {
namespace {

constexpr std::size_t segment_limit = 256;
constexpr std::size_t dynamic_limit = 4096;
constexpr std::size_t needed_limit = 1024;
constexpr std::size_t string_limit = 4096;

struct machine_name {
  std::uint16_t machine;
  int bits;
  byte_order order;
  const char* name;
};

constexpr std::array machine_names{
    machine_name{EM_X86_64, 64, byte_order::little, "amd64"},
    machine_name{EM_AARCH64, 64, byte_order::little, "arm64"},
    machine_name{EM_386, 32, byte_order::little, "386"},
    machine_name{EM_ARM, 32, byte_order::little, "arm"},
    machine_name{EM_PPC64, 64, byte_order::little, "ppc64le"},
    machine_name{EM_PPC64, 64, byte_order::big, "ppc64"},
    machine_name{EM_RISCV, 64, byte_order::little, "riscv64"},
    machine_name{EM_S390, 64, byte_order::big, "s390x"},
    machine_name{258, 64, byte_order::little, "loong64"},  // EM_LOONGARCH, not in older elf.h
};

struct segment {
  std::uint32_t type = 0;
  std::uint64_t offset = 0;   // in the file
  std::uint64_t address = 0;  // in memory
  std::uint64_t size = 0;     // in the file
};

class reader {
 public:
  explicit reader(const byte_source& read) : read_(read) {}

  result<std::optional<elf_facts>> all();
  /// The identification and machine only.
  result<std::optional<elf_facts>> header();

 private:
  [[nodiscard]] bool wide() const { return facts_.bits == 64; }
  template <class T>
  [[nodiscard]] T get(std::span<const std::byte> bytes, std::size_t offset) const {
    return number_at<T>(bytes, offset, order_);
  }
  [[nodiscard]] std::uint64_t word(std::span<const std::byte> bytes, std::size_t narrow_offset,
                                   std::size_t wide_offset) const {
    return wide() ? get<std::uint64_t>(bytes, wide_offset)
                  : get<std::uint32_t>(bytes, narrow_offset);
  }
  result<std::vector<segment>> segments();
  result<std::string> string_at(std::uint64_t offset);
  result<void> libraries(const segment& dynamic, const std::vector<segment>& loaded);
  result<void> names(const std::vector<std::uint64_t>& offsets, std::uint64_t strings,
                     const std::vector<segment>& loaded);

  const byte_source& read_;
  std::array<std::byte, sizeof(Elf64_Ehdr)> head_{};
  byte_order order_ = byte_order::little;
  elf_facts facts_;
};

failure damaged(const char* where) {
  return fail(fmt::format("is a damaged ELF file: {}", where));
}

result<std::optional<elf_facts>> reader::header() {
  constexpr std::string_view magic = ELFMAG;
  const auto ident = std::span(head_).first(EI_NIDENT);
  if (!read_(0, ident) || std::memcmp(head_.data(), magic.data(), SELFMAG) != 0) {
    return std::optional<elf_facts>();
  }
  const auto wideness = std::to_integer<int>(ident[EI_CLASS]);
  const auto order = std::to_integer<int>(ident[EI_DATA]);
  if ((wideness != ELFCLASS32 && wideness != ELFCLASS64) ||
      (order != ELFDATA2LSB && order != ELFDATA2MSB)) {
    return damaged("unknown class or byte order");
  }
  facts_.bits = wideness == ELFCLASS64 ? 64 : 32;
  order_ = order == ELFDATA2LSB ? byte_order::little : byte_order::big;
  const auto size = wide() ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
  if (!read_(0, std::span(head_).first(size))) return damaged("it ends within the header");
  const auto machine = get<std::uint16_t>(head_, offsetof(Elf64_Ehdr, e_machine));
  const auto* found =
      std::find_if(machine_names.begin(), machine_names.end(), [&](const machine_name& known) {
        return known.machine == machine && known.bits == facts_.bits && known.order == order_;
      });
  facts_.architecture =
      found == machine_names.end() ? fmt::format("machine {}", machine) : found->name;
  return facts_;
}

result<std::vector<segment>> reader::segments() {
  const auto count = wide() ? get<std::uint16_t>(head_, offsetof(Elf64_Ehdr, e_phnum))
                            : get<std::uint16_t>(head_, offsetof(Elf32_Ehdr, e_phnum));
  const auto start = word(head_, offsetof(Elf32_Ehdr, e_phoff), offsetof(Elf64_Ehdr, e_phoff));
  if (count > segment_limit) return damaged("too many segments");
  const auto size = wide() ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  std::vector<std::byte> table(size * count);
  if (!read_(start, table)) return damaged("it ends before its segments");
  std::vector<segment> list(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = std::span<const std::byte>(table).subspan(i * size, size);
    list[i].type = get<std::uint32_t>(entry, 0);
    list[i].offset = word(entry, offsetof(Elf32_Phdr, p_offset), offsetof(Elf64_Phdr, p_offset));
    list[i].address = word(entry, offsetof(Elf32_Phdr, p_vaddr), offsetof(Elf64_Phdr, p_vaddr));
    list[i].size = word(entry, offsetof(Elf32_Phdr, p_filesz), offsetof(Elf64_Phdr, p_filesz));
  }
  return list;
}

result<std::string> reader::string_at(std::uint64_t offset) {
  std::string text;
  std::array<std::byte, 1> next{};
  while (read_(offset++, next)) {
    if (next[0] == std::byte{0}) return text;
    if (text.size() + 1 >= string_limit) return damaged("a name without end");
    text.push_back(static_cast<char>(next[0]));
  }
  return damaged("it ends within a name");
}

result<void> reader::libraries(const segment& dynamic, const std::vector<segment>& loaded) {
  const std::size_t size = wide() ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
  const auto count = std::min<std::uint64_t>(dynamic.size / size, dynamic_limit);
  std::vector<std::byte> table(size * static_cast<std::size_t>(count));
  if (!read_(dynamic.offset, table)) return damaged("it ends before its dynamic section");
  std::vector<std::uint64_t> offsets;
  std::uint64_t strings = 0;
  for (std::size_t at = 0; at < table.size(); at += size) {
    const auto entry = std::span<const std::byte>(table).subspan(at, size);
    const auto tag = word(entry, 0, 0);
    const auto value = word(entry, offsetof(Elf32_Dyn, d_un), offsetof(Elf64_Dyn, d_un));
    if (tag == DT_NULL) break;
    if (tag == DT_STRTAB) strings = value;
    if (tag == DT_NEEDED) offsets.push_back(value);
  }
  if (offsets.size() > needed_limit) return damaged("too many libraries");
  return names(offsets, strings, loaded);
}

result<void> reader::names(const std::vector<std::uint64_t>& offsets, std::uint64_t strings,
                           const std::vector<segment>& loaded) {
  const auto home = std::find_if(loaded.begin(), loaded.end(), [&](const segment& s) {
    return s.type == PT_LOAD && strings >= s.address && strings - s.address < s.size;
  });
  if (offsets.empty()) return {};
  if (home == loaded.end()) return damaged("its names are in no segment");
  const auto within = strings - home->address;
  for (const auto offset : offsets) {
    if (offset >= home->size - within) return damaged("a name outside of its segment");
    auto name = string_at(home->offset + within + offset);
    if (!name) return pass(std::move(name));
    facts_.needed.push_back(std::move(*name));
  }
  return {};
}

result<std::optional<elf_facts>> reader::all() {
  auto known = header();
  if (!known || !*known) return known;
  const auto list = segments();
  if (!list) return failure(list.error());
  for (const auto& part : *list) {
    if (part.type == PT_INTERP) {
      auto path = string_at(part.offset);
      if (!path) return pass(std::move(path));
      facts_.interpreter = std::move(*path);
    }
    if (part.type == PT_DYNAMIC && !facts_.dynamic) {
      facts_.dynamic = true;
      if (auto found = libraries(part, *list); !found) return pass(std::move(found));
    }
  }
  return facts_;
}

byte_source from_file(int fd) {
  return [fd](std::uint64_t offset, std::span<std::byte> into) {
    if (offset > static_cast<std::uint64_t>(INT64_MAX)) return false;
    std::size_t have = 0;
    while (have < into.size()) {
      const auto n =
          ::pread(fd, into.data() + have, into.size() - have, static_cast<off_t>(offset + have));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      have += static_cast<std::size_t>(n);
    }
    return true;
  };
}

// A 64-bit kernel also runs the 32-bit programs of its family.
bool runs_on(std::string_view program, std::string_view machine) {
  return program == machine || (program == "386" && machine == "amd64") ||
         (program == "arm" && machine == "arm64");
}

}  // namespace

result<std::optional<elf_facts>> parse_elf(const byte_source& read) {
  return reader(read).all();
}

result<std::optional<elf_facts>> parse_elf(std::span<const std::byte> file) {
  return parse_elf([file](std::uint64_t offset, std::span<std::byte> into) {
    if (offset > file.size() || into.size() > file.size() - offset) return false;
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  });
}

result<std::optional<elf_facts>> read_elf(int fd) {
  return parse_elf(from_file(fd));
}

result<void> check_executable(int fd) {
  const auto source = from_file(fd);
  const auto facts = reader(source).header();
  if (!facts) return failure(facts.error());
  if (!*facts) {
    std::array<std::byte, 2> start{};
    if (source(0, start) && start == std::array{std::byte{'#'}, std::byte{'!'}}) return {};
    return fail("is neither an ELF program nor a script that begins with #!");
  }
  const auto machine = host_architecture();
  if (runs_on((*facts)->architecture, machine)) return {};
  return fail(fmt::format("is for {}, this node is {}", (*facts)->architecture, machine));
}

}  // namespace berth::image
