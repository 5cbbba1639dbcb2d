// --container-name of `berth run`, and `berth rm`.

#include <nlohmann/json.hpp>
#include <thread>

#include "named_scene.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using RunNamed = named_scene;

TEST_F(RunNamed, WhatOneRunWritesTheNextSees) {
  EXPECT_EQ(in({"c", image()}, "echo 1 > /count; exit 3").exit_code, 3);
  EXPECT_EQ(in({"c", image()}, "echo 2 >> /count").exit_code, 0);
  const auto end = in({"c"}, "cat /count; echo $FROM_IMAGE");
  EXPECT_EQ(end.out, "1\n2\nyes\n") << end.err;
  EXPECT_EQ(in({"other", image()}, "cat /count").out, "");
  EXPECT_THAT(left(), UnorderedElementsAre("c", "other"));
}

TEST_F(RunNamed, RemovedItIsGone) {
  ASSERT_EQ(in({"c", image()}, "mkdir /d; echo 1 > /d/f; chmod 0 /d").exit_code, 0);
  const auto end = remove({"c"});
  EXPECT_EQ(end.out, "c\n") << end.err;
  EXPECT_THAT(left(), IsEmpty());
  expect_refusal(in({"c"}, ":"), 125, "container \"c\": there is none; make it: berth run");
  EXPECT_EQ(in({"c", image()}, "ls /d").exit_code, 2);
}

