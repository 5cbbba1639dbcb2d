#include "container/command.hpp"

#include <gmock/gmock.h>

#include "image/metadata.hpp"
#include "scene.hpp"

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Command : public testing::Test {
 protected:
  scratch scratch_;
  std::string script_ = scratch_.write("bin/tool", "#!/bin/sh\n", 0755);
};

TEST_F(Command, IsLookedUpAlongPath) {
  scratch_.write("first/tool", "not executable", 0644);
  scratch_.folder("second/tool");
  const auto path = scratch_ / "absent:" + (scratch_ / "first") + ":" + (scratch_ / "second") +
                    ":" + (scratch_ / "bin");
  EXPECT_EQ(*find_command("tool", path), script_);
}

TEST_F(Command, WithASlashIsAPath) {
  EXPECT_EQ(*find_command(script_, ""), script_);
  EXPECT_EQ(*find_command("/bin/true", "/absent"), "/bin/true");
}

TEST_F(Command, AnEmptyPieceOfPathIsTheWorkingFolder) {
  EXPECT_EQ(in_child([&]() -> std::string {
              if (::chdir((scratch_ / "bin").c_str()) != 0) return "chdir";
              for (const auto* path : {"", ":/absent", "/absent:", "."}) {
                const auto found = find_command("tool", path);
                if (!found || *found != "./tool") return std::string("PATH=") + path;
              }
              return "";
            }),
            "");
}

TEST_F(Command, MissingNamesThePathSearched) {
  const auto found = find_command("tool", "/absent:/nowhere");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(found.error().text(),
            "command \"tool\": No such file or directory; searched PATH=/absent:/nowhere");
}

TEST_F(Command, ErrorsCarryTheCodeThatExecveWouldGive) {
  const auto plain = scratch_.write("plain", "data", 0644);
  const std::pair<std::string, std::errc> cases[] = {
      {scratch_ / "absent", std::errc::no_such_file_or_directory},
      {plain, std::errc::permission_denied},
      {scratch_ / "bin", std::errc::permission_denied},
      {plain + "/below", std::errc::not_a_directory},
  };
  for (const auto& [name, code] : cases) {
    const auto found = find_command(name, "");
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code(), code) << name;
    EXPECT_THAT(found.error().text(), HasSubstr("command \"" + name + '"'));
  }
  EXPECT_THAT(find_command(plain, "").error().text(), HasSubstr("chmod +x"));
}

TEST_F(Command, AProgramForAnotherMachineIsToldApart) {
  auto program = *read_file("/bin/true", 1 << 20);
  const bool here_is_arm = image::host_architecture() == "arm64";
  program[18] = static_cast<char>(here_is_arm ? 0x3e : 0xb7);  // e_machine: x86-64 or AArch64
  const auto alien = scratch_.write("alien", program, 0755);
  const auto found = find_command(alien, "");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), std::errc::executable_format_error);
  EXPECT_THAT(found.error().text(), AllOf(HasSubstr(alien), HasSubstr("format error")));
}

}  // namespace
}  // namespace berth::container
