#include "image/elf.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "image/metadata.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string own_program() {
  return *read_file("/proc/self/exe", std::size_t{1} << 30);
}

result<void> check(const std::string& path) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return check_executable(fd.get());
}

TEST(Elf, KnowsThisTestProgram) {
  const unique_fd fd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  for (const auto& facts : {read_elf(fd.get()), parse_elf(bytes_of(own_program()))}) {
    ASSERT_TRUE(facts) << facts.error().text();
    ASSERT_TRUE(*facts);
    EXPECT_EQ((*facts)->architecture, host_architecture());
    EXPECT_TRUE((*facts)->dynamic);
    EXPECT_TRUE(std::filesystem::exists((*facts)->interpreter)) << (*facts)->interpreter;
    EXPECT_THAT((*facts)->needed, Contains("libc.so.6"));
    EXPECT_THAT((*facts)->needed, Contains("libstdc++.so.6"));
  }
}

TEST(Elf, OtherFilesAreNone) {
  for (const auto* text : {"",
                           "\x7f"
                           "EL",
                           "#!/bin/sh\n", "some text that is no program at all"}) {
    const auto facts = parse_elf(bytes_of(text));
    ASSERT_TRUE(facts);
    EXPECT_FALSE(*facts) << text;
  }
}

TEST(Elf, EveryTruncationIsAnErrorAndNothingElse) {
  const auto whole = own_program();
  const auto header = sizeof(Elf64_Ehdr);
  for (std::size_t size = 16; size < 4096; ++size) {
    const auto facts = parse_elf(bytes_of(std::string_view(whole).substr(0, size)));
    // With the header and the table cut off there is nothing to go by.
    EXPECT_FALSE(facts && (size < header + sizeof(Elf64_Phdr) || !*facts)) << size;
  }
}

TEST(Elf, RefusesHeadersThatPointOutside) {
  const auto whole = own_program();
  struct change {
    const char* what;
    std::size_t offset;
    std::string value;
  };
  const change changes[] = {
      {"class", EI_CLASS, "\x07"},
      {"byte order", EI_DATA, "\x07"},
      {"segments offset", offsetof(Elf64_Ehdr, e_phoff), std::string(8, '\x7f')},
      {"segments offset -1", offsetof(Elf64_Ehdr, e_phoff), std::string(8, '\xff')},
      {"segment count", offsetof(Elf64_Ehdr, e_phnum), "\xff\xff"},
  };
  for (const auto& c : changes) {
    auto broken = whole;
    broken.replace(c.offset, c.value.size(), c.value);
    EXPECT_FALSE(parse_elf(bytes_of(broken))) << c.what;
  }
}

TEST(Elf, ExecutableHereMeansThisMachineOrAScript) {
  const scratch folder;
  EXPECT_TRUE(check("/proc/self/exe"));
  EXPECT_TRUE(check(folder.write("script", "#!/bin/sh\n")));
  auto program = own_program().substr(0, 4096);
  const bool is_arm = host_architecture() == "arm64";
  program[offsetof(Elf64_Ehdr, e_machine)] =
      is_arm ? char{EM_X86_64} : static_cast<char>(EM_AARCH64);
  program[offsetof(Elf64_Ehdr, e_machine) + 1] = '\0';
  const auto foreign = check(folder.write("foreign", program));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().text(), fmt::format("is for {}, this node is {}",
                                                is_arm ? "amd64" : "arm64", host_architecture()));
  for (const auto* content : {"", "#", "text"}) {
    const auto other = check(folder.write("other", content));
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().text(), HasSubstr("neither an ELF program nor a script"));
  }
}

}  // namespace
}  // namespace berth::image
