// Mounts outlive a step and serve the next one: who gets them, who does not, and how they end.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* image = "/srv/images/warm.sqsh";

std::string node(const std::string& script) {
  return line(root_on("n1", script).out);
}

std::string servers() {
  return node("pidof berth-squashfuse");
}

// The loop devices of the image, those of removed files too.
std::string loops() {
  return node("grep -l ^/srv/images/warm.sqsh /sys/block/loop*/loop/backing_file");
}

void drop_all() {
  root_on("n1", "umount -l /run/berth/kept/ns");
}

// An allocation of node n1, as `salloc --no-shell` makes it.
class allocation {
 public:
  allocation() {
    const auto end =
        shell("salloc -Q --no-shell -w n1 -n1; squeue -h -o %i --me | sort -n | tail -1");
    id_ = line(end.out);
  }
  ~allocation() { login({"scancel", id_}); }
  allocation(const allocation&) = delete;
  allocation& operator=(const allocation&) = delete;
  [[nodiscard]] outcome step(const std::string& words) const {
    return shell("srun --overlap --jobid=" + id_ + " --container-timing " + words);
  }

 private:
  std::string id_;
};

class Warm : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    // The end of an earlier job sweeps by the rules that it found.
    ASSERT_TRUE(comes_true([] { return shell("squeue -h -w n1").out.empty(); }));
    root_on("n1", "cp " + trusted_image() + ' ' + image + "; chmod 644 " + image);
    drop_all();
  }
  void TearDown() override {
    if (IsSkipped()) return;
    root_on("n1", std::string("rm -f ") + image);
    drop_all();
  }
  static outcome step(const std::string& command = "true", const std::string& words = "") {
    return shell("srun -w n1 --container-timing " + words + " --container=" + image + ' ' +
                 command);
  }
};

TEST_F(Warm, ATrustedImageIsMountedOnceForAllStepsOnTheNode) {
  const auto first = step("grep ^ID= /etc/os-release");
  EXPECT_EQ(first.out, "ID=berth\n") << first.err;
  EXPECT_THAT(first.err, HasSubstr(" mount "));
  const auto loop = loops();
  EXPECT_THAT(loop, HasSubstr("/sys/block/loop"));
  const auto second = step("grep ^ID= /etc/os-release");
  EXPECT_EQ(second.out, "ID=berth\n") << second.err;
  EXPECT_THAT(second.err, HasSubstr(" warm "));
  EXPECT_EQ(loops(), loop);
}

TEST_F(Warm, AJobsStepsShareOneServerAndItsEndEndsIt) {
  {
    const allocation job;
    const auto first = job.step("--container=own.sqsh grep ^ID= /etc/os-release");
    EXPECT_EQ(first.out, "ID=berth\n") << first.err;
    const auto server = servers();
    EXPECT_TRUE(parse_unsigned(server)) << server;
    const auto second = job.step("--container=own.sqsh grep ^ID= /etc/os-release");
    EXPECT_EQ(second.out, "ID=berth\n") << second.err;
    EXPECT_EQ(servers(), server);
    // Another job of the same user has another.
    EXPECT_EQ(shell("srun -w n1 -n1 --container=own.sqsh true").exit_code, 0);
    EXPECT_TRUE(comes_true([&] { return servers() == server; })) << servers();
  }
  EXPECT_TRUE(comes_true([] { return servers().empty(); })) << servers();
}

TEST_F(Warm, AWarmServerIsNotAskedForEachTask) {
  // Each request is one read of the server's. Sixteen tasks open some 80 files and follow 48 links.
  constexpr int tasks = 16;
  const allocation job;
  const auto words = fmt::format("--overcommit -n{} --container=own.sqsh true", tasks);
  ASSERT_EQ(job.step(words).exit_code, 0);
  const auto server = servers();
  ASSERT_TRUE(parse_unsigned(server)) << server;
  const auto requests = [&] {
    const auto reads = node("grep syscr /proc/" + server + "/io | cut -d' ' -f2");
    return parse_unsigned(reads).value_or(0);
  };
  const auto before = requests();
  EXPECT_GT(before, 16U) << "the first step has to be served";
  ASSERT_EQ(job.step(words).exit_code, 0);
  EXPECT_LT(requests(), before + tasks);
}

