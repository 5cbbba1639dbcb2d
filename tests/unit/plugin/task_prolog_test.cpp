#include "plugin/task_prolog.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/subprocess.hpp"

namespace berth::plugin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

std::vector<std::pair<std::string, std::string>> exports_of(std::string_view output) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, value] : parse_prolog_output(output).exports)
    all.emplace_back(name, value);
  return all;
}

using pairs = std::vector<std::pair<std::string, std::string>>;

TEST(TaskProlog, ExportLinesSetVariables) {
  EXPECT_EQ(exports_of("export A=1\nexport B=two words\nexport C=\nexport D=x=y\nexport  E =5\n"),
            (pairs{{"A", "1"}, {"B", "two words"}, {"C", ""}, {"D", "x=y"}, {"E", "5"}}));
}

TEST(TaskProlog, OtherLinesSetNothing) {
  EXPECT_EQ(exports_of("export A\nexport =1\nexport\nEXPORT A=1\n export A=1\nA=1\nexported A=1\n"),
            pairs{});
}

TEST(TaskProlog, UnsetAndPrintLinesAreKeptInOrder) {
  const auto effects =
      parse_prolog_output("print first\nunset A\nprint   second \nnoise\nunset B \nprint ");
  EXPECT_THAT(effects.unsets, testing::ElementsAre("A", "B"));
  EXPECT_EQ(effects.prints, "first\nsecond \n\n");
  EXPECT_THAT(effects.exports, IsEmpty());
}

TEST(TaskProlog, TheLastLineNeedsNoNewline) {
  EXPECT_EQ(exports_of("export A=1"), (pairs{{"A", "1"}}));
  EXPECT_EQ(exports_of(""), pairs{});
}

class PrologAgent : public testing::Test {
 protected:
  PrologAgent() {
    auto pattern = (fs::temp_directory_path() / "berth-prolog-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PrologAgent() override { fs::remove_all(folder_); }
  std::string script(const std::string& text) const {
    const auto path = folder_ / "prolog";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    fs::permissions(path, fs::perms(0755));
    return path;
  }
  result<prolog_outcome> ask(const std::string& text) const {
    return run_prolog(agent_->get(), script(text), folder_, {"PATH=/usr/bin:/bin", "TASK=7"});
  }
  fs::path folder_;
  result<unique_fd> agent_ = start_prolog_agent(container::current_identity());
};

TEST_F(PrologAgent, RunsTheScriptInTheFolderWithTheTasksEnvironment) {
  const auto end = ask("echo \"export SEEN=$TASK\"; echo \"print $(pwd)\"; exit 3\n");
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->exit_code, 3);
  ASSERT_EQ(end->effects.exports.size(), 1U);
  EXPECT_EQ(end->effects.exports[0].value, "7");
  EXPECT_EQ(end->effects.prints, folder_.string() + "\n");
}

TEST_F(PrologAgent, RunsOneScriptAfterAnother) {
  for (const auto* code : {"0", "5"}) {
    const auto end = ask(std::string("exit ") + code + "\n");
    ASSERT_TRUE(end);
    EXPECT_EQ(std::to_string(end->exit_code), code);
  }
}

TEST_F(PrologAgent, WhatTheScriptComplainsReachesTheTask) {
  testing::internal::CaptureStderr();
  const auto end = ask("echo trouble >&2\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "trouble\n");
  EXPECT_TRUE(end);
}

TEST_F(PrologAgent, AFolderOrScriptThatIsNotThereFails) {
  testing::internal::CaptureStderr();
  const auto nowhere = run_prolog(agent_->get(), script("exit 0\n"), folder_ / "absent", {});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("absent"));
  ASSERT_TRUE(nowhere);
  EXPECT_EQ(nowhere->exit_code, 127);
  testing::internal::CaptureStderr();
  const auto nothing = run_prolog(agent_->get(), folder_ / "no-script", folder_, {});
  testing::internal::GetCapturedStderr();
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->exit_code, 127);
}

TEST_F(PrologAgent, TheScriptInheritsNoDescriptorOfTheAgent) {
  const auto end =
      ask("for f in 3 4 5; do [ -e /proc/$$/fd/$f ] && echo \"export F$f=open\"; done\n");
  ASSERT_TRUE(end);
  // The shell itself has the script open on some number, but no socket.
  const auto sockets =
      ask("for f in /proc/$$/fd/*; do readlink $f; done | grep socket | "
          "sed 's/^/export A=/'\n");
  ASSERT_TRUE(sockets);
  EXPECT_THAT(sockets->effects.exports, IsEmpty());
}

TEST_F(PrologAgent, EndsWithItsSocket) {
  agent_->reset();
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0);
}

}  // namespace
}  // namespace berth::plugin
