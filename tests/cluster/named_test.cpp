// --container-name: a container that later steps of the job find as the earlier ones left it.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Named : public ClusterTest {
 protected:
  /// What the script, the job's, prints; `made` makes container "c".
  static outcome job(const std::string& script, const std::string& options = "-N1") {
    return shell("salloc -Q " + options + " bash -c '" + script + "'");
  }
};

class NamedOnLab : public LabTest {};

const std::string made = "srun -n1 --container-image=own.sqsh --container-name=c ";
const std::string again = "srun -n1 --container-name=c ";

TEST_F(Named, LaterStepsFindWhatEarlierOnesWrote) {
  const auto end =
      job(made + "bash -c \"echo kept >/var/tmp/k\"; " + again + "cat /var/tmp/k; " + made +
          "cat /var/tmp/k; srun -n1 --container-image=own.sqsh "
          "bash -c \"test -e /var/tmp/k || echo clean\"");
  EXPECT_EQ(end.out, "kept\nkept\nclean\n") << end.err;
}

TEST_F(Named, StepsAtTheSameTimeShareOneRoot) {
  const auto end = job(
      made + "true; (" + again +
          "--overlap bash -c \"until test -e /var/tmp/b; do sleep 0.05; done; echo saw b "
          ">/var/tmp/a\") & " +
          again +
          "--overlap bash -c \"echo b >/var/tmp/b; until test -e /var/tmp/a; do sleep 0.05; done; "
          "cat /var/tmp/a\"; wait",
      "-N1 -n2");
  EXPECT_EQ(end.out, "saw b\n") << end.err;
}

TEST_F(Named, LaterStepsBringTheirOwnMounts) {
  const auto end =
      job(made + "true; " + again +
          "--container-mounts=.:/mnt/new/place bash -c \"ls /mnt/new/place/own.sqsh\"");
  EXPECT_EQ(end.out, "/mnt/new/place/own.sqsh\n") << end.err;
}

TEST_F(Named, AreTheJobsAlone) {
  const auto other = job(again + "true");
  EXPECT_NE(other.exit_code, 0);
  EXPECT_THAT(other.err, AllOf(HasSubstr("container \"c\""), HasSubstr("no step of this job"),
                               HasSubstr("--container-image")));
}

TEST_F(Named, OfAnotherImageAreOneLine) {
  const auto end =
      job("cp own.sqsh other.sqsh; " + made +
          "true; srun -n1 --container-image=other.sqsh --container-name=c bash -c \"echo ran\"");
  EXPECT_EQ(end.out, "");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("container \"c\" of this job is made of image"),
                             HasSubstr("own.sqsh\", not \""), HasSubstr("choose another name")));
}

TEST_F(Named, KeepWhatRootInsideHasInstalled) {
  const auto end = job(
      "srun -n1 --container-image=own.sqsh --container-remap-root "
      "--container-name=c bash -c \"echo new >/etc/new\"; " +
      again + "--container-remap-root bash -c \"cat /etc/new; echo \\$UID\"; " + again + "true");
  EXPECT_EQ(end.out, "new\n0\n");
  EXPECT_THAT(end.err, HasSubstr("was made with --container-remap-root"));
}

TEST_F(Named, NamesAreChecked) {
  const std::vector<std::string> names{
      "../x",    "a/b",           "..",        ".",
      "-a",      "a b",           "a:destroy", "a:",
      ":create", "a:create:exec", "\xc3\xa9",  std::string(65, 'a')};
  for (const auto& name : names) {
    const auto end =
        shell("srun --container-image=own.sqsh \"--container-name=" + name + "\" true");
    EXPECT_NE(end.exit_code, 0) << name;
    EXPECT_THAT(end.err, HasSubstr("--container-name: ")) << name;
  }
  EXPECT_EQ(
      shell("srun --container-image=own.sqsh --container-name=A.b_c-9 bash -c 'echo ran'").out,
      "ran\n");
}

TEST_F(Named, FlagsSayWhetherTheyMustBeNew) {
  const std::string with = "srun -n1 --container-image=own.sqsh --container-name=";
  const auto end = job(with + "c:exec bash -c \"echo early\"; " + with +
                       "c:create bash -c \"echo made >/var/tmp/k\"; " + with +
                       "c:create bash -c \"echo twice\"; srun -n1 --container-name=c:exec cat "
                       "/var/tmp/k; srun -n1 --container-name=c:no_exec cat /var/tmp/k; " +
                       with + "c:auto cat /var/tmp/k");
  EXPECT_EQ(end.out, "made\nmade\nmade\n");
  EXPECT_THAT(end.err, AllOf(HasSubstr("container \"c\": no step of this job has made it on this "
                                       "node; make it by a step without \":exec\""),
                             HasSubstr("container \"c\": an earlier step of this job has made it; "
                                       "leave out \":create\"")));
}