TEST_F(RunNamed, FoldersDeeperThanTheLimitOfDescriptorsAreRemoved) {
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  auto deep = state() / "c/upper";
  for (int i = 0; i < 100; ++i) deep /= "d";
  make_users(deep);
  auto words = as_user({"c"}, "rm");
  words.insert(words.begin(), {"prlimit", "--nofile=50:200"});
  const auto end = run({words, users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "c\n") << end->err;
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(RunNamed, AStateFolderThatCannotBeMadeIsToldWithTheCure) {
  more_ = {"XDG_STATE_HOME=" + write("file", "") + "/state"};
  const auto end = in({"c", image()}, ":");
  expect_refusal(end, 125, "cannot make folder \"" + path("file") + "/state\": Not a directory");
  EXPECT_THAT(end.err, HasSubstr("set XDG_STATE_HOME"));
}

TEST_F(RunNamed, RemovalGoesOnAfterOneThatIsMissing) {
  for (const auto* name : {"a", "b"}) ASSERT_EQ(in({name, image()}, ":").exit_code, 0);
  const auto end = remove({"a", "absent", "b"});
  EXPECT_EQ(end.out, "a\nb\n");
  expect_refusal(end, 1, "container \"absent\": there is none");
  const auto forced = remove({"-f", "absent"});
  EXPECT_EQ(forced.exit_code, 0);
  EXPECT_EQ(forced.out + forced.err, "");
  expect_refusal(remove({"../a"}), 2, "letters, digits");
  expect_refusal(in({"../a", image()}, ":"), 2, "letters, digits");
}

TEST_F(RunNamed, FlagsSayWhetherItMustBeThere) {
  expect_refusal(in({"c:exec", image()}, ":"), 125, "there is none");
  EXPECT_FALSE(fs::exists(state() / "c"));
  EXPECT_EQ(in({"c:create", image()}, "echo 1 > /mark").exit_code, 0);
  expect_refusal(in({"c:create", image()}, ":"), 125, "exists; leave out \":create\"");
  for (const auto* name : {"c", "c:exec", "c:auto", "c:no_exec"}) {
    EXPECT_EQ(in({name}, "cat /mark").out, "1\n") << name;
  }
}

TEST_F(RunNamed, DeletionsAndRenamesStay) {
  const auto end = in({"c", image()},
                      "rm -r /opt/w && mkdir /opt/w && mv /etc/os-release /etc/renamed && "
                      "mkdir /a && echo 1 > /a/f && mv /a /b && rm -r /srv");
  ASSERT_EQ(end.exit_code, 0) << end.err;
  const auto next = in({"c"}, "ls /opt/w /b; cat /etc/renamed; ls /etc/os-release /srv /a");
  EXPECT_THAT(next.out, HasSubstr("/b:\nf\n\n/opt/w:\nNAME="));
  EXPECT_EQ(std::count(next.err.begin(), next.err.end(), '\n'), 3) << next.err;
}

TEST_F(RunNamed, AnotherImageIsRefused) {
  fs::copy_file(image(), path("work/own.sqsh"));
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  const auto end = in({"c", "./own.sqsh"}, ":");
  expect_refusal(end, 125,
                 "container \"c\" is made of image \"" + image() + "\", not \"" +
                     path("work/own.sqsh") + "\"");
  EXPECT_THAT(end.err, HasSubstr("berth rm c"));
}

TEST_F(RunNamed, AnImageThatChangedIsRefusedUntilItIsBack) {
  const auto own = path("work/own.sqsh");
  fs::copy_file(image(), own);
  const auto time = fs::last_write_time(own);
  ASSERT_EQ(in({"c", "./own.sqsh"}, "echo 1 > /mark").exit_code, 0);
  fs::last_write_time(own, time + std::chrono::seconds(1));
  for (const auto& words : {std::vector<std::string>{"c"}, {"c", own}}) {
    expect_refusal(in(words, ":"), 125, "its image \"" + own + "\" has changed since");
  }
  fs::remove(own);
  expect_refusal(in({"c"}, ":"), 125, "image \"" + own + "\"");
  fs::copy_file(image(), own);
  fs::last_write_time(own, time);
  EXPECT_EQ(in({"c"}, "cat /mark").out, "1\n");
}

TEST_F(RunNamed, TwoAtOnceAreRefusedAndTheHolderIsNamed) {
  auto first = start("c", "echo 1 > /mark; echo ready; exec sleep 600");
  ASSERT_EQ(first.first_line, "ready");
  const auto holder = "container \"c\": process " + std::to_string(first.pid) + " uses it";
  expect_refusal(in({"c", image()}, ":"), 125, holder);
  expect_refusal(remove({"c"}), 1, holder);
  expect_refusal(remove({"-f", "c"}), 1, holder);
  EXPECT_EQ(in({"other", image()}, ":").exit_code, 0);
  ::kill(first.pid, SIGTERM);
  EXPECT_EQ(first.wait(), 128 + SIGTERM);
  EXPECT_EQ(in({"c"}, "cat /mark").out, "1\n");
}

TEST_F(RunNamed, AChildThatStaysUsesItToo) {
  auto first = start("c", "sleep 600 >/dev/null & echo $!");
  const auto child = parse_unsigned(first.first_line);
  ASSERT_TRUE(child);
  EXPECT_EQ(first.wait(), 0);
  const unique_fd ended(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(*child), 0)));
  ASSERT_TRUE(ended);
  expect_refusal(in({"c"}, ":"), 125,
                 "a child of process " + std::to_string(first.pid) + ", which has ended, uses it");
  ::kill(static_cast<pid_t>(*child), SIGKILL);
  pollfd entry{ended.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&entry, 1, plenty_ms), 1);
  EXPECT_EQ(in({"c"}, ":").exit_code, 0);
}

TEST_F(RunNamed, KilledWhileItWritesItStaysUsable) {
  for (int i = 0; i < 3; ++i) {
    auto running = start("c",
                         "echo kept > /mark; echo ready; i=0; "
                         "while :; do i=$((i+1)); echo $i > /new$((i%100)); done");
    ASSERT_EQ(running.first_line, "ready");
    ::kill(running.pid, SIGKILL);
    EXPECT_EQ(running.wait(), 128 + SIGKILL);
    EXPECT_EQ(in({"c"}, "cat /mark").out, "kept\n");
  }
}

