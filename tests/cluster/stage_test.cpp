// --container-stage: one reader of the shared file, copies on the nodes' own disks, and nothing of
// them after the job.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Stage : public ClusterTest {};
class StageOnLab : public LabTest {};

constexpr const char* copies = "stat -c %i:%s /tmp/berth-staged-*";

/// In one job of two nodes: n1 and another. Its steps overlap: one that waits for the CPUs of the
/// step before may miss the controller's call and go on waiting.
outcome in_job(const std::string& script) {
  return shell("salloc --quiet -N2 -w n1 bash -c '" + script + "'");
}

std::string staged(const std::string& command, const std::string& options = "-N2") {
  return "srun --overlap --container=own.sqsh --container-stage=always " + options + " " + command;
}

TEST_F(Stage, EveryNodeHasACopyUntilTheJobEnds) {
  const auto size = line(shell("stat -L -c %s own.sqsh").out);
  const auto end = in_job(
      staged("true") + "; srun --overlap -N2 ls /tmp | grep -c berth-staged; srun --overlap -N2 " +
      fmt::format("sh -c \"stat -c %s /tmp/berth-staged-*\""));
  EXPECT_EQ(end.out, fmt::format("2\n{0}\n{0}\n", size)) << end.err;
  EXPECT_TRUE(comes_true([] {
    return shell("srun -N2 -w n1 ls /tmp").out.find("berth-staged") == std::string::npos;
  }));
}

TEST_F(Stage, AJobOfOneSrunIsStagedToo) {
  const auto end = shell(staged("sh -c 'ls /tmp | grep berth-staged'", "-N2 --container-timing"));
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(split(end.out, '\n').size(), 3U) << end.out;
  EXPECT_THAT(end.err, AllOf(HasSubstr("image staged on 2 nodes in "), HasSubstr(" staging ")));
}

TEST_F(StageOnLab, NodesReadTheCopyOnly) {
  // What is at the image's path on n1 is another one: who reads it there is found out.
  ASSERT_EQ(
      shell(
          "echo other >mark; berth pack --no-mpi --force sh cat --file mark:/mark -o other.sqsh && "
          "echo first >mark; berth pack --no-mpi --force sh cat --file mark:/mark -o staged.sqsh")
          .exit_code,
      0);
  const auto path = folder() + "/staged.sqsh";
  const changed_node changed("n1", fmt::format("mount --bind {}/other.sqsh {}", folder(), path),
                             "umount " + path);
  EXPECT_EQ(shell("srun -w n1 -n1 --container=staged.sqsh cat /mark").out, "other\n");
  EXPECT_EQ(shell("srun -w n1 -n1 --container=staged.sqsh --container-stage=always cat /mark").out,
            "first\n");
}

TEST_F(Stage, LaterStepsUseTheSameCopy) {
  const auto end =
      in_job(staged("true") + fmt::format("; srun --overlap -N1 -n1 -w n1 sh -c \"{}\"; ", copies) +
             staged("true") + fmt::format("; srun --overlap -N1 -n1 -w n1 sh -c \"{}\"", copies));
  const auto lines = split(line(end.out), '\n');
  ASSERT_EQ(lines.size(), 2U) << end.out << end.err;
  EXPECT_EQ(lines[0], lines[1]);
}

TEST_F(Stage, AChangedCopyIsRefused) {
  const auto end =
      in_job("rm -f ran; " + staged("true") +
             "; srun --overlap -N1 -n1 -w n1 sh -c \"echo x | tee -a /tmp/berth-staged-*\"; " +
             staged("touch " + folder() + "/ran", "-N1 -w n1"));
  EXPECT_THAT(end.err, AllOf(HasSubstr("node n1"), HasSubstr("is not the image")));
  EXPECT_NE(end.exit_code, 0);
  EXPECT_NE(shell("ls ran").exit_code, 0);
}

TEST_F(Stage, WhatAKilledCopyLeavesIsMadeAnew) {
  // As after SIGKILL: half a copy on the nodes, and nothing that says that it is whole.
  const auto end = in_job(staged("true") +
                          "; rm /tmp/berth-staged-$SLURM_JOB_ID-*.copied; "
                          "srun --overlap -N2 sh -c \"truncate -s 100 /tmp/berth-staged-* || : "
                          ">/tmp/berth-staged-*\"; " +
                          staged("pwd", "-N2 --container-workdir=/usr"));
  EXPECT_EQ(end.out, "/usr\n/usr\n") << end.err;
}

