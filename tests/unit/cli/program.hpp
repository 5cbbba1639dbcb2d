#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/subprocess.hpp"

namespace berth::cli {

/// Runs the `berth` program in a folder and TMPDIR of its own, removed at the end.
class program_test : public testing::Test {
 protected:
  program_test() {
    auto pattern = (std::filesystem::temp_directory_path() / "berth-cli-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(folder_ / "tmp");
  }
  ~program_test() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  [[nodiscard]] std::vector<std::string> environment() const {
    auto env = current_environment();
    std::erase_if(env, [](const std::string& e) {
      return e.starts_with("TMPDIR=") || e.starts_with("SOURCE_DATE_EPOCH=");
    });
    env.push_back("TMPDIR=" + path("tmp"));
    return env;
  }
  [[nodiscard]] outcome berth(std::vector<std::string> arguments,
                              const std::vector<std::string>& more_env = {}) const {
    arguments.insert(arguments.begin(), BERTH_PROGRAM);
    auto env = environment();
    env.insert(env.end(), more_env.begin(), more_env.end());
    auto end = run({std::move(arguments), std::move(env), {}});
    EXPECT_TRUE(end);
    return std::move(*end);
  }
  /// Names of what lies in the test's folder beside TMPDIR, and in TMPDIR.
  [[nodiscard]] std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.path() != folder_ / "tmp") names.push_back(entry.path().filename());
    }
    return names;
  }

  std::filesystem::path folder_;
};

}  // namespace berth::cli