// Each is served or told who uses it, and what one was told to have done is there for the next.
TEST_F(RunNamed, ManyAtOnceSpoilNothing) {
  constexpr int workers = 5;
  constexpr int rounds = 6;
  std::vector<std::thread> crowd;
  for (int worker = 0; worker < workers; ++worker) {
    crowd.emplace_back([this, worker] {
      for (int round = 0; round < rounds; ++round) {
        const bool removes = (worker + round) % 3 == 0;
        const auto end = removes ? remove({"c"}) : in({"c", image()}, "echo x > /mark; cat /mark");
        if (end.exit_code == 0) {
          EXPECT_EQ(end.out, removes ? "c\n" : "x\n");
        } else {
          EXPECT_EQ(end.exit_code, removes ? 1 : 125);
          EXPECT_THAT(end.err, testing::AnyOf(HasSubstr(" uses it; wait for its end\n"),
                                              HasSubstr("\"c\": there is none; steps")));
          EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
        }
      }
    });
  }
  for (auto& worker : crowd) worker.join();
  EXPECT_EQ(in({"c", image()}, "echo y >> /mark; cat /mark").exit_code, 0);
  EXPECT_EQ(remove({"c"}).out, "c\n");
  EXPECT_THAT(left(), IsEmpty());
}

// What a run or a removal leaves behind that was killed before, or after, there was a record.
TEST_F(RunNamed, LeftoversAreNoContainer) {
  const std::vector<std::vector<const char*>> leftovers{
      {}, {"work/work"}, {"upper"}, {"upper/junk", "work/work"}};
  for (const auto& folders : leftovers) {
    make_users(state() / "c", 0700);
    for (const auto* folder : folders) {
      make_users((state() / "c" / folder).parent_path());
      make_users(state() / "c" / folder, 0);
    }
    std::ofstream(state() / "c/record.new") << "half";
    ASSERT_EQ(::chown((state() / "c/record.new").c_str(), 65534, 65534), 0);
    expect_refusal(in({"c"}, ":"), 125, "there is none");
    const auto end = in({"c:create", image()}, "ls /junk; echo ran");
    EXPECT_EQ(end.out, "ran\n") << end.err;
    EXPECT_EQ(remove({"c"}).out, "c\n");
  }
}

