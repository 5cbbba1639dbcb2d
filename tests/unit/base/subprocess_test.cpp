#include "base/subprocess.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "base/file.hpp"

namespace berth {
namespace {

TEST(Subprocess, CollectsOutputsAndExitCode) {
  const auto end = run({{"sh", "-c", "cat; echo oops >&2; exit 3"}, {"PATH=/usr/bin"}, "hello"});
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->out, "hello");
  EXPECT_EQ(end->err, "oops\n");
  EXPECT_EQ(end->exit_code, 3);
}

TEST(Subprocess, InheritsNothingUnasked) {
  const auto end = run({{"/usr/bin/env"}, {"ONLY=this"}, ""});
  EXPECT_EQ(end->out, "ONLY=this\n");
}

TEST(Subprocess, ReportsASignalAsTheShellDoes) {
  EXPECT_EQ(run({{"sh", "-c", "kill -9 $$"}, {}, ""})->exit_code, 137);
}

TEST(Subprocess, SurvivesAProgramThatIgnoresItsInput) {
  EXPECT_EQ(run({{"true"}, {}, std::string(1 << 20, 'x')})->exit_code, 0);
}

TEST(Subprocess, AMissingProgramIsAnError) {
  EXPECT_EQ(run({{"/no/such/program"}, {}, ""}).error().code(),
            std::errc::no_such_file_or_directory);
}

TEST(Subprocess, AFailureQuotesTheLastLine) {
  const auto r = run_ok({{"sh", "-c", "echo first >&2; echo last >&2; exit 1"}, {}, ""});
  EXPECT_EQ(r.error().text(), "\"sh\" failed with exit code 1: last");
}

TEST(FedProgram, GetsItsInputPieceByPiece) {
  const auto file =
      std::filesystem::temp_directory_path() / ("berth-fed-" + std::to_string(::getpid()));
  auto program = fed_program::start({{"tee", file}, current_environment(), {}});
  ASSERT_TRUE(program) << program.error().text();
  for (const auto* piece : {"one ", "two ", "three"}) {
    ASSERT_TRUE(write_all(program->input(), piece));
  }
  EXPECT_TRUE(program->finish());
  const auto seen = read_file(file, 100);
  std::filesystem::remove(file);
  ASSERT_TRUE(seen);
  EXPECT_EQ(*seen, "one two three");
}

TEST(FedProgram, AFailureQuotesItsLastLine) {
  auto program = fed_program::start({{"ls", "/no/such/file"}, {"LC_ALL=C"}, {}});
  ASSERT_TRUE(program);
  const auto end = program->finish();
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().text(), testing::HasSubstr("\"ls\" failed with exit code 2: ls: "));
  EXPECT_FALSE(fed_program::start({{"no-such-program"}, {}, {}}));
}

TEST(FedProgram, LeftAloneItIsEnded) {
  const auto begin = std::chrono::steady_clock::now();
  { const auto program = fed_program::start({{"sleep", "600"}, current_environment(), {}}); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

}  // namespace
}  // namespace berth