TEST_F(Stage, AFolderInTheWayKeepsNoCopyFromBeingRemoved) {
  const auto end = in_job(staged("true") +
                          "; srun --overlap -N1 -n1 -w n1 sh -c \"mkdir "
                          "/tmp/berth-staged-$SLURM_JOB_ID-0; ls -d /tmp/berth-staged-*\"");
  EXPECT_EQ(split(line(end.out), '\n').size(), 2U) << end.out << end.err;
  EXPECT_TRUE(comes_true([] {
    return shell("srun -N1 -w n1 find /tmp -maxdepth 1 -type f -name 'berth-staged-*'").out.empty();
  }));
  EXPECT_EQ(shell("srun -N1 -w n1 sh -c 'rmdir /tmp/berth-staged-*'").exit_code, 0);
}

TEST_F(Stage, WhatCannotBeCopiedIsOneLine) {
  const auto end =
      shell("chmod 600 own.sqsh; srun --overlap -N2 --container=own.sqsh --container-stage=x true");
  EXPECT_THAT(end.err, HasSubstr("\"x\" is none of auto, always, never"));
  shell("chmod 644 own.sqsh");
}

TEST_F(StageOnLab, ANodeWithoutRoomRefusesWhoInsists) {
  const changed_node full("n1", "mount -t tmpfs -o size=64k,mode=1777 none /tmp", "umount -l /tmp");
  const auto end = shell("rm -f ran; " + staged("touch " + folder() + "/ran", "-N2 -w n1"));
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("cannot stage image"));
  EXPECT_NE(shell("ls ran").exit_code, 0);
}

TEST_F(StageOnLab, WhatANodeMissedGoesWithTheNextJob) {
  // A node that was down when its job ended has the copy still: here a second name of it.
  const auto missed =
      shell("salloc --quiet -N1 -n1 -w n1 bash -c '" + staged("true", "-N1") +
            "; srun --overlap -N1 -n1 bash -c \"cd /tmp; ln berth-staged-\\$SLURM_JOB_ID-* missed; "
            "touch -d -2hours missed; ls berth-staged-\\$SLURM_JOB_ID-*\"'");
  const auto name = line(missed.out);
  ASSERT_EQ(split(name, '\n').size(), 1U) << name << missed.err;
  ASSERT_THAT(name, ::testing::StartsWith("berth-staged-"));
  const auto there = [](const std::string& file) {
    return root_on("n1", "ls /tmp/" + file).exit_code == 0;
  };
  ASSERT_TRUE(comes_true([&] { return !there(name); }));
  ASSERT_EQ(root_on("n1", "mv /tmp/missed /tmp/" + name).exit_code, 0);
  // A job that goes on keeps its copy, however old that is.
  const auto end = shell(
      "salloc --quiet -N1 -n1 -w n1 bash -c '" + staged("true", "-N1") +
      "; on_node() { srun --overlap -N1 -n1 bash -c \"$1\"; }; "
      "on_node \"touch -d -2hours /tmp/berth-staged-\\$SLURM_JOB_ID-*\"; "
      "sbatch -Q --wait -n1 -w n1 -o /dev/null --wrap true >/dev/null; "
      "for i in {1..100}; do on_node \"! test -e /tmp/" +
      name + "\" && break; sleep 0.1; done; on_node \"ls /tmp/berth-staged-\\$SLURM_JOB_ID-*\"'");
  EXPECT_FALSE(there(name));
  EXPECT_EQ(split(line(end.out), '\n').size(), 1U) << end.out << end.err;
  EXPECT_THAT(end.out, HasSubstr("/tmp/berth-staged-"));
}

TEST_F(StageOnLab, APolicyIsNotDeceived) {
  // The site judges files; a copy is the user's own whatever it was made of.
  trusted_image();
  const auto rules = covered("login", "/etc/berth/site.lua",
                             "return { admit = function(job, image) return image.trusted end }");
  const auto end =
      shell("srun -N1 --container=" + trusted_image() + " --container-stage=always true");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("only your own images can be staged"));
}

TEST_F(StageOnLab, ANodeChecksWhatItIsTold) {
  const auto digest = line(shell("sha256sum <own.sqsh | cut -c1-64").out);
  const auto lie = [&](const std::string& path) {
    return shell(
        fmt::format("SLURM_BERTH_STAGED='{} {}' srun -n1 --container=own.sqsh true", digest, path));
  };
  // srun does not pass on what it did not say itself.
  EXPECT_EQ(lie("/etc/passwd").exit_code, 0);
  const auto own =
      shell(fmt::format("srun -n1 --container=own.sqsh --export=ALL,SLURM_BERTH_STAGED="
                        "'{} /etc/passwd' true",
                        digest));
  EXPECT_THAT(own.err, AllOf(HasSubstr("stage.folder"), Not(HasSubstr("root:"))));
}

}  // namespace
}  // namespace berth::test