TEST_F(RunNamed, WithoutAContainerNothingIsLeft) {
  expect_refusal(in({"c", "./absent.sqsh"}, ":"), 125, "absent.sqsh");
  expect_refusal(in({"c", "--container-mounts", "/absent:/x", image()}, ":"), 125, "/absent");
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(RunNamed, ReadOnlyNothingIsAdded) {
  ASSERT_EQ(in({"c", image()}, "echo 1 > /mark").exit_code, 0);
  const auto end = in({"c", "--container-readonly"}, "cat /mark; echo 2 > /mark");
  EXPECT_EQ(end.out, "1\n");
  EXPECT_THAT(end.err, HasSubstr("Read-only file system"));
  EXPECT_EQ(in({"c"}, "cat /mark").out, "1\n");
}

TEST_F(RunNamed, WhatRootInsideInstalledStaysForAll) {
  const auto end = in({"c", "--container-remap-root", image()},
                      "id -u; mkdir /opt/pkg && echo 1 > /opt/pkg/file && chmod 600 /opt/pkg/file "
                      "&& rm /etc/os-release && echo new > /etc/passwd.new && "
                      "mv /etc/passwd.new /etc/passwd");
  EXPECT_EQ(end.out, "0\n") << end.err;
  EXPECT_EQ(in({"c"}, "id -u; cat /opt/pkg/file; ls /etc/os-release").out, "65534\n1\n");
  EXPECT_EQ(in({"c", "--container-remap-root"}, "id -u; cat /opt/pkg/file /etc/passwd").out,
            "0\n1\nnew\n");
}

TEST_F(RunNamed, ItCanBeSaved) {
  ASSERT_EQ(in({"c", image()}, "echo 1 > /mark; rm -r /opt/w").exit_code, 0);
  const auto end = in({"c", "--container-save", "new.sqsh"}, "echo 2 >> /mark");
  ASSERT_EQ(end.exit_code, 0) << end.err;
  const auto saved = as("run", {"./new.sqsh", "--", "sh", "-c", "cat /mark; ls /opt"});
  EXPECT_EQ(saved.out, "1\n2\n") << saved.err;
  EXPECT_EQ(in({"c"}, "cat /mark").out, "1\n2\n");
}

TEST_F(RunNamed, MountPointsAreMadeInALayerThatIsThere) {
  ASSERT_EQ(in({"c", image()}, "rm -r /opt").exit_code, 0);
  for (int i = 0; i < 2; ++i) {
    const auto end = in({"c", "--container-mounts", "tmpfs:/opt/new/fast"},
                        ">/opt/new/fast/f && ls /opt /opt/new/fast");
    EXPECT_EQ(end.out, "/opt:\nnew\n\n/opt/new/fast:\nf\n") << end.err;
  }
}

// Where root of the namespace cannot write, as in the image's own folders here.
TEST_F(RunNamed, AFolderThatIsAnothersHasNewMountPointsAtItsStart) {
  const auto tree = images_ / "of-root";
  ASSERT_TRUE(run_ok(
      {{"unsquashfs", "-q", "-n", "-d", tree.string(), image()}, current_environment(), {}}));
  auto pattern = std::string("/var/tmp/berth-here-XXXXXX");
  const fs::path here = ::mkdtemp(pattern.data());
  ASSERT_EQ(::chown(here.c_str(), 65534, 65534), 0);
  ASSERT_EQ(in({"c", tree}, "echo 1 > /mark").exit_code, 0);
  auto words = as_user({"--container-name", "c", "--", "sh", "-c", "pwd; cat /mark"});
  words[2] = here;
  const auto end = run({words, users_environment(), {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->out, "/opt/w\n1\n") << end->err;
  words[10] = "d";
  words.insert(words.begin() + 11, tree);
  const auto fresh = run({words, users_environment(), {}});
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->out, here.string() + "\n") << fresh->err;
  fs::remove_all(here);
}

TEST_F(RunNamed, AptRunsAsRootAlsoWhereAnotherMadeTheContainer) {
  const auto rules = write("rules", "");
  ASSERT_TRUE(run_ok({{BERTH_PROGRAM, "pack", "sh", "cat", "ls", "--no-mpi", "--file",
                       rules + ":/etc/apt/apt.conf.d/00own", "-o", path("apt.sqsh")},
                      environment(),
                      {}}));
  EXPECT_EQ(in({"c", path("apt.sqsh")}, "ls /etc/apt/apt.conf.d").out, "00own\n");
  for (int i = 0; i < 2; ++i) {
    const auto end = in({"c", "--container-remap-root"}, "cat /etc/apt/apt.conf.d/90*");
    EXPECT_EQ(end.out, "APT::Sandbox::User \"root\";\n") << end.err;
  }
}

TEST_F(RunNamed, TheUsersUmaskIsTheCommandsAndNotTheRoots) {
  const auto before = ::umask(0077);
  const auto end = in({"c", image()}, "umask; ls -ld /");
  const auto again = in({"c"}, "umask; ls -ld /");
  const auto unnamed = as("run", {image(), "--", "sh", "-c", "umask; ls -ld /"});
  ::umask(before);
  for (const auto& one : {end, again, unnamed}) {
    EXPECT_THAT(one.out, testing::StartsWith("0077\ndrwxr-xr-x ")) << one.err;
  }
}

TEST_F(RunNamed, TheStateFolderIsTheUsersChoice) {
  more_ = {"XDG_STATE_HOME=" + path("work/state")};
  ASSERT_EQ(in({"c", image()}, "echo 1 > /mark").exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "work/state/berth/named/c/upper/mark"));
  EXPECT_FALSE(fs::exists(state()));
  EXPECT_EQ(in({"c"}, "cat /mark").out, "1\n");
}

// A file system without extended attributes, and one that overlayfs refuses.
TEST_F(RunNamed, AFileSystemThatCarriesNoLayerIsNamedWithTheCure) {
  const auto home = folder_ / "home";
  for (const auto& folder : {folder_ / "lower", folder_ / "upper", folder_ / "overlay"}) {
    fs::create_directory(folder);
  }
  const auto layers =
      "lowerdir=" + path("lower") + ",upperdir=" + path("upper") + ",workdir=" + path("overlay");
  for (const auto& [type, options] : {std::pair{"ramfs", std::string()}, {"overlay", layers}}) {
    ASSERT_EQ(::mount(type, home.c_str(), type, 0, options.c_str()), 0) << type;
    ASSERT_EQ(::chown(home.c_str(), 65534, 65534), 0);
    const auto end = in({"c", image()}, ":");
    expect_refusal(end, 125, (state() / "c").string() + "\"");
    EXPECT_THAT(end.err, HasSubstr("set XDG_STATE_HOME to a folder"));
    EXPECT_THAT(left(), IsEmpty());
    ASSERT_EQ(::umount2(home.c_str(), MNT_DETACH), 0);
  }
}

TEST_F(RunNamed, ExplainTellsWhereItIsKeptAndUsesItsImage) {
  expect_refusal(in({"c", "--container-explain"}, ":"), 2, "there is none");
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  const auto end = in({"c", "--container-explain"}, "echo ran > /mark");
  EXPECT_THAT(end.out, AllOf(HasSubstr(image() + " (squashfs, "),
                             HasSubstr("kept on disk as \"c\" until: berth rm c")));
  EXPECT_EQ(in({"c"}, "cat /mark").out, "");
}

TEST_F(RunNamed, TheListTellsWhatThereIs) {
  EXPECT_EQ(as("ps", {"--named", "-q"}).out, "");
  EXPECT_FALSE(fs::exists(state()));
  auto running = start("b", "echo ready; exec sleep 600");
  ASSERT_EQ(running.first_line, "ready");
  const auto script = "mkdir /d; cat /proc/self/exe /usr/bin/sh > /d/big; chmod 0 /d";
  ASSERT_EQ(in({"a", image()}, script).exit_code, 0);
  make_users(state() / "leftover", 0700);
  EXPECT_EQ(as("ps", {"--named", "-q"}).out, "a\nb\n");
  const auto all = nlohmann::json::parse(as("ps", {"--named", "--json"}).out).at("named");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("name"), "a");
  EXPECT_EQ(all[0].at("image"), image());
  EXPECT_GT(all[0].at("bytes"), 50'000);
  EXPECT_LE(all[0].at("created"), ::time(nullptr));
  EXPECT_GT(all[0].at("created"), ::time(nullptr) - 600);
  EXPECT_TRUE(all[0].at("pid").is_null());
  EXPECT_EQ(all[1].at("pid"), running.pid);
  const auto table = as("ps", {"--named"});
  EXPECT_THAT(table.out, testing::MatchesRegex("NAME .*\na .* - .*\nb .* [0-9]+ .*\n"));
  std::ofstream(state() / "a/record") << "x";
  const auto damaged = as("ps", {"--named", "-q"});
  expect_refusal(damaged, 1, "container \"a\": its record");
  EXPECT_EQ(damaged.out, "b\n");
  ::kill(running.pid, SIGKILL);
  EXPECT_EQ(running.wait(), 128 + SIGKILL);
}

TEST_F(RunNamed, WithoutAnImageTheWordsAfterTheMarkAreTheCommand) {
  ASSERT_EQ(in({"c", image()}, ":").exit_code, 0);
  EXPECT_EQ(as("run", {"--container-name=c", "--", "id", "-u"}).out, "65534\n");
  expect_refusal(as("run", {"--container-name=c", "--"}), 2, "COMMAND is missing");
  expect_refusal(as("run", {"--container-name=c"}), 2, "COMMAND is missing");
  expect_refusal(as("run", {"--", "id"}), 2, "COMMAND is missing");
}

}  // namespace
}  // namespace berth::cli
