// A file several times larger than the memory that may be used: 600 MB under 128 MB.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

constexpr std::int64_t most_bytes = std::int64_t{128} << 20;

struct usage {
  int code = -1;
  std::int64_t peak_bytes = 0;  // most memory that was resident at a time
};

usage run(const temporary_folder& folder, std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& each : arguments) argv.push_back(each.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (::chdir(folder.file("").c_str()) == 0 && ::dup2(nowhere, STDOUT_FILENO) >= 0) {
      ::execv(argv[0], argv.data());
    }
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (::wait4(child, &status, 0, &used) != child || !WIFEXITED(status)) return {};
  return {WEXITSTATUS(status), used.ru_maxrss * 1024};
}

TEST(Memory, DoesNotGrowWithTheFile) {
  const temporary_folder folder;
  const std::vector<std::vector<std::string>> commands{
      {BERTH_DATASET, "synth", "-o", "big.h5", "--rows", "375000", "--features", "200"},
      {BERTH_DATASET, "check", "big.h5"},
      {BERTH_DATASET, "describe", "big.h5"},
      {BERTH_DATASET, "head", "big.h5"},
      {BERTH_DATASET, "split", "big.h5", "--test", "0.2"},
      {BERTH_DATASET, "import", "big.h5", "-o", "again.h5", "--missing", "mean"},
      {BERTH_TRAIN, "linear", "big.h5", "--memory", "32MB", "-o", "model.h5"},
      {BERTH_PREDICT, "model.h5", "big.h5", "--score"},
      {BERTH_PREDICT, "model.h5", "big.h5", "--interval", "prediction"},
      {BERTH_PREDICT, "model.h5", "big.h5", "-o", "p.h5"},
  };
  for (const auto& command : commands) {
    const auto used = run(folder, command);
    EXPECT_EQ(used.code, 0) << command[0] << " " << command[1];
    EXPECT_LT(used.peak_bytes, most_bytes) << command[0] << " " << command[1];
  }
  EXPECT_GT(std::filesystem::file_size(folder.file("big.h5")), 600000000U);
}

}  // namespace
}  // namespace berth::apps
