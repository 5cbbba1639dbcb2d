#include "plugin/slurm_config.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "plugin/slurm.hpp"

extern "C" {
extern slurm_conf_t slurm_conf;
}

namespace berth::plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Slurm's own structure, as its library holds it in every Slurm process.
class SlurmConfig : public testing::Test {
 protected:
  ~SlurmConfig() override { slurm_conf = {}; }
};

std::string short_host_name() {
  std::array<char, 256> name{};
  EXPECT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  return std::string(name.data()).substr(0, std::string_view(name.data()).find('.'));
}

TEST_F(SlurmConfig, TheSpoolFolderHasItsNodesName) {
  const auto host = short_host_name();
  const std::pair<std::string, std::string> folders[] = {
      {"/var/spool/slurmd", "/var/spool/slurmd"},
      {"/var/spool/%n", "/var/spool/node7"},
      {"/var/spool/%h", "/var/spool/" + host},
      {"/%n/%h/%n", "/node7/" + host + "/node7"},
      {"/100%", "/100%"},
  };
  for (auto [written, meant] : folders) {
    slurm_conf.slurmd_spooldir = written.data();
    EXPECT_EQ(spool_folder("node7"), meant);
  }
}

TEST_F(SlurmConfig, ANodeNameIsNotExpandedAgain) {
  std::string folder = "/spool/%n";
  slurm_conf.slurmd_spooldir = folder.data();
  EXPECT_EQ(spool_folder("%n"), "/spool/%n");
}

TEST_F(SlurmConfig, WithoutConfigurationNothingIsKnown) {
  EXPECT_EQ(spool_folder("node7"), "");
  EXPECT_THAT(task_prologs(), IsEmpty());
}

TEST_F(SlurmConfig, TaskPrologIsFoundAndForgotten) {
  std::string script = "/etc/slurm/prolog.sh";
  slurm_conf.task_prolog = script.data();
  EXPECT_THAT(task_prologs(), ElementsAre("/etc/slurm/prolog.sh"));
  forget_task_prologs();
  EXPECT_THAT(task_prologs(), IsEmpty());
  EXPECT_EQ(slurm_conf.task_prolog, nullptr);
  std::string none;
  slurm_conf.task_prolog = none.data();
  EXPECT_THAT(task_prologs(), IsEmpty());
}

TEST_F(SlurmConfig, AnOciConfIsLookedForBesideSlurmConf) {
  auto pattern = (std::filesystem::temp_directory_path() / "berth-plugin-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  auto file = (folder / "slurm.conf").string();
  slurm_conf.slurm_conf = file.data();
  EXPECT_FALSE(has_oci_conf());
  std::ofstream(folder / "oci.conf") << "";
  EXPECT_TRUE(has_oci_conf());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace berth::plugin
