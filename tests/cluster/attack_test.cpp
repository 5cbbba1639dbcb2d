// What a person with an account may try: hostile images, names and limits, files that change under
// the check, servers that are killed. And nodes that lack what a container is made of.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using ::testing::ResultOf;
using ::testing::SizeIs;

class Attack : public ClusterTest {};
class AttackOnLab : public LabTest {};

// For a shell in a container: the backend, which only root can have written there.
const std::string backend =
    "while read -r line; do case $line in *\" berth:kernel:\"*) b=kernel;; *\" berth:fuse:\"*) "
    "b=fuse;; *\" berth:unpack:\"*) b=unpack;; esac; done </proc/self/mountinfo; ";

// Makes NAME.sqsh of the tools and what `script` does to their tree.
void make_image(const std::string& name, const std::string& script, const std::string& options) {
  const auto end =
      shell(fmt::format("rm -rf tree {0}.sqsh; unsquashfs -q -n -d tree own.sqsh && cd tree && "
                        "{{ {1}; }} && cd .. && mksquashfs tree {0}.sqsh -quiet -no-progress "
                        "-noI -noD -noF -noX -all-root {2}",
                        name, script, options));
  ASSERT_EQ(end.exit_code, 0) << end.err;
}

TEST_F(AttackOnLab, NeitherSetUserIdProgramsNorDevicesOfAnImageWork) {
  make_image("hostile", "true",
             "-p '/usr/bin/id m 4755 0 0' -p '/memory c 666 0 0 1 5' -p '/usr/bin/cat m 6755 0 0'");
  const changed_node trusted(
      "login", "install -m 644 " + folder() + "/hostile.sqsh /srv/images/hostile.sqsh",
      "rm /srv/images/hostile.sqsh");
  const auto uid = line(shell("id -u").out);
  for (const auto* image : {"./hostile.sqsh", "/srv/images/hostile.sqsh",
                            "./hostile.sqsh --container-backend=unpack"}) {
    const auto end = shell(fmt::format(
        "srun -w n1 --container={} bash -c '{} echo $b; id -u; while read -r _ _ _ _ at how _; do "
        "test \"$at\" != / || echo $how; done </proc/self/mountinfo; head -c1 /memory; cat "
        "/etc/shadow'",
        image, backend));
    const auto lines = split(end.out, '\n');
    ASSERT_GE(lines.size(), 3U) << end.err;
    EXPECT_EQ(lines[1], uid) << lines[0];
    EXPECT_THAT(lines[2], AllOf(HasSubstr("nosuid"), HasSubstr("nodev"))) << lines[0];
    // Unpacked, devices are not there at all.
    EXPECT_THAT(end.err, AnyOf(HasSubstr("/memory' for reading: Permission denied"),
                               HasSubstr("/memory' for reading: No such file")));
    EXPECT_THAT(end.err, HasSubstr("cat: /etc/shadow: "));
  }
}

TEST_F(Attack, LinksInPlaceOfTheImagesFoldersLeadNowhereOutside) {
  ASSERT_EQ(shell("rm -rf outside in; mkdir outside in; touch in/mark").exit_code, 0);
  const auto away = "ln -s ../../../../../.." + folder() + "/outside ";
  for (const std::string name : {"dev", "tmp", "sys", "etc/passwd", "run", "home"}) {
    make_image("linked", fmt::format("rm -rf {0}; mkdir -p $(dirname {0}); {1}{0}", name, away),
               "");
    const auto end = shell("timeout 60 srun --container=linked.sqsh true");
    EXPECT_EQ(shell("ls -A outside").out, "") << name;
    // The tests' folder is below the home folder, whose way in the image is a ring then.
    if (name == "home") {
      EXPECT_THAT(our_lines(end), ElementsAre(HasSubstr("Too many levels of symbolic links")));
    } else {
      EXPECT_EQ(end.exit_code, 0) << name << end.err;
    }
  }
  make_image("linked", away + "way", "");
  const auto deeper = shell(
      "timeout 60 srun --container=linked.sqsh --container-mounts=./in:/way/deeper ls /way/deeper");
  EXPECT_EQ(deeper.out, "mark\n") << deeper.err;
  // A root that is there already is looked up anew.
  const auto named = shell(
      "timeout 60 salloc -Q -n1 bash -c 'srun --container=linked.sqsh --container-name=linked "
      "true; "
      "srun --container-name=linked --container-mounts=./in:/way/deeper true'");
  EXPECT_THAT(our_lines(named), ElementsAre(HasSubstr("mount point \"/way/deeper\"")));
  EXPECT_EQ(shell("ls -A outside in").out, "in:\nmark\n\noutside:\n");
}

