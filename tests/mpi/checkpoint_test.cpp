// Fits that are stopped and go on: real processes, real signals, other numbers of ranks.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <random>

#include "common/hdf5_attributes.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A program whose error lines are read while it runs. Its standard output is not kept.
class running_program {
 public:
  running_program(const temporary_folder& folder, std::vector<std::string> words) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      if (::chdir(folder.file("").c_str()) != 0) ::_exit(126);
      std::FILE* quiet = std::freopen("/dev/null", "w", stdout);
      std::vector<char*> arguments;
      for (auto& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      if (quiet != nullptr) ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    errors_ = ::fdopen(ends[0], "r");
  }
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;
  ~running_program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    std::fclose(errors_);
  }

  // Reads up to the line that has `text`; false at the end.
  bool wait_for(const std::string& text) {
    for (int c = std::fgetc(errors_); c != EOF; c = std::fgetc(errors_)) {
      said_.push_back(static_cast<char>(c));
      if (c != '\n') continue;
      const auto start = said_.rfind('\n', said_.size() - 2);
      if (said_.substr(start == std::string::npos ? 0 : start).find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }
  void wait_until_caught(int number) const {
    const auto mask = [&]() -> unsigned long long {
      std::ifstream status(fmt::format("/proc/{}/status", pid_));
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigCgt:")) return std::stoull(line.substr(7), nullptr, 16);
      }
      return ~0ULL;
    };
    while ((mask() >> (number - 1) & 1U) == 0) ::sched_yield();
  }
  void send(int number) const { ::kill(pid_, number); }
  void send_to_children(int number) const {
    for (const auto& thread :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_))) {
      std::ifstream children(thread.path() / "children");
      for (pid_t child = 0; children >> child;) ::kill(child, number);
    }
  }
  // Exit code, or 128 and the signal.
  int finish() {
    wait_for("a line that never comes");
    return wait();
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  pid_t pid_ = -1;
  std::FILE* errors_ = nullptr;
  std::string said_;
};

constexpr std::int64_t rows = 2'000'000;  // 123 blocks
constexpr std::int64_t features = 4;

class Checkpoint : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared = new temporary_folder;
    prepare_hdf5();
    std::mt19937_64 bits(3);
    std::normal_distribution<double> normal;
    std::vector<double> x(static_cast<std::size_t>(rows * features));
    std::vector<double> y(static_cast<std::size_t>(rows));
    for (double& value : x) value = normal(bits);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[4 * i] - 2 * x[4 * i + 3] + normal(bits);
    const auto file = create_hdf5(shared->file("big.h5"));
    ASSERT_TRUE(write_doubles(file->get(), "X", {rows, features}, x));
    ASSERT_TRUE(write_doubles(file->get(), "y", {rows}, y));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = 0.5 + static_cast<double>(i % 3);
    ASSERT_TRUE(write_doubles(file->get(), "weights", {rows}, y));
  }
  static void TearDownTestSuite() { delete shared; }

  std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{BERTH_TRAIN, "linear", shared->file("big.h5"), "--checkpoint",
                                 "c.ckpt"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  json fit(std::vector<std::string> all, int ranks = 0) {
    all.emplace_back("--json");
    const auto got = run_program(folder, all, ranks);
    EXPECT_EQ(got.code, 0) << got.err;
    told = got.err;
    return got.code == 0 ? json::parse(got.out) : json();
  }
  json uninterrupted() { return fit({BERTH_TRAIN, "linear", shared->file("big.h5")}); }
  void expect_same_bits_after_resuming(int ranks) {
    const auto got = fit(words({"--resume"}), ranks);
    EXPECT_THAT(told, HasSubstr("going on from \"c.ckpt\": "));
    const auto whole = uninterrupted();
    EXPECT_EQ(got["coefficients"], whole["coefficients"]);
    EXPECT_TRUE(whole["log_likelihood"].is_number());
    EXPECT_EQ(got["log_likelihood"], whole["log_likelihood"]);
    EXPECT_FALSE(folder.entries().contains("c.ckpt"));
  }

  static temporary_folder* shared;
  temporary_folder folder;
  std::string told;
};
temporary_folder* Checkpoint::shared = nullptr;

