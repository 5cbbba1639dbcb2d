// What users say about their containers, in the words of pyxis: mounts, folders, variables.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ContainerOptions : public ClusterTest {};
class ContainerOptionsOnLab : public LabTest {};

outcome contained(const std::string& options, const std::string& script) {
  return shell("srun -N1 -n1 --container=own.sqsh " + options + " sh -c '" + script + "'");
}

/// The only line of ours; the script, which would leave a file, must not run.
std::string refused(const std::string& options) {
  const auto end =
      shell("rm -f ran; srun -N1 --container=own.sqsh " + options + " touch " + folder() + "/ran");
  EXPECT_NE(end.exit_code, 0) << options;
  EXPECT_NE(shell("ls ran").exit_code, 0) << options << ": the command ran";
  std::string told;
  for (const auto& one : split(end.err, '\n')) {
    if (one.find("berth: ") != std::string::npos) told += told.empty() ? one : " AND " + one;
  }
  EXPECT_THAT(told, Not(HasSubstr(" AND "))) << "one line, not several";
  EXPECT_LT(told.size(), 1000U);
  return told;
}

/// What a batch script with these headers prints.
std::string batch(const std::string& headers, const std::string& body) {
  shell("cat >job.sh", "#!/bin/bash\n" + headers + "\n" + body + "\n");
  const auto end = shell("sbatch --wait --quiet -N1 -o job.txt job.sh; cat job.txt");
  return end.out;
}

TEST_F(ContainerOptions, MountsShowFilesAndFolders) {
  ASSERT_EQ(shell("mkdir -p 'set of data' && echo one >'set of data/f'").exit_code, 0);
  EXPECT_EQ(contained("--container-mounts=\"./set of data:/mnt/d,./set of data/f:/opt/f\"",
                      "cat /mnt/d/f /opt/f && echo two >/mnt/d/g")
                .out,
            "one\none\n");
  EXPECT_EQ(shell("cat 'set of data/g'").out, "two\n");
  const auto closed =
      contained("--container-mounts=\"./set of data:/mnt/d:ro\"", "echo three >/mnt/d/g");
  EXPECT_THAT(closed.err, HasSubstr("Read-only file system"));
}

TEST_F(ContainerOptions, ATmpfsIsOfTheSizeAskedFor) {
  const auto end = contained("--container-mounts=tmpfs:/fast:size=1M",
                             "dd if=/dev/zero of=/fast/x bs=1M count=2 2>&1; stat -c %s /fast/x");
  EXPECT_THAT(end.out, AllOf(HasSubstr("No space left"), HasSubstr("\n1048576\n")));
}

TEST_F(ContainerOptions, AllNodesAndTasksSeeThem) {
  const auto end = shell(
      "srun -N2 -n4 --container=own.sqsh --container-mounts=.:/mnt --container-workdir=/mnt "
      "sh -c 'pwd; test -e own.sqsh && echo there'");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  auto lines = split(line(end.out), '\n');
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "/mnt"), 4);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "there"), 4);
}

TEST_F(ContainerOptions, WhatCannotBeMountedIsOneLineAndNothingRuns) {
  EXPECT_THAT(refused("--container-mounts=/no-such-folder:/mnt"),
              AllOf(HasSubstr("node "), HasSubstr("\"/no-such-folder\" (user)"),
                    HasSubstr("No such file or directory")));
  EXPECT_THAT(refused("--container-mounts=/proc/self/fd/3:/mnt"), HasSubstr("mount source"));
  EXPECT_THAT(refused("--container-mounts=/:/proc"), HasSubstr("the container's own"));
  EXPECT_THAT(refused("--container-mounts=/tmp:/a/../../b"), HasSubstr("\"..\""));
  EXPECT_THAT(refused("--container-mounts=$'/tmp:/a\\nsrun: error: b'"), HasSubstr("control"));
  EXPECT_THAT(refused("--container-mounts=/tmp:/a:sideways"), HasSubstr("unknown flag"));
  EXPECT_THAT(refused("--container-mounts=.:" + folder() + "/missing"), HasSubstr("make it there"));
  EXPECT_THAT(refused("--container-mounts=$(printf %070000d 0)"), HasSubstr("70000 bytes"));
}

