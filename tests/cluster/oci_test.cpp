// The recipe in site-configs/oci: Slurm itself starts containers, with berth as its runtime.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;

class Oci : public LabTest {};

constexpr const char* recipe = "/opt/berth/share/berth/site-configs/oci";

changed_node with_recipe() {
  return {"login",
          fmt::format("sed s,/usr/share/,/opt/berth/share/, {}/oci-22.05.conf >/etc/slurm/oci.conf",
                      recipe),
          "rm /etc/slurm/oci.conf"};
}

void make_bundle() {
  ASSERT_EQ(shell("mkdir -p bundle/rootfs && cp own.sqsh bundle/image.sqsh && echo '"
                  R"({"ociVersion": "1.0.0", "process": {"args": ["true"], "cwd": "/"},)"
                  R"( "root": {"path": "rootfs"}})"
                  "' >bundle/config.json")
                .exit_code,
            0);
}

TEST_F(Oci, SlurmStartsBerthWithABundle) {
  if (shell("srun --version").out.find(" 22.05.") == std::string::npos) {
    GTEST_SKIP() << "for Slurm 22.05: later releases want no bundle";
  }
  make_bundle();
  const auto conf = with_recipe();
  const auto end = shell(
      "X='a  b' srun -N2 -n2 --mpi=none --container=$PWD/bundle sh -c "
      "'grep -c image.sqsh /proc/self/mountinfo; pwd; id -u; echo \"$X $0\"' \"it's\"");
  const auto one = fmt::format("1\n{}\n{}\na  b it's\n", folder(), line(shell("id -u").out));
  EXPECT_EQ(end.out.size(), 2 * one.size()) << end.out << end.err;
  EXPECT_THAT(end.out, HasSubstr("a  b it's\n")) << end.err;
  EXPECT_THAT(end.out, HasSubstr(folder() + "\n"));
  EXPECT_EQ(shell("srun -N1 --mpi=none --container=$PWD/bundle sh -c 'exit 7'").exit_code, 7);
  EXPECT_EQ(shell("srun -N1 --mpi=none --container=$PWD/bundle no-such-program").exit_code, 127);
}

TEST_F(Oci, ThePluginStandsDown) {
  make_bundle();
  const auto conf = with_recipe();
  const auto end = shell("srun -N1 -w n1 --mpi=none --container=$PWD/bundle true");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(root_on("n1", "cat /var/log/slurm/slurmd.log").out, HasSubstr("standing down"));
  EXPECT_THAT(shell("srun -N1 --container-image=own.sqsh true").err,
              HasSubstr("this cluster has an oci.conf"));
}

// Patterns that only later releases know: the line that they give to /bin/sh, run as they run it.
TEST_F(Oci, TheLineOfLaterReleasesWorks) {
  auto pattern = line(
      shell(fmt::format(R"x(sed -n 's/^RunTimeRun="\(.*\)"$/\1/p' {}/oci.conf)x", recipe)).out);
  for (const auto& [what, with] :
       {std::pair<std::string, std::string>{"/usr/share/", "/opt/berth/share/"},
        {"%b", folder() + "/own.sqsh"},
        {"%e", folder() + "/environment"},
        {"%@", "'sh' '-c' 'echo \"$X\"; pwd; exit 5'"}}) {
    const auto at = pattern.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    pattern.replace(at, what.size(), with);
  }
  shell("cat >pattern", pattern);
  const auto end = shell(
      "X='a  b' SLURM_CONTAINER=$PWD/own.sqsh env -0 >environment; text=$(cat pattern); cd /tmp; "
      "env -i /bin/sh -c \"$text\"");
  EXPECT_EQ(end.out, "a  b\n" + folder() + "\n") << end.err;
  EXPECT_EQ(end.exit_code, 5);
}

}  // namespace
}  // namespace berth::test
