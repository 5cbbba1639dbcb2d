#pragma once
// Named containers of `berth run`, as a user without privilege makes and removes them.

#include "run_scene.hpp"

namespace berth::cli {

class named_scene : public run_scene {
 protected:
  [[nodiscard]] outcome as(const char* verb, const std::vector<std::string>& words) const {
    auto environment = users_environment();
    environment.insert(environment.end(), more_.begin(), more_.end());
    auto end = run({as_user(words, verb), environment, {}});
    EXPECT_TRUE(end);
    return std::move(*end);
  }
  /// `options` with an image at the end, or without one, before the "--".
  [[nodiscard]] outcome in(std::vector<std::string> options, const std::string& script) const {
    options.insert(options.begin(), "--container-name");
    options.insert(options.end(), {"--", "sh", "-c", script});
    return as("run", options);
  }
  [[nodiscard]] outcome remove(const std::vector<std::string>& words) const {
    return as("rm", words);
  }
  [[nodiscard]] running_command start(const std::string& name, const std::string& script) const {
    return {as_user({"--container-name", name, image(), "--", "sh", "-c", script}),
            users_environment()};
  }
  [[nodiscard]] fs::path state() const { return folder_ / "home/.local/state/berth/named"; }
  [[nodiscard]] std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(state())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  /// A folder with all above it, the user's.
  void make_users(const fs::path& folder, mode_t mode = 0755) const {
    if (folder != folder_ / "home") make_users(folder.parent_path());
    ::mkdir(folder.c_str(), mode);
    ASSERT_EQ(::chown(folder.c_str(), 65534, 65534), 0);
  }
  std::vector<std::string> more_;  // variables
};

inline void expect_refusal(const outcome& end, int code, const std::string& text) {
  EXPECT_EQ(end.exit_code, code) << end.err;
  EXPECT_THAT(end.err,
              testing::AllOf(testing::StartsWith("berth: error: "), testing::HasSubstr(text)));
  EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
}

}  // namespace berth::cli
