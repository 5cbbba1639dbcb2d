#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "program.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::size_t image_limit = std::size_t{1} << 30;

class Pack : public program_test {
 protected:
  /// Unpacks an image and returns the command line that runs a program with it as root file system,
  /// with the machine's /proc, /sys, /dev and /tmp, in a user namespace.
  std::vector<std::string> enter(const std::string& image, const std::string& program) {
    const auto root = path("root");
    const auto unpacked =
        run({{"unsquashfs", "-q", "-n", "-no-xattrs", "-d", root, image}, environment(), {}});
    EXPECT_TRUE(unpacked && unpacked->exit_code == 0);
    const std::string script =
        "for d in proc sys dev tmp; do mount --rbind /$d \"$1/$d\" || exit 9; done; "
        "exec chroot \"$1\" \"$2\"";
    return {
        "unshare", "--map-current-user", "--keep-caps", "--mount", "sh", "-c", script, "sh", root,
        program};
  }
};

TEST_F(Pack, TheProgramRunsWithNothingButTheImage) {
  const auto made = berth({"pack", BERTH_GREETER, "-o", path("g.sqsh"), "--no-mpi"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.err, "");
  EXPECT_THAT(made.out, testing::ContainsRegex("g.sqsh: 1 program, [0-9]+ files, [0-9.]+ MB, "
                                               "[0-9]+\\.[0-9] s\n"));
  const auto end = run({enter(path("g.sqsh"), "/usr/bin/greeter"), environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_EQ(end->out, "hello from a private library\n");
}

TEST_F(Pack, TwoMpiRanksTalkInTheImage) {
#ifndef BERTH_MPI_RING
  GTEST_SKIP() << "MPI was not found when this was built";
#else
  const auto made = berth({"pack", BERTH_MPI_RING, "-o", path("m.sqsh"), "--json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(nlohmann::json::parse(made.out)["left_out"], testing::IsEmpty());
  const auto inside = enter(path("m.sqsh"), "/usr/bin/mpi_ring");
  std::vector<std::string> argv{BERTH_MPIEXEC, "--oversubscribe", "-n", "2"};
  argv.insert(argv.end(), inside.begin(), inside.end());
  auto env = environment();
  std::erase_if(env, [](const std::string& e) { return e.starts_with("TMPDIR="); });
  for (const auto* name : {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"}) {
    env.emplace_back(name);
  }
  const auto end = run({argv, env, {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  for (const auto* rank : {"rank 0", "rank 1"}) {
    EXPECT_THAT(end->out, HasSubstr(std::string(rank) + " of 2: sum 1 on NAME=\"Berth image\""));
  }
#endif
}

TEST_F(Pack, OneMpiRankStartsWithoutALauncher) {
#ifndef BERTH_MPI_RING
  GTEST_SKIP() << "MPI was not found when this was built";
#else
  ASSERT_EQ(berth({"pack", BERTH_MPI_RING, "-o", path("m.sqsh")}).exit_code, 0);
  const auto facts = nlohmann::json::parse(berth({"inspect", "--json", path("m.sqsh")}).out);
  auto env = environment();
  for (const auto& entry : facts["env"]) env.push_back(entry);
  const auto end = run({enter(path("m.sqsh"), "/usr/bin/mpi_ring"), env, {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "rank 0 of 1: sum 0 on NAME=\"Berth image\"\n") << end->err;
#endif
}

TEST_F(Pack, TheSameFilesGiveTheSameImage) {
  for (const auto* method : {"zstd", "lz4", "gzip"}) {
    for (const auto* name : {"a", "b"}) {
      ASSERT_EQ(
          berth({"pack", "cat", "-o", path(name), "--force", "--compressor", method}).exit_code, 0);
    }
    EXPECT_TRUE(*read_file(path("a"), image_limit) == *read_file(path("b"), image_limit)) << method;
    EXPECT_THAT(berth({"inspect", path("a")}).out, HasSubstr(method));
  }
  ASSERT_EQ(berth({"pack", "cat", "-o", path("c")}, {"SOURCE_DATE_EPOCH=1000000000"}).exit_code, 0);
  EXPECT_THAT(berth({"inspect", path("c")}).out, HasSubstr("2001-09-09T01:46:40Z"));
}

TEST_F(Pack, KeepsVariablesWorkdirAndFiles) {
  const auto data = write("data.csv", "a,b\n");
  const auto made = berth({"pack", "cat", "-o", path("i"), "--env", "MODE=fast", "--env", "A=b c",
                           "--workdir", "/opt/w", "--file", data + ":/opt/w/data.csv"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto facts = nlohmann::json::parse(berth({"inspect", "--json", path("i")}).out);
  EXPECT_EQ(facts["workdir"], "/opt/w");
  EXPECT_THAT(facts["env"], AllOf(testing::Contains("MODE=fast"), testing::Contains("A=b c")));
  const auto content =
      run({{"unsquashfs", "-cat", path("i"), "opt/w/data.csv"}, environment(), {}});
  EXPECT_EQ(content->out, "a,b\n");
}

TEST_F(Pack, KeepsAnImageThatExistsUnlessForced) {
  const auto image = write("i.sqsh", "precious");
  const auto refused = berth({"pack", "cat", "-o", image});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("exists already; --force replaces it"));
  EXPECT_EQ(*read_file(image, 100), "precious");
  EXPECT_EQ(berth({"pack", "cat", "-o", image, "--force"}).exit_code, 0);
  EXPECT_EQ(berth({"inspect", image}).exit_code, 0);
}

TEST_F(Pack, AMissingLibraryIsNamedWithItsProgram) {
  // A copy of the program whose private library cannot be found from its RUNPATH.
  auto bytes = *read_file(BERTH_GREETER, image_limit);
  const std::string folder = BERTH_GREETING_FOLDER;
  const auto at = bytes.find(folder);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 1] = '\x01';
  const auto program = write("lost", bytes);
  fs::permissions(program, fs::perms::owner_all);
  const auto end = berth({"pack", program, "-o", path("i")});
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_THAT(end.err,
              AllOf(HasSubstr(fmt::format("\"{}\" needs the", fs::canonical(program).string())),
                    HasSubstr("\"libberth_greeting.so\""), HasSubstr("LD_LIBRARY_PATH")));
  EXPECT_EQ(berth({"pack", program, "-o", path("i")}, {"LD_LIBRARY_PATH=" + folder}).exit_code, 0);
}

TEST_F(Pack, FailuresLeaveNothingBehind) {
  EXPECT_EQ(berth({"pack", "no-such-program", "-o", path("i")}).exit_code, 2);
  EXPECT_EQ(berth({"pack", "cat", "-o", path("no/i")}).exit_code, 1);
  EXPECT_EQ(berth({"pack", "cat", "-o", path("i"), "--file", path("absent")}).exit_code, 2);
  EXPECT_EQ(berth({"pack", "cat", "-o", path("i"), "--env", "1=2"}).exit_code, 2);
  EXPECT_THAT(left_behind(), testing::IsEmpty());
  EXPECT_EQ(berth({"pack", "cat", "-o", path("i")}).exit_code, 0);
  EXPECT_THAT(left_behind(), ElementsAre("i"));
}

TEST_F(Pack, InterruptedAtAnyMomentItLeavesNothingBehind) {
  for (const auto signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::vector<std::string> argv{BERTH_PROGRAM, "pack", "cat", "-o", path("i")};
    std::vector<char*> raw;
    for (auto& word : argv) raw.push_back(word.data());
    raw.push_back(nullptr);
    auto env = environment();
    std::vector<char*> raw_env;
    for (auto& entry : env) raw_env.push_back(entry.data());
    raw_env.push_back(nullptr);
    pid_t pid = -1;
    ASSERT_EQ(::posix_spawn(&pid, BERTH_PROGRAM, nullptr, nullptr, raw.data(), raw_env.data()), 0);
    while (fs::is_empty(path("tmp"))) {  // the staging folder appears: the work has begun
      ASSERT_EQ(::waitpid(pid, nullptr, WNOHANG), 0);
    }
    ::kill(pid, signal);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_THAT(left_behind(), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace berth::cli