TEST_F(Checkpoint, SigtermWritesOneAndOtherRanksGoOnToTheSameBits) {
  running_program program(folder, words({"--checkpoint-every", "0"}));
  ASSERT_TRUE(program.wait_for("checkpoint written: ")) << program.said();
  program.send(SIGTERM);
  EXPECT_EQ(program.finish(), 75) << program.said();
  EXPECT_THAT(program.said(), HasSubstr("go on with --checkpoint c.ckpt --resume"));
  expect_same_bits_after_resuming(3);
}

// The signal goes to each rank, as Slurm sends it: mpirun itself would first wait for a second.
TEST_F(Checkpoint, TwoRanksStopTogether) {
  std::vector<std::string> all{BERTH_MPIRUN, "--oversubscribe", "--allow-run-as-root", "-n", "2"};
  const auto program_words = words({"--checkpoint-every", "0"});
  all.insert(all.end(), program_words.begin(), program_words.end());
  running_program program(folder, all);
  ASSERT_TRUE(program.wait_for("checkpoint written: ")) << program.said();
  program.send_to_children(SIGTERM);
  EXPECT_EQ(program.finish(), 75) << program.said();
  expect_same_bits_after_resuming(0);
}

TEST_F(Checkpoint, Sigusr1WritesOneAndTheFitGoesOn) {
  // The signal may come too late for a fit of a few milliseconds, but not every time.
  std::string said;
  for (int i = 0; i < 20 && said.find("checkpoint written: ") == std::string::npos; ++i) {
    running_program program(folder, words());
    program.wait_until_caught(SIGUSR1);
    program.send(SIGUSR1);
    EXPECT_EQ(program.finish(), 0) << program.said();
    said = program.said();
  }
  EXPECT_THAT(said, HasSubstr("checkpoint written: "));
}

TEST_F(Checkpoint, SigkillLeavesAWholeCheckpoint) {
  {
    running_program program(folder, words({"--checkpoint-every", "0"}));
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(program.wait_for("checkpoint written: ")) << program.said();
    }
    program.send(SIGKILL);
    EXPECT_EQ(program.finish(), 128 + SIGKILL);
  }
  expect_same_bits_after_resuming(2);
}

TEST_F(Checkpoint, OtherColumnsAreRefusedAndAMissingFileIsABeginning) {
  running_program program(folder, words({"--checkpoint-every", "0"}));
  ASSERT_TRUE(program.wait_for("checkpoint written: ")) << program.said();
  program.send(SIGTERM);
  EXPECT_EQ(program.finish(), 75);
  const auto got = run_program(folder, words({"--resume", "--columns", "x1,x2"}), 2);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("is of another fit: the features is \"x1,x2,x3,x4\", not "
                                 "\"x1,x2\""));
  EXPECT_EQ(run_program(folder, words({"--solver", "tsqr"})).code, 2);
  folder.write("c.ckpt", "no checkpoint");
  const auto foreign = run_program(folder, words({"--resume"}), 2);
  EXPECT_EQ(foreign.code, 2);
  EXPECT_EQ(lines_with(foreign.err, "train: error: ").size(), 1U) << foreign.err;
  std::filesystem::remove(folder.file("c.ckpt"));
  EXPECT_EQ(fit(words({"--resume"}))["coefficients"], uninterrupted()["coefficients"]);
}

TEST_F(Checkpoint, ADiskThatIsFullKeepsTheOldOneAndTheFit) {
  std::filesystem::create_directory(folder.file("small"));
  // Full before, while and after the numbers are written.
  for (const char* size : {"8k", "16k", "20k"}) {
    folder.write("try.sh",
                 fmt::format("mount -t tmpfs -o size={} none small && echo old >small/c.ckpt && "
                             "head -c 4096 /dev/zero >small/fill 2>/dev/null; {} linear {} "
                             "--checkpoint small/c.ckpt --checkpoint-every 0 -o m.h5 >/dev/null "
                             "2>err; code=$?; head -1 err; exit $code\n",
                             size, BERTH_TRAIN, shared->file("big.h5")));
    const auto got = run_program(folder, {"unshare", "-rm", "sh", "try.sh"});
    EXPECT_EQ(got.code, 0) << size << got.out << got.err;
    EXPECT_THAT(got.out, HasSubstr("warning: checkpoint not written: "));
  }
}

}  // namespace
}  // namespace berth::apps
