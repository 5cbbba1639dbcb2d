// Nodes that are not as they should be: no plugin, broken site file, unusable helper. The step is
// refused there with one line, and its command never runs on the host.

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BadNode : public LabTest {};

// Another file in a file's place, on n2 alone.
changed_node covered(const std::string& file, const std::string& with) {
  return test::covered("n2", file, with);
}

// The step of a user that would leave a mark on whatever it runs.
std::string refused(const std::string& options = "--container=own.sqsh") {
  const auto end = shell("rm -f ran; srun -w n2 " + options + " touch " + folder() + "/ran");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_NE(shell("ls ran").exit_code, 0) << "the command ran";
  return end.err;
}

void expect_sound() {
  EXPECT_EQ(shell("srun -w n2 --container=own.sqsh grep ^ID= /etc/os-release").out, "ID=berth\n");
}

TEST_F(BadNode, WithoutThePluginTheCommandDoesNotRun) {
  {
    const auto gone = covered("/etc/slurm/plugstack.conf", "");
    EXPECT_THAT(refused(), AllOf(HasSubstr("no berth plugin"), HasSubstr("plugstack.conf")));
    EXPECT_THAT(refused("--container-image=own.sqsh"), HasSubstr("no berth plugin"));
  }
  expect_sound();
}

TEST_F(BadNode, WithoutThePluginADryRunRunsNothing) {
  {
    const auto gone = covered("/etc/slurm/plugstack.conf", "");
    EXPECT_THAT(refused("--pin=auto,dry-run"), HasSubstr("no berth plugin"));
  }
  const auto end = shell("rm -f ran; srun -w n2 --pin=auto,dry-run touch ran; ls ran");
  EXPECT_THAT(end.err, AllOf(HasSubstr("rank 0 on n2: pinned"), HasSubstr("No such file")));
}

TEST_F(BadNode, WithoutThePluginOtherStepsRun) {
  const auto gone = covered("/etc/slurm/plugstack.conf", "");
  EXPECT_EQ(shell("srun -w n2 echo fine").out, "fine\n");
}

TEST_F(BadNode, ABrokenSiteFileRefusesTheStepAndSaysWhere) {
  {
    const auto broken = covered("/etc/berth/site.lua", "return {\n  imagse = {},\n}");
    EXPECT_THAT(refused(), AllOf(HasSubstr("node n2"), HasSubstr("/etc/berth/site.lua:2"),
                                 HasSubstr("imagse")));
  }
  {
    const auto broken = covered("/etc/berth/site.lua", "return {\n  images = {\n");
    EXPECT_THAT(refused(), HasSubstr("/etc/berth/site.lua:"));
  }
  {
    const auto broken = covered("/etc/berth/site.lua", "return {\n  overlay_size = true,\n}");
    EXPECT_THAT(refused(), HasSubstr("/etc/berth/site.lua:2"));
  }
  expect_sound();
}

TEST_F(BadNode, ABrokenSiteFileDoesNotTouchOtherSteps) {
  const auto broken = covered("/etc/berth/site.lua", "return 7");
  EXPECT_EQ(shell("srun -w n2 echo fine").out, "fine\n");
}

TEST_F(BadNode, TheSitesPolicyRefuses) {
  const auto policy = covered(
      "/etc/berth/site.lua",
      "return { admit = function(job, image)\n  if image.owner == job.uid then return false, "
      "job.user .. ' may not bring images' end\n  return true\nend }");
  const auto user = line(shell("id -un").out);
  EXPECT_THAT(refused(),
              AllOf(HasSubstr("node n2"), HasSubstr("own.sqsh"),
                    HasSubstr("refused by the site: " + user + " may not bring images")));
  EXPECT_EQ(shell("srun -w n2 --container=" + trusted_image() + " grep ^ID= /etc/os-release").out,
            "ID=berth\n");
}

TEST_F(BadNode, APolicyThatNeverEndsIsEnded) {
  const auto policy =
      covered("/etc/berth/site.lua", "return { admit = function() while true do end end }");
  EXPECT_THAT(refused(), AllOf(HasSubstr("node n2"), HasSubstr("site.lua")));
}

TEST_F(BadNode, AHelperThatIsMissing) {
  const auto plugstack = line(root_on("n2", "cat /etc/slurm/plugstack.conf").out);
  const auto wrong = covered("/etc/slurm/plugstack.conf", plugstack + ".missing");
  EXPECT_THAT(refused(), AllOf(HasSubstr("node n2"), HasSubstr("berth-node.missing"),
                               HasSubstr("No such file or directory"), HasSubstr("helper=/PATH")));
}