TEST_F(ContainerOptionsOnLab, SourcesAreReachedWithTheUsersRights) {
  const changed_node closed(
      "n1", "install -d -m 700 /run/berth-closed && install -m 644 /dev/null /run/berth-closed/f",
      "rm -r /run/berth-closed");
  EXPECT_THAT(refused("-w n1 --container-mounts=/run/berth-closed/f:/mnt/f"),
              AllOf(HasSubstr("node n1"), HasSubstr("Permission denied")));
}

TEST_F(ContainerOptionsOnLab, TheSiteForbidsMounts) {
  const auto rules = covered("n1", "/etc/berth/site.lua",
                             "return { user_mounts = { forbidden = { '/usr/share' } } }");
  EXPECT_THAT(refused("-w n1 --container-mounts=/usr:/mnt"), HasSubstr("it holds /usr/share"));
  EXPECT_THAT(refused("-w n1 --container-mounts=/usr/bin/../share/doc:/mnt"),
              HasSubstr("the site forbids mounts from /usr/share"));
  EXPECT_EQ(contained("-w n1 --container-mounts=/usr/bin:/mnt", "ls /mnt/true").exit_code, 0);
}

TEST_F(ContainerOptionsOnLab, TheSitesFoldersAreComparedByWholeComponents) {
  const auto rules = covered("n1", "/etc/berth/site.lua",
                             "return { user_mounts = { allowed = { '/srv/scratch' }, "
                             "forbidden = { '/srv/scratch/exam' } } }");
  const changed_node folders(
      "n1", "mkdir -p /srv/scratch/exam /srv/scratch/exam2 /srv/scratch2",
      "rmdir /srv/scratch/exam /srv/scratch/exam2 /srv/scratch /srv/scratch2");
  EXPECT_THAT(refused("-w n1 --container-mounts=/srv/scratch2:/mnt"),
              HasSubstr("the site allows mounts from /srv/scratch only"));
  EXPECT_THAT(refused("-w n1 --container-mounts=/srv/scratch/exam:/mnt"),
              HasSubstr("the site forbids mounts from /srv/scratch/exam"));
  EXPECT_EQ(contained("-w n1 --container-mounts=/srv/scratch/exam2:/mnt", "ls /mnt").exit_code, 0);
}

TEST_F(ContainerOptions, TasksStartInTheWorkdir) {
  EXPECT_EQ(contained("--container-workdir=/usr", "pwd; echo $PWD").out, "/usr\n/usr\n");
  EXPECT_THAT(refused("--container-workdir=/no-such-folder"),
              AllOf(HasSubstr("--container-workdir"), HasSubstr("No such file or directory")));
  EXPECT_THAT(refused("--container-workdir=usr"), HasSubstr("not an absolute path"));
}

TEST_F(ContainerOptions, TheHomeFolderStaysAway) {
  EXPECT_EQ(contained("", "test -d ~ && echo there").out, "there\n");
  EXPECT_EQ(contained("--no-container-mount-home --chdir=/tmp", "test -d ~ || echo away").out,
            "away\n");
}

TEST_F(ContainerOptions, TheRootCanBeReadOnly) {
  const std::string write = "echo x >/var/tmp/new && echo written";
  EXPECT_EQ(contained("", write).out, "written\n");
  EXPECT_EQ(contained("--container-writable", write).out, "written\n");
  EXPECT_THAT(contained("--container-readonly", write).err, HasSubstr("Read-only file system"));
  EXPECT_EQ(contained("--container-readonly", "echo x >/tmp/$SLURM_JOB_ID && echo ok").out, "ok\n");
}

