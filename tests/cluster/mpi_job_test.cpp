// An MPI job of eight ranks on four nodes, in one container per node.

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int ranks = 8;
constexpr int nodes = 4;
const std::string srun = "srun -N4 -n8 --ntasks-per-node=2 --pin=core,verbose ";

class Container : public LabTest {};

std::map<int, json> reports(const std::string& text) {
  std::map<int, json> found;
  for (const auto& one : split(text, '\n')) {
    if (!one.starts_with('{')) continue;
    auto report = json::parse(one);
    found.emplace(report["rank"].get<int>(), std::move(report));
  }
  return found;
}

// What --pin=verbose said: cpuset by rank.
std::map<int, std::string> announced(const std::string& text) {
  static const std::regex form("berth: rank ([0-9]+) on ([^:]+): pinned cpuset=([0-9,-]+) .*");
  std::map<int, std::string> found;
  std::smatch match;
  for (const auto& one : split(text, '\n')) {
    if (std::regex_match(one, match, form)) found[std::stoi(match[1])] = match[3];
  }
  return found;
}

std::map<std::string, std::string> host_namespaces() {
  std::map<std::string, std::string> found;
  const auto end = shell("srun -N4 sh -c 'echo $(hostname) $(readlink /proc/self/ns/mnt)'");
  for (const auto& one : split(line(end.out), '\n')) {
    const auto blank = one.find(' ');
    found[one.substr(0, blank)] = one.substr(blank + 1);
  }
  return found;
}

void expect_job_in_container(const std::string& image) {
  const auto end = shell(srun + "--container=" + image + " probe");
  ASSERT_EQ(end.exit_code, 0) << end.err;
  const auto found = reports(end.out);
  const auto pinned = announced(end.err);
  const auto hosts = host_namespaces();
  ASSERT_THAT(found, SizeIs(ranks)) << end.out;
  ASSERT_THAT(pinned, SizeIs(ranks)) << end.err;
  ASSERT_THAT(hosts, SizeIs(nodes));
  std::map<std::string, std::set<std::string>> namespaces;
  std::map<std::string, std::set<int>> taken;
  for (const auto& [rank, report] : found) {
    SCOPED_TRACE(report.dump());
    const auto host = report["host"].get<std::string>();
    EXPECT_EQ(report["size"], ranks);
    EXPECT_EQ(report["sum"], ranks * (ranks - 1) / 2);
    EXPECT_EQ(report["os"], "berth");
    EXPECT_EQ(report["no_new_privs"], 1);
    EXPECT_EQ(report["cwd"], folder());
    EXPECT_EQ(report["cpus"], pinned.at(rank));
    EXPECT_NE(report["mount_namespace"], hosts.at(host));
    namespaces[host].insert(report["mount_namespace"].get<std::string>());
    const auto cpus = parse_list(report["cpus"].get<std::string>());
    ASSERT_TRUE(cpus);
    for (const auto cpu : *cpus) {
      EXPECT_TRUE(taken[host].insert(cpu).second) << "two ranks on CPU " << cpu;
    }
  }
  EXPECT_THAT(namespaces, SizeIs(nodes));
  for (const auto& [host, own] : namespaces) EXPECT_THAT(own, SizeIs(1)) << host;
}

TEST_F(Container, HoldsEveryRankOfAnMpiJobFromTheUsersImage) {
  expect_job_in_container(own_image());
}

TEST_F(Container, HoldsEveryRankOfAnMpiJobFromATrustedImage) {
  expect_job_in_container(trusted_image());
}

// What a node mounted, told by the node's own log.
TEST_F(Container, IsMountedByTheKernelForTrustedImagesAndByFuseForOthers) {
  for (const auto& [image, backend] :
       {std::pair{own_image(), "(fuse)"}, std::pair{trusted_image(), "(kernel)"}}) {
    const auto end =
        shell("srun --container=" + image + " sh -c 'echo $SLURM_JOB_ID $SLURM_NODELIST'");
    ASSERT_EQ(end.exit_code, 0) << end.err;
    const auto told = split(line(end.out), ' ');
    const auto log = root_on(
        told.at(1), "grep '\\[" + told.at(0) + "\\.0\\] berth: step' /var/log/slurm/slurmd.log");
    EXPECT_THAT(log.out, HasSubstr(image + "\" " + backend));
  }
}

}  // namespace
}  // namespace berth::test
