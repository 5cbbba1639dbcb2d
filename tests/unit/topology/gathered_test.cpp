// Sysfs trees that hwloc-gather-topology takes of this machine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/subprocess.hpp"
#include "topology/load.hpp"

namespace berth::topology {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Gathered : testing::Test {
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "berth-gathered-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string run_here(const std::vector<std::string>& argv) const {
    const auto done = run_ok({.argv = argv, .env = current_environment(), .input = {}});
    return done ? std::string() : done.error().text();
  }

  fs::path folder;
};

TEST_F(Gathered, ThisMachineIsTheSameGatheredAsArchiveOrFolder) {
  const auto name = (folder / "here").string();
  ASSERT_EQ(run_here({"hwloc-gather-topology", name}), "");
  auto expected = load_this_machine(detail::devices_too).value();
  const auto from_archive = load_gathered(name + ".tar.bz2");
  ASSERT_TRUE(from_archive) << from_archive.error().text();
  EXPECT_EQ(from_archive->pus, expected.pus);
  ASSERT_EQ(from_archive->numa_nodes.size(), expected.numa_nodes.size());
  EXPECT_EQ(from_archive->numa_nodes[0].near, expected.numa_nodes[0].near);

  ASSERT_EQ(run_here({"tar", "-x", "-C", folder.string(), "-f", name + ".tar.bz2"}), "");
  EXPECT_EQ(load_gathered((folder / "here").string()).value(), *from_archive);
  EXPECT_EQ(load_described((folder / "here").string()).value(), *from_archive);
  EXPECT_EQ(load_described(name + ".tar.bz2").value(), *from_archive);
}

/// A machine of four CPUs in two cores, of which CPU 2 is offline, as the kernel would show it.
void write_sysfs(const fs::path& root) {
  const auto write = [&](const std::string& name, const std::string& text) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text << '\n';
  };
  const std::string cpus = "sys/devices/system/cpu/";
  write(cpus + "online", "0-1,3");
  write(cpus + "possible", "0-3");
  write(cpus + "present", "0-3");
  for (const int cpu : {0, 1, 3}) {
    const auto topology = cpus + "cpu" + std::to_string(cpu) + "/topology/";
    write(topology + "physical_package_id", "0");
    write(topology + "core_id", std::to_string(cpu / 2));
    write(topology + "core_cpus", cpu < 2 ? "3" : "8");
    write(topology + "thread_siblings", cpu < 2 ? "3" : "8");
    write(topology + "package_cpus", "b");
    write(topology + "core_siblings", "b");
  }
  write(cpus + "cpu1/online", "1");
  write(cpus + "cpu2/online", "0");
  write(cpus + "cpu3/online", "1");
  write("proc/cpuinfo", "processor : 0\n\nprocessor : 1\n\nprocessor : 3\n");
  write("proc/meminfo", "MemTotal: 1024 kB");
  write("proc/mounts", "");
}

TEST_F(Gathered, OfflineCpusAreNotThere) {
  write_sysfs(folder);
  const auto node = load_gathered(folder.string());
  ASSERT_TRUE(node) << node.error().text();
  EXPECT_EQ(os_indexes(*node), (std::vector{0, 1, 3}));
  EXPECT_EQ(node->pus[0].core, node->pus[1].core);
  EXPECT_NE(node->pus[0].core, node->pus[2].core);
}

TEST_F(Gathered, LeavesTheEnvironmentAsItWas) {
  write_sysfs(folder);
  ::setenv("HWLOC_COMPONENTS", "no_os,stop", 1);
  ::unsetenv("HWLOC_FSROOT");
  ASSERT_TRUE(load_gathered(folder.string()));
  EXPECT_STREQ(::getenv("HWLOC_COMPONENTS"), "no_os,stop");
  EXPECT_EQ(::getenv("HWLOC_FSROOT"), nullptr);
  ::unsetenv("HWLOC_COMPONENTS");
}

TEST_F(Gathered, AnythingElseIsOneClearLine) {
  const auto archive = folder / "bad.tar.bz2";
  std::ofstream(archive) << "hello";
  const auto bad = load_gathered(archive.string());
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().text(), HasSubstr("cannot load topology \"" + archive.string() + "\": "));
  EXPECT_THAT(bad.error().text(), HasSubstr("hwloc-gather-topology"));
  EXPECT_EQ(bad.error().text().find('\n'), std::string::npos);
  EXPECT_THAT(load_gathered(folder.string()).error().text(), HasSubstr("has no folders sys/"));
}

}  // namespace
}  // namespace berth::topology
