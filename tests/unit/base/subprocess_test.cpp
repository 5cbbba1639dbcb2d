#include "base/subprocess.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace berth
