#include "run_scene.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using RunOptions = run_scene;

TEST_F(RunOptions, TheContainersOptionsAreThoseOfSrun) {
  write("work/f", "data\n");
  const auto end =
      run({as_user({"--container-mounts", ".:/mnt/w:ro", "--container-mounts", "tmpfs:/fast",
                    "--container-workdir", "/mnt/w", "--no-container-mount-home",
                    "--container-readonly", "--container-env", "FROM_IMAGE", image(), "--", "sh",
                    "-c", "pwd; cat f; >/fast/f && echo fast; echo $FROM_IMAGE; >g; >/g"}),
           [&] {
             auto environment = users_environment();
             environment.emplace_back("FROM_IMAGE=caller");
             return environment;
           }(),
           {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "/mnt/w\ndata\nfast\ncaller\n") << end->err;
  EXPECT_THAT(end->err, HasSubstr("/g: Read-only file system"));
}

TEST_F(RunOptions, VariablesAreAsGoodAsOptions) {
  auto environment = users_environment();
  environment.emplace_back("BERTH_CONTAINER_WORKDIR=/opt/w");
  environment.emplace_back("LD_LIBRARY_PATH=/nowhere");
  const auto end =
      run({as_user({image(), "--", "sh", "-c", "pwd; echo [$LD_LIBRARY_PATH]"}), environment, {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "/opt/w\n[]\n") << end->err;
}

TEST_F(RunOptions, TheTimeOfTheStartIsTold) {
  const auto end = run({as_user({"--container-timing", image(), "--", "sh", "-c", "echo ran"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "ran\n");
  EXPECT_THAT(end->err, testing::StartsWith("berth: ready in "));
  EXPECT_THAT(end->err, AllOf(HasSubstr(" mount "), HasSubstr(" root "), HasSubstr(" other ")));
}

TEST_F(RunOptions, ExplainTellsWhoSaidWhatAndRunsNothing) {
  auto environment = users_environment();
  environment.emplace_back("LD_PRELOAD=/node.so");
  const auto end =
      run({as_user({"--container-explain", "--container-mounts", "/etc:/mnt/e:ro,/absent:/mnt/a",
                    "--container-workdir", "/opt/w", image(), "--", "sh", "-c", "echo ran"}),
           environment,
           {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_THAT(end->out,
              AllOf(HasSubstr(image() + " (squashfs, "), HasSubstr("fuse: berth run"),
                    HasSubstr("/etc -> /mnt/e (read-only, user)\n"),
                    HasSubstr("/proc -> /proc (default)\n"), HasSubstr("FROM_IMAGE=yes (image)\n"),
                    HasSubstr("LD_PRELOAD removed (default)\n"),
                    HasSubstr("/opt/w (--container-workdir)\n"),
                    HasSubstr("\"/absent\" (user) is not on this machine\n")));
  EXPECT_THAT(end->out, testing::Not(HasSubstr("ran\n")));
}

TEST_F(RunOptions, ExplainWarnsOfLibrariesThatCannotRunInTheImage) {
  write("work/libnew.so.1", "needs GLIBC_2.99 and GLIBC_2.4");
  write("work/libold.so.1", "needs GLIBC_2.4");
  const auto end =
      run({as_user({"--container-explain", "--container-mounts",
                    "./libnew.so.1:/opt/libnew.so.1,./libold.so.1:/opt/libold.so.1", image()}),
           users_environment(),
           {}});
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out,
              AllOf(HasSubstr("libnew.so.1\" (user mount) needs glibc 2.99, the image has 2."),
                    testing::Not(HasSubstr("libold.so.1\" ("))))
      << end->err;
}

TEST_F(RunOptions, ExplainNamesTheMachineOfAnImageWithoutMetadata) {
  auto library = *read_file("/lib/x86_64-linux-gnu/libc.so.6", std::size_t{64} << 20);
  library[18] = static_cast<char>(183);  // EM_AARCH64, in e_machine
  fs::create_directories(path("work/foreign/usr/lib"));
  write("work/foreign/usr/lib/libc.so.6", library);
  const auto end = run({as_user({"--container-explain", "./foreign"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out, HasSubstr("the image is for arm64, this machine is ")) << end->err;
  EXPECT_THAT(end->out, HasSubstr("mpi          none found in the image\n"));
}

TEST_F(RunOptions, EnrootsEnvironmentIsTheImagesToo) {
  write("work/environment", "OF_FILE=\"${HOME}/x\"\nFROM_IMAGE=file\nstrange\n");
  write("work/fstab", "# of enroot\n${HOME}/in /mnt/d none x-create=dir,bind,ro\n");
  fs::create_directory(path("home/in"));
  write("home/in/file", "shown\n");
  ASSERT_TRUE(run_ok({{BERTH_PROGRAM, "pack", "sh", "--no-mpi", "--env", "FROM_IMAGE=yes", "--file",
                       path("work/environment") + ":/etc/environment", "--file",
                       path("work/fstab") + ":/etc/fstab", "-o", path("work/e.sqsh")},
                      current_environment(),
                      {}}));
  const auto end = run({as_user({"./e.sqsh", "--", "sh", "-c",
                                 "echo $OF_FILE $FROM_IMAGE; read x </mnt/d/file; echo $x"}),
                        users_environment(),
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, path("home") + "/x yes\nshown\n") << end->err;
  EXPECT_EQ(end->err, "berth: image \"" + path("work/e.sqsh") +
                          "\": the image's /etc/environment: line 3 is not NAME=VALUE, ignoring\n");
  const auto hidden = run(
      {as_user({"--no-container-mount-home", "./e.sqsh", "--", "sh"}), users_environment(), {}});
  ASSERT_TRUE(hidden);
  EXPECT_EQ(hidden->exit_code, 125);
  EXPECT_THAT(hidden->err, AllOf(HasSubstr("its /etc/fstab: mount source \"" + path("home/in")),
                                 HasSubstr("--no-container-mount-home hides"),
                                 HasSubstr("--container-mounts=tmpfs:/mnt/d starts without it")));
  const auto told = run({as_user({"--container-explain", "./e.sqsh"}), users_environment(), {}});
  ASSERT_TRUE(told);
  EXPECT_THAT(told->out, AllOf(HasSubstr("OF_FILE=" + path("home") + "/x (image)\n"),
                               HasSubstr("/etc/environment: line 3 is not NAME=VALUE\n"),
                               HasSubstr(path("home") + "/in -> /mnt/d (read-only, image)\n")));
}

TEST_F(RunOptions, ExplainShowsThePinningPlanWhereItIsAskedFor) {
  const auto end =
      run({as_user({"--container-explain", "--pin", "core", image()}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out, HasSubstr("pin plan     this machine: ")) << end->err;
}

TEST_F(RunOptions, ExplainSpeaksJsonAndNeedsNoCommand) {
  const auto end = run({as_user({"--container-explain=json", image()}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  for (const auto* key : {"\"image\"", "\"backend\"", "\"mounts\"", "\"environment\"",
                          "\"workdir\"", "\"pin\"", "\"warnings\""}) {
    EXPECT_THAT(end->out, HasSubstr(key));
  }
  const auto wrong = run({as_user({"--container-explain=xml", image()}), users_environment(), {}});
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->exit_code, 2);
  EXPECT_THAT(wrong->err, HasSubstr("neither text nor json"));
}

TEST_F(RunOptions, WrongOptionsAreOneLineAndExitCode2) {
  const std::pair<std::vector<std::string>, const char*> calls[] = {
      {{"--container-mounts", "/a:b"}, "--container-mounts: \"/a:b\": target \"b\""},
      {{"--container-workdir", "here"}, "not an absolute path"},
      {{"--container-readonly", "--container-writable"}, "opposite are both given"},
      {{"--container-backend", "docker"}, "none of auto, kernel, fuse, unpack"},
      {{"--container-workdir", "/a", "--container-workdir", "/b"}, "given twice"},
  };
  for (const auto& [options, message] : calls) {
    auto words = options;
    words.insert(words.end(), {image(), "--", "true"});
    const auto end = run({as_user(words), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 2) << end->err;
    EXPECT_THAT(end->err, HasSubstr(message));
    EXPECT_EQ(std::count(end->err.begin(), end->err.end(), '\n'), 1) << end->err;
  }
}

TEST_F(RunOptions, AnUnpackedImageIsKeptForTheNextTime) {
  const std::vector<std::string> words{"--container-backend",
                                       "unpack",
                                       image(),
                                       "--",
                                       "sh",
                                       "-c",
                                       "cat /etc/os-release; >/mine && echo $FROM_IMAGE"};
  for (int time = 0; time < 2; ++time) {
    const auto end = run({as_user(words), users_environment(), {}});
    ASSERT_TRUE(end);
    EXPECT_THAT(end->out, AllOf(HasSubstr("NAME=\"Berth image\""), HasSubstr("\nyes\n")))
        << end->err;
  }
  const auto entries = fs::directory_iterator(path("home/.cache/berth/") + user);
  EXPECT_EQ(std::count_if(begin(entries), end(entries),
                          [](const auto& entry) { return entry.is_directory(); }),
            1);
}

TEST_F(RunOptions, AUsersErofsImageIsUnpackedAndExplainSaysWhy) {
  const auto erofs = path("home/i.erofs");
  ASSERT_TRUE(run_ok({{BERTH_PROGRAM, "convert", image(), erofs}, users_environment(), {}}));
  const auto told = run({as_user({"--container-explain", erofs}), users_environment(), {}});
  ASSERT_TRUE(told);
  EXPECT_THAT(told->out, HasSubstr("unpack: no FUSE server reads EROFS, and the kernel may not: "
                                   "berth run has no privilege"));
  const auto end = run({as_user({erofs, "--", "cat", "/etc/os-release"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out, HasSubstr("NAME=\"Berth image\"")) << end->err;
  const auto fuse =
      run({as_user({"--container-backend=fuse", erofs, "--", "true"}), users_environment(), {}});
  ASSERT_TRUE(fuse);
  EXPECT_EQ(fuse->exit_code, 125);
  EXPECT_THAT(fuse->err, HasSubstr("leave the option out, and it is unpacked"));
}

TEST_F(RunOptions, AnErofsImageThatCannotBeUnpackedNamesTheOtherWay) {
  const auto erofs = path("home/i.erofs");
  ASSERT_TRUE(run_ok({{BERTH_PROGRAM, "convert", image(), erofs}, users_environment(), {}}));
  std::ofstream(path("home/.cache")) << "no folder";
  const auto end = run({as_user({erofs, "--", "true"}), users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 125);
  EXPECT_THAT(end->err, AllOf(HasSubstr("must be unpacked: "), HasSubstr("berth convert IMAGE")));
  EXPECT_EQ(std::count(end->err.begin(), end->err.end(), '\n'), 1) << end->err;
}

}  // namespace
}  // namespace berth::cli