TEST_F(Warm, AServerThatWasKilledOrStoppedIsReplaced) {
  const allocation job;
  for (const auto* signal : {"KILL", "STOP"}) {
    EXPECT_EQ(job.step("--container=own.sqsh true").exit_code, 0);
    const auto server = servers();
    ASSERT_TRUE(parse_unsigned(server)) << server;
    root_on("n1", std::string("kill -") + signal + ' ' + server);
    const auto next = job.step("--container=own.sqsh grep ^ID= /etc/os-release");
    EXPECT_EQ(next.out, "ID=berth\n") << next.err;
    EXPECT_TRUE(comes_true([&] { return parse_unsigned(servers()) && servers() != server; }));
  }
}

TEST_F(Warm, AChangedImageIsNotServedFromTheOldMount) {
  EXPECT_EQ(step().exit_code, 0);
  ASSERT_EQ(
      root_on("n1", std::string("rm -rf /tmp/changed && unsquashfs -q -n -d /tmp/changed ") +
                        image +
                        " && echo ID=changed >/tmp/changed/etc/os-release && "
                        "mksquashfs /tmp/changed /tmp/changed.sqsh -noappend -quiet -no-progress "
                        "-all-root && cat /tmp/changed.sqsh >" +
                        image + "; rm -rf /tmp/changed /tmp/changed.sqsh")
          .exit_code,
      0);
  const auto changed = step("grep ^ID= /etc/os-release");
  EXPECT_EQ(changed.out, "ID=changed\n") << changed.err;
  EXPECT_THAT(changed.err, Not(HasSubstr(" warm ")));
}

TEST_F(Warm, WhoMayNotReadTheImageGetsNoMountOfIt) {
  EXPECT_EQ(step().exit_code, 0);
  EXPECT_THAT(step().err, HasSubstr(" warm "));
  root_on("n1", std::string("chmod 600 ") + image);
  // Its identity has changed with its mode; kept under the new one by root, who may read it.
  const auto root = root_on("n1", std::string("cd / && srun -w n1 --container=") + image + " true");
  EXPECT_EQ(root.exit_code, 0) << root.err;
  // By a name that the login node cannot look at: the compute node has to refuse.
  const std::string by_name = "srun -w n1 --chdir=/ --container=warm.sqsh true";
  for (const auto& end : {shell(by_name), another_user(by_name)}) {
    EXPECT_NE(end.exit_code, 0);
    EXPECT_THAT(end.err, AllOf(HasSubstr("node n1"), HasSubstr("Permission denied")));
  }
}

TEST_F(Warm, WhatIsIdleForLongerThanTheSiteSaysIsDropped) {
  const auto rules =
      covered("n1", "/etc/berth/site.lua", "return { warm_mounts = { idle_seconds = 3 } }");
  EXPECT_EQ(step().exit_code, 0);
  EXPECT_NE(loops(), "");
  // The end of any job on the node is enough.
  EXPECT_TRUE(comes_true([] {
    EXPECT_EQ(shell("srun -w n1 true").exit_code, 0);
    return loops().empty();
  }));
}

TEST_F(Warm, ASiteCanHaveEveryStepMountAnew) {
  const auto rules =
      covered("n1", "/etc/berth/site.lua", "return { warm_mounts = { idle_seconds = 0 } }");
  for (int i = 0; i < 2; ++i) EXPECT_THAT(step().err, HasSubstr(" mount "));
  EXPECT_TRUE(comes_true([] { return loops().empty(); })) << loops();
  const allocation job;
  EXPECT_EQ(job.step("--container=own.sqsh true").exit_code, 0);
  EXPECT_TRUE(comes_true([] { return servers().empty(); })) << servers();
}

}  // namespace
}  // namespace berth::test