TEST_F(ContainerOptions, VariablesOfTheNodeEnterWhenTheyAreNamed) {
  const std::string before = "export LD_LIBRARY_PATH=/node PATH=$PATH:/node; ";
  const std::string print = " sh -c 'echo \"[$LD_LIBRARY_PATH] ${PATH##*:}\"'";
  EXPECT_EQ(shell(before + "srun --container=own.sqsh" + print).out, "[] /bin\n");
  EXPECT_EQ(
      shell(before + "srun --container=own.sqsh --container-env=LD_LIBRARY_PATH,PATH" + print).out,
      "[/node] /node\n");
}

TEST_F(ContainerOptions, OurOwnVariablesAreNotTheTasks) {
  EXPECT_EQ(contained("--container-workdir=/usr --container-mounts=.:/mnt",
                      "env | grep BERTH || echo none")
                .out,
            "none\n");
}

TEST_F(ContainerOptions, VariablesAreAsGoodAsOptions) {
  EXPECT_EQ(shell("BERTH_CONTAINER_IMAGE=own.sqsh BERTH_CONTAINER_WORKDIR=/usr srun pwd").out,
            "/usr\n");
  EXPECT_EQ(shell("PYXIS_CONTAINER_IMAGE=own.sqsh PYXIS_CONTAINER_MOUNTS=.:/mnt srun "
                  "ls -d /mnt/own.sqsh")
                .out,
            "/mnt/own.sqsh\n");
  EXPECT_EQ(shell("BERTH_CONTAINER_WORKDIR=/bin PYXIS_CONTAINER_WORKDIR=/etc "
                  "srun --container=own.sqsh --container-workdir=/usr pwd")
                .out,
            "/usr\n");
}

TEST_F(ContainerOptions, ABatchJobsAreTheDefaultOfItsSteps) {
  const std::string headers =
      "#SBATCH --container-image=own.sqsh\n#SBATCH --container-mounts=.:/mnt\n"
      "#SBATCH --container-workdir=/mnt";
  EXPECT_EQ(batch(headers,
                  "cd /; srun pwd; srun --container-workdir=/usr pwd\n"
                  "BERTH_CONTAINER_WORKDIR=/tmp srun pwd"),
            "/mnt\n/usr\n/tmp\n");
  EXPECT_EQ(shell("BERTH_CONTAINER_WORKDIR=/usr salloc -Q -N1 --container-image=own.sqsh "
                  "--container-workdir=/mnt --container-mounts=.:/mnt srun pwd")
                .out,
            "/mnt\n");
}

TEST_F(ContainerOptions, ExplainQueuesNoJob) {
  const auto end = shell(
      "export BERTH_CONTAINER_WORKDIR=/usr; srun -N 1000 --container=own.sqsh "
      "--container-mounts=.:/mnt:ro --container-explain --pin=core touch ran-explained");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.err, "");
  EXPECT_THAT(end.out,
              AllOf(HasSubstr("own.sqsh (squashfs"), HasSubstr("fuse: others than root"),
                    HasSubstr(folder() + " -> /mnt (read-only, user)\n"),
                    HasSubstr("/usr (--container-workdir)\n"), HasSubstr("core (--pin)\n")));
  EXPECT_NE(shell("ls ran-explained").exit_code, 0);
  EXPECT_THAT(shell("srun --container=own.sqsh --container-explain=json hostname").out,
              HasSubstr("\"backend\": {"));
  EXPECT_THAT(shell("srun --container-explain hostname").err, HasSubstr("no image to explain"));
}

TEST_F(ContainerOptions, WithoutAnImageTheyAreAMistake) {
  const auto end = shell("srun --container-mounts=.:/mnt hostname");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err, HasSubstr("--container-mounts is given without an image"));
}

TEST_F(ContainerOptions, OppositesAreAMistake) {
  const auto end = shell("srun --container=own.sqsh --container-readonly --container-writable pwd");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, HasSubstr("opposite"));
}

}  // namespace
}  // namespace berth::test