TEST_F(Named, StepsThatMakeOneAtTheSameTimeAreToldSo) {
  const std::string new_one =
      "srun -n1 --overlap --container-image=own.sqsh --container-name=c:create bash -c \"echo "
      "ran\"";
  const auto end = job("(" + new_one + " & " + new_one + " & wait)", "-N1 -n2");
  EXPECT_EQ(end.out, "ran\n") << end.err;
}

// How many containers "c" of the job root keeps on the node.
std::string kept_on(const std::string& node, const std::string& job) {
  return root_on(node, fmt::format("/usr/bin/python3 - <<'END'\n"
                                   "import ctypes, os\n"
                                   "try:\n"
                                   "  space = os.open('/run/berth/kept/ns', os.O_RDONLY)\n"
                                   "  inside = ctypes.CDLL(None).setns(space, 0x20000) == 0\n"
                                   "except FileNotFoundError:\n"
                                   "  inside = False\n"
                                   "names = os.listdir('/') if inside else []\n"
                                   "print(sum(n.startswith('job_{}_') and n.endswith('named.c') "
                                   "for n in names))\nEND",
                                   job))
      .out;
}

TEST_F(NamedOnLab, AreGoneOnEveryNodeWhenTheirJobEnds) {
  const std::string all = "srun -N3 --ntasks-per-node=1 --container-image=own.sqsh ";
  const std::vector<std::string> nodes{"n1", "n2", "n3"};
  const auto started =
      shell("rm -f there go; timeout 100 salloc -Q -w n1,n2,n3 bash -c '" + all +
            "--container-name=c bash -c \"echo mine >/var/tmp/k\"; " + all +
            "--container-name=c cat /var/tmp/k >found; echo $SLURM_JOB_ID >job; mv job there; "
            "until test -e go; do sleep 0.05; done' </dev/null >out 2>&1 &");
  ASSERT_EQ(started.exit_code, 0);
  EXPECT_TRUE(comes_true([] { return shell("test -e there").exit_code == 0; }))
      << shell("cat out").out;
  EXPECT_EQ(shell("cat found").out, "mine\nmine\nmine\n");
  const auto job = line(shell("cat there").out);
  for (const auto& node : nodes) EXPECT_EQ(kept_on(node, job), "1\n") << node;
  shell("touch go");
  for (const auto& node : nodes) {
    EXPECT_TRUE(comes_true([&] { return kept_on(node, job) == "0\n"; })) << node;
  }
  const auto second = shell("salloc -Q -w n1,n2,n3 " + all +
                            "--container-name=c bash -c 'test -e /var/tmp/k || echo fresh'");
  EXPECT_EQ(second.out, "fresh\nfresh\nfresh\n") << second.err;
}

TEST_F(Named, LinksOfATaskLeadNoMountPointOutside) {
  ASSERT_EQ(shell("berth pack ln true --no-mpi -o ln.sqsh").exit_code, 0);
  const auto end =
      job("srun -n1 bash -c \"rm -rf /var/tmp/berth-out; mkdir /var/tmp/berth-out\"; srun -n1 "
          "--container-image=ln.sqsh "
          "--container-name=c ln -s ../../../../../../var/tmp/berth-out /var/tmp/l && " +
          again +
          "--container-mounts=.:/var/tmp/l/deep true; srun -n1 rmdir /var/tmp/berth-out && echo "
          "empty");
  EXPECT_EQ(end.out, "empty\n") << end.err;
  EXPECT_THAT(end.err, HasSubstr("mount point \"/var/tmp/l/deep\""));
}

TEST_F(Named, BerthRunsOwnOutliveTheJobsAndAreOthers) {
  const auto end = shell(
      "export XDG_STATE_HOME=$(mktemp -d); berth run --container-name=c own.sqsh -- "
      "bash -c 'echo login >/var/tmp/k'; salloc -Q -N1 bash -c '" +
      made + "bash -c \"test -e /var/tmp/k || echo job >/var/tmp/k\"; " + again +
      "cat /var/tmp/k'; berth run --container-name=c -- cat /var/tmp/k; berth rm c; "
      "rm -r $XDG_STATE_HOME");
  EXPECT_EQ(end.out, "job\nlogin\nc\n") << end.err;
}

}  // namespace
}  // namespace berth::test
