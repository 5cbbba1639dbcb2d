#include <gmock/gmock.h>

#include "program.hpp"

namespace berth::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Help : public program_test {};

TEST_F(Help, VersionNamesProgramAndNumber) {
  const auto end = berth({"--version"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, testing::MatchesRegex("berth [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Help, EveryVerbShowsExamples) {
  EXPECT_THAT(berth({"--help"}).out, HasSubstr("Examples:"));
  for (const auto* verb : {"pack", "inspect", "convert", "run", "pin", "cache", "config", "doctor",
                           "ps", "exec", "stop", "logs", "rm"}) {
    const auto end = berth({verb, "--help"});
    EXPECT_EQ(end.exit_code, 0) << verb;
    EXPECT_THAT(end.out, HasSubstr("xample")) << verb;
    EXPECT_EQ(end.err, "") << verb;
    EXPECT_THAT(berth({"--help"}).out, HasSubstr(verb));
  }
}

TEST_F(Help, WrongUsageIsOneLineAndExitCode2) {
  const std::pair<std::vector<std::string>, const char*> calls[] = {
      {{}, "a verb is missing"},
      {{"frob"}, "unknown verb \"frob\""},
      {{"--frob"}, "--frob"},
      {{"pack"}, "PROGRAM is required"},
      {{"pack", "cat"}, "--output is required"},
      {{"pack", "cat", "-o", "x", "--compressor", "rar"}, "--compressor"},
      {{"inspect"}, "IMAGE is required"},
      {{"inspect", "a", "b"}, "b"},
  };
  for (const auto& [arguments, message] : calls) {
    const auto end = berth(arguments);
    EXPECT_EQ(end.exit_code, 2) << message;
    EXPECT_EQ(end.out, "") << message;
    EXPECT_THAT(end.err, StartsWith("berth: error: "));
    EXPECT_THAT(end.err, HasSubstr(message));
    EXPECT_THAT(end.err, HasSubstr("--help"));
    EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
  }
}

TEST_F(Help, ManPagesAreCleanAndShowEveryOption) {
  for (const auto* name :
       {"berth", "berth-pack", "berth-inspect", "berth-convert", "berth-run", "berth-pin",
        "berth-cache", "berth-doctor", "berth-ps", "berth-exec", "berth-stop", "berth-logs",
        "berth-rm"}) {
    const auto page = std::string(BERTH_MAN_FOLDER) + "/" + name + ".1";
    const auto lint = run({{"mandoc", "-T", "lint", "-W", "warning", page}, environment(), {}});
    ASSERT_TRUE(lint) << lint.error().text();
    EXPECT_EQ(lint->out + lint->err, "");
  }
  for (const auto* verb :
       {"pack", "inspect", "convert", "run", "pin", "doctor", "ps", "exec", "stop", "logs", "rm"}) {
    const auto page = std::string(BERTH_MAN_FOLDER) + "/berth-" + verb + ".1";
    const auto text = run({{"mandoc", "-T", "ascii", "-O", "width=200", page}, environment(), {}});
    ASSERT_TRUE(text);
    std::string plain;
    for (const char c : text->out) {
      if (c == '\b') {
        plain.pop_back();
      } else {
        plain.push_back(c);
      }
    }
    const auto help = berth({verb, "--help"}).out;
    for (auto at = help.find(" --"); at != std::string::npos; at = help.find(" --", at + 1)) {
      const auto option = help.substr(at + 1, help.find_first_of(" ,\n", at + 1) - at - 1);
      EXPECT_TRUE(option == "--help" || plain.find(option) != std::string::npos) << option;
    }
  }
}

}  // namespace
}  // namespace berth::cli