TEST_F(Attack, AProcOfTheImagesOwnIsRefused) {
  make_image("linked", "rm -rf proc; ln -s tmp/x proc; mkdir -p tmp/x", "");
  const auto end = shell("srun --container=linked.sqsh cat /proc/self/status");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(our_lines(end), SizeIs(1)) << end.err;
}

// A link that leads to a trusted image now and to the user's own one then: what the kernel reads is
// always the trusted one.
TEST_F(AttackOnLab, AnImageThatIsSwappedIsNotTrusted) {
  // A start that looks twice is caught by one in four of them.
  constexpr int swapped_starts = 24;
  const auto& trusted = trusted_image();
  ASSERT_EQ(shell("berth pack bash --no-mpi --env MARK=own -o marked.sqsh").exit_code, 0);
  put_program("swap_names", BERTH_TEST_SWAP_NAMES);
  const auto end = shell(fmt::format(
      "ln -sfn {} a.link; ln -sfn $PWD/marked.sqsh swap.sqsh; ./swap_names a.link swap.sqsh & "
      "swapper=$!\n"
      "for ((i = 0; i < {}; ++i)); do srun -w n1 --container=./swap.sqsh bash -c '{} echo "
      "$b $MARK' || echo failed; done; kill $swapper",
      trusted, swapped_starts, backend));
  const auto lines = split(line(end.out), '\n');
  EXPECT_THAT(lines, SizeIs(swapped_starts)) << end.err;
  EXPECT_THAT(lines, Each(AnyOf("kernel", "fuse own"))) << end.err;
  EXPECT_THAT(lines, AllOf(Contains("kernel"), Contains("fuse own"))) << "never swapped";
}

TEST_F(AttackOnLab, AnImageThatChangesWhileItIsReadHarmsItsUserAlone) {
  ASSERT_EQ(shell("cp own.sqsh torn.sqsh").exit_code, 0);
  const auto end = shell(
      "while dd if=/dev/urandom of=torn.sqsh bs=4k count=1 seek=$((RANDOM % 300 + 1)) conv=notrunc "
      "status=none; do :; done & tearer=$!\n"
      "for i in 1 2 3 4; do timeout 60 srun -w n1 --container=torn.sqsh true; test $? = 124 && "
      "echo hung; done; kill $tearer");
  EXPECT_EQ(end.out, "");
  EXPECT_EQ(shell("srun -w n1 --container=own.sqsh grep ^ID= /etc/os-release").out, "ID=berth\n");
  EXPECT_TRUE(comes_true([] { return shell("sinfo -h -n n1 -o %T | sort -u").out == "idle\n"; }));
}

TEST_F(AttackOnLab, NamesOfFilesWriteNoLinesOfTheirOwn) {
  ASSERT_EQ(shell("cp own.sqsh $'a\\n\\e[31mslurmd: error: \\xc2\\x9b31m.sqsh'; "
                  "ln -sfn $'a\\n\\e[31mslurmd: error: \\xc2\\x9b31m.sqsh' named.sqsh")
                .exit_code,
            0);
  const auto end = shell("srun -w n1 --container=named.sqsh no-such-program");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(our_lines(end), SizeIs(1)) << end.err;
  const auto log = root_on("n1", "cat /var/log/slurm/slurmd.log").out;
  for (const auto& text : {end.err, log}) {
    EXPECT_THAT(text, AllOf(HasSubstr("a??[31mslurmd: error: "), Not(HasSubstr("\033")),
                            Not(HasSubstr("\xc2\x9b")), Not(HasSubstr("\n?[31m"))));
  }
}

