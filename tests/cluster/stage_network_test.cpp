// --container-stage=auto on a network file system: sshfs on every node, with OpenSSH's own server
// behind it, whose log says who read how much.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <optional>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t filler = std::uint64_t{8} << 20;
// A node looks at the image's name and header; the kernel reads ahead.
constexpr std::uint64_t a_look = std::uint64_t{1} << 20;

/// Shown at "net" in the tests' folder on the login node and all others, each with a server of its
/// own, and in it an image that cannot be compressed below `filler` bytes.
class network_folder {
 public:
  network_folder() {
    const auto end = shell(fmt::format(
        "mkdir -p served net && head -c {} /dev/urandom >filler && berth pack --no-mpi sh cat "
        "--file filler:/filler --force -o served/big.sqsh && rm -f filler reads.*",
        filler));
    EXPECT_EQ(end.exit_code, 0) << end.err;
    for (const auto* node : nodes) mounts_.push_back(mount(node));
  }

  struct reads {
    int open = 0;
    std::uint64_t bytes = 0;
  };
  /// What a node has read of the image so far. sftp-server tells the bytes of a file that was
  /// opened when it is closed.
  static reads by(const std::string& node) {
    reads seen;
    for (const auto& entry : split(shell("cat reads." + node).out, '\n')) {
      if (entry.find("/big.sqsh\"") == std::string::npos) continue;
      if (entry.starts_with("open ")) ++seen.open;
      if (!entry.starts_with("close ")) continue;
      --seen.open;
      constexpr std::string_view mark = "bytes read ";
      const auto number = std::string_view(entry).substr(entry.find(mark) + mark.size());
      seen.bytes += parse_unsigned(number.substr(0, number.find(' '))).value_or(0);
    }
    return seen;
  }
  /// The same when all of it is closed.
  static std::uint64_t bytes_by(const std::string& node) {
    EXPECT_TRUE(comes_true([&] { return by(node).open == 0; })) << node;
    return by(node).bytes;
  }

 private:
  static constexpr std::array nodes{"login", "n1", "n2", "n3", "n4"};

  static std::unique_ptr<changed_node> mount(const std::string& node) {
    const auto there = folder();
    return std::make_unique<changed_node>(
        node,
        fmt::format("printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server -e -l INFO "
                    "2>>{0}/reads.{1}\n' >/run/berth-sftp && chmod 755 /run/berth-sftp && "
                    ">{0}/reads.{1} && sshfs -o ssh_command=/run/berth-sftp,allow_other,"
                    "default_permissions files:{0}/served {0}/net",
                    there, node),
        fmt::format("umount -l {}/net", there));
  }

  std::vector<std::unique_ptr<changed_node>> mounts_;
};

struct two_nodes_rule {
  changed_node file = covered("login", "/etc/berth/site.lua", "return { stage = { nodes = 2 } }");
};

class StageNetwork : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    net_.emplace();
    rules_.emplace();
  }

  static outcome step(const std::string& image, const std::string& options) {
    return shell(
        fmt::format("srun --container={} --container-timing {} sh -c 'cat /filler | cat "
                    ">/dev/null'",
                    image, options));
  }

 private:
  std::optional<network_folder> net_;
  std::optional<two_nodes_rule> rules_;
};

TEST_F(StageNetwork, ManyNodesGetCopiesAndOneMachineReads) {
  const auto end = step("net/big.sqsh", "-N4");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.err, HasSubstr("image staged on 4 nodes"));
  EXPECT_GE(network_folder::bytes_by("login"), filler);
  for (const auto* node : {"n1", "n2", "n3", "n4"}) {
    EXPECT_LT(network_folder::bytes_by(node), a_look) << node;
  }
}

TEST_F(StageNetwork, FewNodesReadTheImageItself) {
  const auto end = step("net/big.sqsh", "-N2 -w n1,n2");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.err, Not(HasSubstr("image staged")));
  EXPECT_LT(network_folder::bytes_by("login"), a_look);
  for (const auto* node : {"n1", "n2"}) {
    EXPECT_GE(network_folder::bytes_by(node), filler) << node;
  }
}

TEST_F(StageNetwork, ManyNodesReadWhatIsNotOnTheNetwork) {
  const auto end = step("served/big.sqsh", "-N4");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.err, Not(HasSubstr("image staged")));
  // Unless they are told.
  EXPECT_THAT(step("served/big.sqsh", "-N4 --container-stage=always").err,
              HasSubstr("image staged on 4 nodes"));
}

TEST_F(StageNetwork, NeverIsNever) {
  const auto end = step("net/big.sqsh", "-N4 --container-stage=never");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.err, Not(HasSubstr("image staged")));
}

}  // namespace
}  // namespace berth::test
