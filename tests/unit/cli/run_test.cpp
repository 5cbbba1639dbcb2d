#include "run_scene.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using RunVerb = run_scene;

TEST_F(RunVerb, TheRootIsTheImage) {
  const auto end = shell("cat /etc/os-release; ls /opt/w; echo $FROM_IMAGE; ls /usr/share/doc");
  EXPECT_THAT(end.out, AllOf(HasSubstr("NAME=\"Berth image\""), HasSubstr("denied\nyes\n")));
  EXPECT_THAT(end.err, HasSubstr("/usr/share/doc"));
}

TEST_F(RunVerb, TheExitCodeIsTheCommands) {
  for (const auto code : {0, 1, 9, 255}) {
    EXPECT_EQ(shell("exit " + std::to_string(code)).exit_code, code);
  }
}

TEST_F(RunVerb, AFolderIsAnImage) {
  const auto folder = images_ / "unpacked";
  ASSERT_TRUE(run_ok(
      {{"unsquashfs", "-q", "-n", "-d", folder.string(), image()}, current_environment(), {}}));
  const auto end = run({as_user({folder, "--", "sh", "-c", "cat /etc/os-release; >/mine"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_THAT(end->out, HasSubstr("NAME=\"Berth image\""));
  EXPECT_FALSE(fs::exists(folder / "mine"));
}

TEST_F(RunVerb, WithoutAContainerTheExitCodeIs125) {
  const auto text = write("text", "hello");
  const std::pair<std::string, const char*> images[] = {
      {path("absent.sqsh"), "No such file"},
      {text, "not a squashfs image"},
      {"/dev/null", "not a regular file or a folder"},
  };
  for (const auto& [name, message] : images) {
    const auto end = run({as_user({name, "--", "true"}), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 125) << end->err;
    EXPECT_THAT(end->err,
                AllOf(testing::StartsWith("berth: error: image \"" + name), HasSubstr(message)));
    EXPECT_EQ(std::count(end->err.begin(), end->err.end(), '\n'), 1) << end->err;
  }
}

TEST_F(RunVerb, AnImageThatTheUserCannotReadIsRefused) {
  const auto secret = path("secret.sqsh");
  fs::copy_file(image(), secret);
  ASSERT_EQ(::chmod(secret.c_str(), 0600), 0);
  const auto end = run({as_user({secret, "--", "true"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 125);
  EXPECT_THAT(end->err, AllOf(HasSubstr("Permission denied"), HasSubstr("read permission")));
}

TEST_F(RunVerb, ACommandThatCannotBeRunIs126AndAMissingOne127) {
  const auto denied = inside({"/opt/w/denied"});
  EXPECT_EQ(denied.exit_code, 126);
  EXPECT_THAT(denied.err,
              AllOf(HasSubstr("i.sqsh"), HasSubstr("\"/opt/w/denied\""), HasSubstr("chmod +x")));
  const auto missing = inside({"frobnicate"});
  EXPECT_EQ(missing.exit_code, 127);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("\"frobnicate\""), HasSubstr("searched PATH=")));
  EXPECT_EQ(inside({"/no/such"}).exit_code, 127);
}

TEST_F(RunVerb, WrongUsageIs2) {
  for (const auto& words : {std::vector<std::string>{}, {image()}, {image(), "--"}}) {
    const auto end = run({as_user(words), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 2) << end->err;
    EXPECT_THAT(end->err, testing::StartsWith("berth: error: "));
  }
}

TEST_F(RunVerb, OptionsAfterTheCommandAreTheCommands) {
  EXPECT_EQ(inside({"sh", "-c", "echo \"$@\"", "sh", "--help", "--site", "-x", "--"}).out,
            "--help --site -x --\n");
}

TEST_F(RunVerb, StartsWhereTheUserIsAndShowsTheHome) {
  write("home/mine", "at home");
  EXPECT_EQ(inside({"sh", "-c", "pwd; cat $HOME/mine"}).out, path("work") + "\nat home");
  ASSERT_EQ(shell("echo kept > result").exit_code, 0);
  EXPECT_EQ(*read_file(path("work/result"), 100), "kept\n");
}

TEST_F(RunVerb, WhatIsWrittenElsewhereIsThrownAway) {
  EXPECT_EQ(shell("echo x > /berth-new && cat /berth-new").out, "x\n");
  EXPECT_FALSE(fs::exists("/berth-new"));
  EXPECT_NE(shell("cat /berth-new").exit_code, 0);
}

TEST_F(RunVerb, TheUserStaysTheUserWithoutAnyPrivilege) {
  const auto end = shell("id -u; id -g; cat /proc/self/status; cat /proc/self/uid_map");
  EXPECT_THAT(end.out, testing::StartsWith("65534\n65534\n"));
  EXPECT_THAT(end.out, HasSubstr("NoNewPrivs:\t1"));
  for (const auto* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"}) {
    EXPECT_THAT(end.out, HasSubstr(std::string(set) + ":\t0000000000000000"));
  }
}

TEST_F(RunVerb, TheCommandHasTheCallersDescriptorsAndNoMore) {
  const std::string script = "echo /proc/self/fd/*";
  const auto outside = run({{"sh", "-c", script}, users_environment(), {}});
  ASSERT_TRUE(outside);
  EXPECT_EQ(shell(script).out, outside->out);
}

TEST_F(RunVerb, StandardInputReachesTheCommand) {
  const std::string much(1 << 20, 'i');
  EXPECT_TRUE(inside({"cat"}, much).out == much);
}

TEST_F(RunVerb, SignalsReachTheCommandAndItsDeathIsSeen) {
  for (const auto signal : {SIGTERM, SIGINT, SIGKILL}) {
    running_command running(as_user({image(), "--", "sh", "-c", "echo ready; exec sleep 600"}),
                            users_environment());
    ASSERT_EQ(running.first_line, "ready");
    ::kill(running.pid, signal);
    EXPECT_EQ(running.wait(), 128 + signal);
  }
  running_command trapping(
      as_user({image(), "--", "sh", "-c",
               "trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done"}),
      users_environment());
  ASSERT_EQ(trapping.first_line, "ready");
  ::kill(trapping.pid, SIGUSR1);
  EXPECT_EQ(trapping.wait(), 7);
}

/// The FUSE servers that read this test's image.
std::vector<pid_t> servers_of(const fs::path& image) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = parse_unsigned(entry.path().filename().string());
    std::error_code code;
    if (!pid || fs::read_symlink(entry.path() / "exe", code).filename() != "berth-squashfuse")
      continue;
    if (fs::read_symlink(entry.path() / "fd/3", code) == image) {
      found.push_back(static_cast<pid_t>(*pid));
    }
  }
  return found;
}

TEST_F(RunVerb, TheServerEndsWithTheCommandEvenAfterSigkill) {
  for (const auto signal : {SIGTERM, SIGKILL}) {
    running_command running(as_user({image(), "--", "sh", "-c", "echo ready; exec sleep 600"}),
                            users_environment());
    ASSERT_EQ(running.first_line, "ready");
    const auto servers = servers_of(image());
    ASSERT_EQ(servers.size(), 1U);
    const unique_fd server(static_cast<int>(::syscall(SYS_pidfd_open, servers.front(), 0)));
    ASSERT_TRUE(server);
    ::kill(running.pid, signal);
    EXPECT_EQ(running.wait(), 128 + signal);
    pollfd entry{server.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&entry, 1, plenty_ms), 1) << "berth-squashfuse still runs";
  }
}

TEST_F(RunVerb, SideBySideContainersDoNotSeeEachOthersFiles) {
  running_command first(
      as_user({image(), "--", "sh", "-c", "echo a > /mark; echo ready; exec sleep 600"}),
      users_environment());
  ASSERT_EQ(first.first_line, "ready");
  EXPECT_NE(shell("cat /mark").exit_code, 0);
  ::kill(first.pid, SIGTERM);
  first.wait();
}

TEST_F(RunVerb, ABrokenSiteFileRefusesWithItsLine) {
  const auto site = write("site.lua", "return {\n  colour = 1,\n}\n");
  ASSERT_EQ(::chmod(site.c_str(), 0644), 0);
  const auto end =
      run({as_user({"--site", site, image(), "--", "sh", "-c", ":"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 125);
  EXPECT_THAT(end->err, HasSubstr("site.lua:2"));
}

TEST_F(RunVerb, MountsAndVariablesOfTheSiteAreThere) {
  fs::create_directory(folder_ / "shared");
  write("shared/data", "shared");
  const auto site = write("site.lua", "return { mounts = { { source = \"" + path("shared") +
                                          "\", target = \"/data\", read_only = true } }, "
                                          "environment = { set = { SITE = \"here\" } } }\n");
  const auto end = run({as_user({"--site", site, image(), "--", "sh", "-c",
                                 "cat /data/data; echo $SITE; echo x > /data/new"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out, testing::StartsWith("sharedhere\n")) << end->err;
  EXPECT_NE(end->exit_code, 0);
  EXPECT_FALSE(fs::exists(path("shared/new")));
}

}  // namespace
}  // namespace berth::cli