TEST_F(Attack, NamesMayHaveSpacesColonsAndUtf8) {
  ASSERT_EQ(shell("ln -sfn own.sqsh 'ein Bild: ä,b.sqsh'; mkdir -p 'set: ä,b'; touch 'set: ä,b/f'")
                .exit_code,
            0);
  const auto end = shell(
      "srun --container='ein Bild: ä,b.sqsh' --container-mounts='./set\\: ä\\,b:/mnt/x\\:y z' "
      "ls '/mnt/x:y z'");
  EXPECT_EQ(end.out, "f\n") << end.err;
}

// Slurm takes megabytes in a script; we say no to them, once, and do not queue the job.
TEST_F(Attack, OptionsOfMegabytesAreRefusedBeforeTheJob) {
  shell(
      "{ echo '#!/bin/bash'; printf '#SBATCH --container-mounts=/tmp:/'; head -c 2000000 "
      "/dev/zero | tr '\\0' x; echo; echo 'touch ran-long'; } >long.sh");
  const auto end = shell("timeout 60 sbatch --wait --container=own.sqsh long.sh");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_NE(end.exit_code, 124);
  const auto told = our_lines(end);  // Slurm repeats the value itself
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], AllOf(HasSubstr("2000006 bytes"), HasSubstr("65536 are possible")));
  EXPECT_LT(told[0].size(), 200U);
  EXPECT_NE(shell("ls ran-long").exit_code, 0);
}

TEST_F(Attack, AnEnvironmentAsLongAsTheKernelAllowsPasses) {
  const auto end = shell(
      "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do export LONG$i=$(printf %0120000d 7); done; "
      "srun --container=own.sqsh bash -c 'echo ${#LONG1} ${#LONG12}'");
  EXPECT_EQ(end.out, "120000 120000\n") << end.err.substr(0, 2000);
}

// The helper is root's: neither limits nor variables nor signals nor the umask of the user reach
// it. A helper with arguments is another one: that of a job's end.
TEST_F(AttackOnLab, NothingOfTheUsersProcessReachesTheHelper) {
  const auto plugstack = line(root_on("n3", "cat /etc/slurm/plugstack.conf").out);
  const auto at = plugstack.rfind("helper=");
  ASSERT_NE(at, std::string::npos);
  const changed_node spy(
      "n3",
      "cat >/run/spy <<'END'\n#!/bin/bash\n(($#)) || { cat /proc/$$/limits; tr '\\0' "
      "'\\n' </proc/$$/environ; "
      "ls /proc/$$/fd; pwd; id; grep -E 'SigBlk|SigIgn' /proc/self/status; } >/run/spied\n"
      "exec /opt/berth/libexec/berth/berth-node \"$@\"\nEND\nchmod 755 /run/spy",
      "rm -f /run/spy /run/spied");
  const auto spied =
      covered("n3", "/etc/slurm/plugstack.conf", plugstack.substr(0, at) + "helper=/run/spy");
  const auto with = [](const std::string& before) {
    const auto end = shell(before + "srun -w n3 --propagate=ALL --container=own.sqsh true");
    EXPECT_EQ(end.exit_code, 0) << end.err;
    return root_on("n3", "cat /run/spied").out;
  };
  const auto plain = with("");
  EXPECT_THAT(plain, AllOf(HasSubstr("uid=0(root) gid=0(root)"),
                           HasSubstr("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")));
  EXPECT_EQ(with("export TMPDIR=/evil LUA_PATH=/evil LD_LIBRARY_PATH=/evil HWLOC_XMLFILE=/evil "
                 "BASH_ENV=/evil; ulimit -n 200 -c 0 -f 1 -v 1000000 -l 0 -i 1 -u 4000; "
                 "trap '' CHLD TERM PIPE; exec 7</dev/null 9</dev/null; "),
            plain);
}

