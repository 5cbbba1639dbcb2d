// --container-entrypoint: the image's own words before each task's command.

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Entrypoint : public ClusterTest {
 protected:
  /// An image whose entrypoint is `words`, options of berth pack; "wrap" is in it.
  static std::string image(const std::string& words) {
    shell("cat >wrap && chmod +x wrap",
          "#!/usr/bin/sh\necho \"[$# $*] $SLURM_PROCID\"\nWRAPPED=yes exec \"$@\"\n");
    const auto end = shell("berth pack cat ./wrap --no-mpi --force -o entry.sqsh " + words);
    EXPECT_EQ(end.exit_code, 0) << end.err;
    return "entry.sqsh";
  }
};

TEST_F(Entrypoint, StandsBeforeEachTasksCommand) {
  const auto end = shell("srun -N2 -n2 -l --container=" + image("--entrypoint wrap") +
                         " --container-entrypoint sh -c 'echo \"$WRAPPED: $*\"' zero 'a b' '' %0A");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  for (const std::string rank : {"0", "1"}) {
    EXPECT_THAT(end.out,
                HasSubstr(rank + ": [7 sh -c echo \"$WRAPPED: $*\" zero a b  %0A] " + rank));
    EXPECT_THAT(end.out, HasSubstr(rank + ": yes: a b  %0A"));
  }
}

TEST_F(Entrypoint, BringsItsOwnArgumentsAndLeavesNoVariable) {
  const auto end = shell("srun --container=" +
                         image("--entrypoint wrap --entrypoint sh "
                               "--entrypoint '' --entrypoint x%y") +
                         " --container-entrypoint true");
  EXPECT_THAT(end.out, HasSubstr("[4 sh  x%y true] 0\n"));
  image("--entrypoint wrap");
  const auto variables =
      shell("srun --container=entry.sqsh --container-entrypoint cat /proc/self/environ");
  EXPECT_THAT(variables.out, HasSubstr("WRAPPED=yes"));
  EXPECT_THAT(variables.out, Not(HasSubstr("BERTH_ENTRY")));
}

TEST_F(Entrypoint, IsLeftOutUnlessAskedFor) {
  const auto packed = image("--entrypoint wrap");
  const std::string command = " sh -c 'echo ran $WRAPPED'";
  EXPECT_EQ(shell("srun --container=" + packed + command).out, "ran\n");
  EXPECT_THAT(shell("PYXIS_CONTAINER_ENTRYPOINT=1 srun --container=" + packed + command).out,
              HasSubstr("ran yes\n"));
  EXPECT_EQ(shell("BERTH_CONTAINER_ENTRYPOINT=1 srun --no-container-entrypoint --container=" +
                  packed + command)
                .out,
            "ran\n");
  EXPECT_EQ(shell("srun --container-entrypoint --container=own.sqsh sh -c 'echo plain'").out,
            "plain\n");
}

TEST_F(Entrypoint, ThatIsNotInTheImageIsOneLine) {
  for (const std::string missing : {"/no/such/entry", "no-such-entry", "../bin/no-such"}) {
    const auto end = shell("srun --container=" + image("--entrypoint " + missing) +
                           " --container-entrypoint sh -c 'echo ran'");
    EXPECT_NE(end.exit_code, 0);
    EXPECT_EQ(end.out, "");
    EXPECT_THAT(end.err, AllOf(HasSubstr("entry.sqsh\": entrypoint: command \"" + missing),
                               HasSubstr("No such file or directory")));
  }
}

TEST_F(Entrypoint, ExplainNamesIt) {
  EXPECT_THAT(shell("srun --container=" + image("--entrypoint wrap --entrypoint -v") +
                    " --container-entrypoint --container-explain true")
                  .out,
              HasSubstr("wrap -v (image)\n"));
  EXPECT_THAT(shell("srun --container=own.sqsh --container-remap-root --container-name=c "
                    "--container-explain true")
                  .out,
              AllOf(HasSubstr("0, outside "), HasSubstr("kept for the job as \"c\" "),
                    HasSubstr("unpack: ")));
}

TEST_F(Entrypoint, OfBerthRunTakesTheImagesCommandWhereNoneIsGiven) {
  const auto packed = image("--entrypoint wrap --cmd sh --cmd -c --cmd 'echo own'");
  EXPECT_EQ(shell("SLURM_PROCID=r berth run --container-entrypoint " + packed).out,
            "[3 sh -c echo own] r\nown\n");
  EXPECT_EQ(
      shell("SLURM_PROCID=r berth run --container-entrypoint " + packed + " -- sh -c 'echo given'")
          .out,
      "[3 sh -c echo given] r\ngiven\n");
  EXPECT_EQ(shell("berth run " + packed).exit_code, 2);
}

}  // namespace
}  // namespace berth::test
