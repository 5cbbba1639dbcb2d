// --container-save of `berth run`.

#include "run_scene.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class RunSave : public run_scene {
 protected:
  [[nodiscard]] outcome start(std::vector<std::string> options, const std::string& from,
                              const std::string& script) const {
    options.insert(options.end(), {from, "--", "sh", "-c", script});
    auto end = run({as_user(options), users_environment(), {}});
    EXPECT_TRUE(end);
    return std::move(*end);
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "work")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
};

TEST_F(RunSave, WhatTheCommandWroteIsInTheImage) {
  for (const std::string name : {"new.sqsh", "new.erofs"}) {
    const auto end = start({"--container-save", name, "--container-mounts", "tmpfs:/fast"}, image(),
                           "echo kept > /mark; echo not > /fast/file; exit 3");
    EXPECT_EQ(end.exit_code, 3) << end.err;
    EXPECT_EQ(end.err, "");
    const auto again = start({}, "./" + name, "cat /mark; echo $FROM_IMAGE; ls /fast");
    EXPECT_EQ(again.out, "kept\nyes\n") << again.err;
  }
  EXPECT_THAT(files(), testing::UnorderedElementsAre("new.sqsh", "new.erofs"));
}

TEST_F(RunSave, AnImageCanBeGoneOnWith) {
  ASSERT_EQ(start({"--container-save", "go.sqsh"}, image(), "echo 1 > /count").exit_code, 0);
  const auto next = start({"--container-save", "go.sqsh"}, "./go.sqsh", "echo 2 >> /count");
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_EQ(start({}, "./go.sqsh", "cat /count").out, "1\n2\n");
}

TEST_F(RunSave, RootInsideIsSavedToo) {
  const auto end = start({"--container-save", "r.sqsh", "--container-remap-root"}, image(),
                         "id -u; echo kept > /etc/mark");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, "0\n");
  EXPECT_EQ(start({}, "./r.sqsh", "cat /etc/mark").out, "kept\n");
}

TEST_F(RunSave, WhatCannotBeWrittenIsOneLine) {
  ASSERT_EQ(::mkdir(path("work/closed").c_str(), 0755), 0);
  fs::create_directory(path("work/folder.sqsh"));
  for (const auto* name : {"closed/new.sqsh", "missing/new.sqsh", "folder.sqsh"}) {
    for (const int code : {0, 7}) {
      const auto end = start({"--container-save", name}, image(), "exit " + std::to_string(code));
      EXPECT_EQ(end.exit_code, code == 0 ? 1 : code) << name;
      EXPECT_THAT(end.err, AllOf(StartsWith("berth: --container-save: "), HasSubstr(name)));
      EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
    }
  }
  EXPECT_THAT(files(), testing::UnorderedElementsAre("closed", "folder.sqsh"));
}

TEST_F(RunSave, WithoutACommandNothingIsWritten) {
  const auto end = run({as_user({"--container-save", "new.sqsh", image(), "--", "frobnicate"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 127);
  const auto closed = start({"--container-save", "new.sqsh", "--container-readonly"}, image(), ":");
  EXPECT_EQ(closed.exit_code, 2);
  EXPECT_THAT(files(), testing::IsEmpty());
}

}  // namespace
}  // namespace berth::cli