TEST_F(AttackOnLab, AUsersUmaskDoesNotCloseTheNodesTopology) {
  for (const auto* mask : {"0777", "0"}) {
    ASSERT_EQ(
        root_on("n3", "umount -l /run/berth/kept/ns; umount -l /run/berth/kept; rm -rf /run/berth")
            .exit_code,
        0);
    ASSERT_EQ(shell(fmt::format("umask {}; srun -w n3 --container=own.sqsh true", mask)).exit_code,
              0);
    EXPECT_EQ(
        root_on("n3", "stat -c %a /run/berth /run/berth/topology /run/berth/topology.xml").out,
        "755\n644\n644\n");
  }
}

// A task that waits for a stopped server cannot be killed, and Slurm drains a node for that; ranks
// on other nodes would wait for the one whose files are gone. So the step ends, with a line.
TEST_F(AttackOnLab, AServerThatIsStoppedOrKilledEndsTheStepWithALine) {
  for (const auto* signal : {"STOP", "KILL"}) {
    const auto end =
        shell(fmt::format(R"(timeout 60 srun -N2 -w n1,n2 --container=own.sqsh bash -c '
      test $SLURMD_NODENAME = n2 && exec sleep 1000
      for f in /proc/[0-9]*; do
        read -r name 2>/dev/null <$f/comm && test "$name" = berth-squashfus &&
          kill -{} ${{f#/proc/}}
      done
      while :; do :; done')",
                          signal));
    EXPECT_NE(end.exit_code, 0);
    EXPECT_NE(end.exit_code, 124);
    EXPECT_THAT(our_lines(end),
                ElementsAre(AllOf(HasSubstr("node n1: image \""), HasSubstr("own.sqsh"),
                                  HasSubstr("FUSE server was killed"))));
    EXPECT_TRUE(comes_true([] { return shell("squeue -h -w n1,n2").out.empty(); }));
    EXPECT_EQ(shell("sinfo -h -n n1,n2 -o %T | sort -u").out, "idle\n");
  }
}

TEST_F(AttackOnLab, ACommonEndIsNotTakenForAKilledServer) {
  const auto end = shell(
      "for i in 1 2 3 4 5 6 7 8; do srun -w n1 --container=own.sqsh -n2 true || exit; done; "
      "srun -w n1 --container=own.sqsh bash -c 'kill -9 $$'");
  EXPECT_EQ(end.exit_code, 137);
  EXPECT_EQ(our_lines(end), words{});
}

TEST_F(AttackOnLab, AFileSystemThatNeverAnswersIsOneLine) {
  const auto plugstack = line(root_on("n4", "cat /etc/slurm/plugstack.conf").out);
  const auto hasty = covered("n4", "/etc/slurm/plugstack.conf", plugstack + " timeout=3");
  const auto user = line(shell("id -un").out);
  const changed_node hung(
      "n4",
      fmt::format("echo user_allow_other >>/etc/fuse.conf; cp {} /tmp/hung.sqsh; chmod 644 "
                  "/tmp/hung.sqsh; su {} -c 'mkdir /tmp/hung; squashfuse_ll -o allow_other "
                  "/tmp/hung.sqsh /tmp/hung; ls /tmp/hung'; kill -STOP $(pidof squashfuse_ll)",
                  own_image(), user),
      "kill -KILL $(pidof squashfuse_ll); umount -l /tmp/hung; rm -r /tmp/hung /tmp/hung.sqsh; "
      "sed -i /^user_allow_other/d /etc/fuse.conf");
  const auto end = shell("timeout 40 srun -w n4 --container=/tmp/hung/own.sqsh true");
  EXPECT_EQ(end.exit_code, 1) << end.err;
  EXPECT_THAT(our_lines(end),
              ElementsAre(AllOf(HasSubstr("node n4"), HasSubstr("not ready after 3 s"),
                                HasSubstr("does not answer"))));
  EXPECT_TRUE(comes_true([] { return shell("squeue -h -w n4").out.empty(); }));
}

TEST_F(AttackOnLab, WithoutALoopDeviceATrustedImageGoesThroughFuse) {
  // A mount that an earlier step has left warm needs no device.
  const changed_node none("n1",
                          "umount -l /run/berth/kept/ns; mount --bind /dev/null /dev/loop-control",
                          "umount /dev/loop-control");
  const auto run = "srun -w n1 --container=" + trusted_image();
  const auto end = shell(fmt::format("{} bash -c '{} echo $b'", run, backend));
  EXPECT_EQ(end.out, "fuse\n") << end.err;
  EXPECT_THAT(root_on("n1", "tail -n 20 /var/log/slurm/slurmd.log").out,
              AllOf(HasSubstr("through FUSE, which is slower"), HasSubstr("no free loop device")));
  const auto refused = shell(run + " --container-backend=kernel true");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(our_lines(refused),
              ElementsAre(AllOf(HasSubstr("node n1"), HasSubstr(trusted_image()),
                                HasSubstr("no free loop device"), HasSubstr("losetup"))));
}

// It holds what the site allows, and not a block more; the next one of the same user has as much.
TEST_F(AttackOnLab, AFullContainerIsNobodyElses) {
  const auto rules = covered("n1", "/etc/berth/site.lua", "return { overlay_size = '32M' }");
  const auto end = shell(
      "rm -f is-full go; srun -w n1 -n1 --overlap --container=own.sqsh bash -c 'dd if=/dev/zero "
      "of=/var/tmp/full bs=1M 2>&1; stat -c %s /var/tmp/full; touch is-full; until test -e go; do "
      "sleep 0.05; done' & until test -e is-full; do sleep 0.05; done; "
      "srun -w n1 -n1 --overlap --container=own.sqsh bash -c 'dd if=/dev/zero of=/var/tmp/more "
      "bs=1M count=24 2>/dev/null && echo room'; touch go; wait; rm is-full go");
  const auto lines = split(line(end.out), '\n');
  EXPECT_THAT(end.out, HasSubstr("No space left on device")) << end.err;
  EXPECT_THAT(lines, Contains("room")) << end.err;
  const auto written = [](const std::string& text) { return parse_unsigned(text).value_or(0); };
  constexpr std::uint64_t limit = std::uint64_t{32} << 20;
  EXPECT_THAT(lines, Contains(ResultOf(written, AllOf(Gt(limit / 2), Le(limit))))) << end.out;
}

TEST_F(AttackOnLab, ANodeThatCannotKeepItsTopologyStartsContainers) {
  for (const auto* how : {"-o ro", "-o size=4k,nr_inodes=2"}) {
    const changed_node closed(
        "n1", fmt::format("mkdir -p /run/berth; mount -t tmpfs {} none /run/berth", how),
        "umount /run/berth");
    EXPECT_EQ(shell("srun -w n1 --container=own.sqsh grep ^ID= /etc/os-release").out, "ID=berth\n");
  }
}

TEST_F(AttackOnLab, AStepOutlivesARestartOfSlurmd) {
  const auto end = shell(
      "rm -f go up; srun -w n4 --container=own.sqsh bash -c 'touch up; until test -e go; do sleep "
      "0.1; done; grep ^ID= /etc/os-release' >restarted 2>&1 & echo $! >pid; "
      "until test -e up; do sleep 0.05; done");
  ASSERT_EQ(end.exit_code, 0) << end.err;
  ASSERT_EQ(root_on("n4", "kill $(pidof slurmd); while pidof slurmd; do sleep 0.1; done; slurmd")
                .exit_code,
            0);
  shell("touch go");
  EXPECT_TRUE(comes_true([] { return shell("cat restarted").out == "ID=berth\n"; }))
      << shell("cat restarted").out;
  EXPECT_TRUE(comes_true([] { return shell("squeue -h -w n4").out.empty(); }));
  EXPECT_EQ(shell("srun -w n4 --container=own.sqsh grep ^ID= /etc/os-release").out, "ID=berth\n");
}

}  // namespace
}  // namespace berth::test
