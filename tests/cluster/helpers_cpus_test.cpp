// Who reads an image for a step belongs to the step: it works on all of the step's CPUs, whatever
// core the ranks are bound to, and in the job's cgroup.

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;

// Prints what matters of a process of /proc.
const std::string show =
    "show() { grep Cpus_allowed_list: $1/status; while read -r row; do echo \"cgroup $row\"; done "
    "<$1/cgroup; }; ";

struct place {
  std::string cpus;
  std::vector<std::string> cgroups;  // a row for each hierarchy
};

place place_in(const std::string& text) {
  place found;
  for (const auto& row : split(line(text), '\n')) {
    if (row.starts_with("Cpus_allowed_list:")) found.cpus = trim(row.substr(18));
    if (row.starts_with("cgroup ")) found.cgroups.push_back(row);
  }
  return found;
}

// "cgroup 6:freezer:/slurm/uid_20001/job_3/step_0" -> the same up to the job.
std::vector<std::string> of_the_job(std::vector<std::string> rows) {
  for (auto& row : rows) {
    if (const auto job = row.find("/job_"); job != std::string::npos) {
      row.resize(std::min(row.find('/', job + 1), row.size()));
    }
  }
  return rows;
}

class Helpers : public LabTest {
 protected:
  /// All CPUs that a step of n1 has.
  static std::string all_cpus() {
    return place_in(
               shell("srun -w n1 -n1 -c2 --cpu-bind=none bash -c '" + show + "show /proc/self'")
                   .out)
        .cpus;
  }
};

TEST_F(Helpers, TheFuseServerHasAllCpusOfTheStepAndItsCgroup) {
  const auto end = shell("srun -w n1 -n2 --cpu-bind=cores --container=own.sqsh bash -c '" + show +
                         R"(
    test $SLURM_PROCID = 0 || exit 0
    show /proc/self >bound.txt
    for f in /proc/[0-9]*; do
      read -r name 2>/dev/null <$f/comm && test "$name" = berth-squashfus && show $f
    done; true')");
  const auto server = place_in(end.out);
  const auto task = place_in(shell("cat bound.txt").out);
  ASSERT_NE(task.cpus, all_cpus()) << "the task is not bound: this test proves nothing";
  EXPECT_EQ(server.cpus, all_cpus()) << end.out << end.err;
  EXPECT_EQ(of_the_job(server.cgroups), of_the_job(task.cgroups));
}

TEST_F(Helpers, TheUnpackerHasAllCpusOfTheStepAndItsCgroup) {
  const changed_node rules("n1",
                           "echo \"return { cache = { folder = '/run/berth-cache' } }\" "
                           ">/run/berth-cover; chmod 644 /run/berth-cover; "
                           "mount --bind /run/berth-cover /etc/berth/site.lua",
                           "umount /etc/berth/site.lua; rm -rf /run/berth-cache");
  // Notes where it runs, then is the program.
  // Notes where it runs, then is the program.
  const std::string unpack = "/opt/berth/libexec/berth/berth-unpack";
  const changed_node program("n1",
                             "cp " + unpack +
                                 " /run/berth-unpack; cat >/run/noting <<'END'\n"
                                 "#!/bin/bash\n" +
                                 show +
                                 "\nshow /proc/self >/dev/shm/berth-unpacker\n"
                                 "exec /run/berth-unpack \"$@\"\nEND\n"
                                 "chmod 755 /run/noting; rm -f /dev/shm/berth-unpacker; "
                                 "mount --bind /run/noting " +
                                 unpack,
                             "umount " + unpack + "; rm -f /dev/shm/berth-unpacker");
  const auto end = shell(
      "srun -w n1 -n2 --cpu-bind=cores --container=own.sqsh --container-backend=unpack bash -c '" +
      show + "test $SLURM_PROCID = 1 || show /proc/self >bound.txt; grep ^ID= /etc/os-release'");
  EXPECT_THAT(end.out, HasSubstr("ID=berth")) << end.err;
  const auto unpacker = place_in(root_on("n1", "cat /dev/shm/berth-unpacker").out);
  EXPECT_EQ(unpacker.cpus, all_cpus());
  const auto task = place_in(shell("cat bound.txt").out);
  ASSERT_NE(task.cpus, all_cpus()) << "the task is not bound: this test proves nothing";
  EXPECT_EQ(of_the_job(unpacker.cgroups), of_the_job(task.cgroups));
}

}  // namespace
}  // namespace berth::test