TEST_F(BadNode, AHelperThatOthersMayWrite) {
  const auto plugstack = line(root_on("n2", "cat /etc/slurm/plugstack.conf").out);
  const changed_node helper(
      "n2",
      "cp /opt/berth/libexec/berth/berth-node /run/berth-writable; chmod 777 /run/berth-writable",
      "rm /run/berth-writable");
  const auto at = plugstack.rfind("helper=");
  ASSERT_NE(at, std::string::npos);
  const auto wrong =
      covered("/etc/slurm/plugstack.conf", plugstack.substr(0, at) + "helper=/run/berth-writable");
  EXPECT_THAT(refused(), AllOf(HasSubstr("berth-writable"), HasSubstr("must belong to root")));
}

TEST_F(BadNode, AWrongWordInPlugstackConf) {
  const auto plugstack = line(root_on("n2", "cat /etc/slurm/plugstack.conf").out);
  const auto wrong = covered("/etc/slurm/plugstack.conf", plugstack + " colour=blue");
  EXPECT_THAT(refused(), HasSubstr("colour=blue"));
}

TEST_F(BadNode, RootRunsTrustedImagesOnly) {
  const auto as_root = [](const std::string& image) {
    return root_on("login",
                   "cd /tmp && srun -w n2 --container=" + image + " grep ^ID= /etc/os-release");
  };
  const auto end = as_root(own_image());
  EXPECT_NE(end.exit_code, 0);
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err,
              AllOf(HasSubstr("node n2"), HasSubstr("is not trusted, and root runs trusted "
                                                    "images only")));
  EXPECT_EQ(as_root(trusted_image()).out, "ID=berth\n");
}

// Slurm goes on where an optional plugin fails: the plugin itself must not.
TEST_F(BadNode, AnOptionalPluginThatFailsRunsNothingEither) {
  const auto plugstack = line(root_on("n2", "cat /etc/slurm/plugstack.conf").out);
  ASSERT_TRUE(plugstack.starts_with("required "));
  const auto optional = "optional " + plugstack.substr(plugstack.find(' ') + 1);
  {
    const auto wrong = covered("/etc/slurm/plugstack.conf", optional + " colour=blue");
    EXPECT_THAT(refused(), HasSubstr("colour=blue"));
  }
  {
    const auto wrong = covered("/etc/slurm/plugstack.conf", optional + ".missing");
    EXPECT_THAT(refused(), HasSubstr("berth-node.missing"));
  }
  const auto sound = covered("/etc/slurm/plugstack.conf", optional);
  expect_sound();
}

TEST_F(BadNode, AnImageOfRootAloneIsNotReadForTheUser) {
  const auto& path = trusted_image();
  ASSERT_EQ(root_on("login", "install -m 600 " + path + ' ' + path + ".closed").exit_code, 0);
  EXPECT_THAT(refused("--container=" + path + ".closed"), HasSubstr("Permission denied"));
  // Without the look on the login node, the node itself must refuse.
  const auto name = path.substr(path.rfind('/') + 1) + ".closed";
  EXPECT_THAT(refused("--container=" + name),
              AllOf(HasSubstr("node n2"), HasSubstr(name), HasSubstr("Permission denied")));
  root_on("login", "rm " + path + ".closed");
}

TEST_F(BadNode, AnImageOfAnotherUserIsNotRead) {
  // The link is on the node alone, so the look on the login node finds nothing to refuse.
  const changed_node link("n2", "ln -s " + own_image() + " /run/theirs.sqsh",
                          "rm /run/theirs.sqsh");
  for (const auto& image : {own_image(), std::string("/run/theirs.sqsh")}) {
    const auto end = another_user("srun -w n2 --container=" + image + " true");
    EXPECT_NE(end.exit_code, 0);
    EXPECT_THAT(end.err, HasSubstr("Permission denied"));
  }
}

TEST_F(BadNode, WithoutItsFuseServerTheMessageNamesTheProgram) {
  const auto gone = covered("/opt/berth/libexec/berth/berth-squashfuse", "");
  const changed_node unusable("n2", "chmod 644 /run/berth-cover", "true");
  EXPECT_THAT(refused(),
              AllOf(HasSubstr("node n2"), HasSubstr("/opt/berth/libexec/berth/berth-squashfuse\""),
                    HasSubstr("install Berth again")));
}

}  // namespace
}  // namespace berth::test
