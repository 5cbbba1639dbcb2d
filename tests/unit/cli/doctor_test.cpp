#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <map>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

struct seen {
  std::string result, found, cure;
};

class Doctor : public program_test {
 protected:
  Doctor() {
    fs::create_directory(path("slurm"));
    write("slurm/slurm.conf",
          "ClusterName=x\nTaskPlugin=task/affinity,task/cgroup  # fence\n"
          "ProctrackType=proctrack/cgroup\n");
    fs::create_directory(path("slurm/more.d"));
  }
  /// What it says by name; of several findings of a name the worst.
  std::map<std::string, seen> findings(const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments{"doctor", "--json", "--slurm-conf",
                                       path("slurm/slurm.conf")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto end = berth(arguments);
    exit_code_ = end.exit_code;
    std::map<std::string, seen> all;
    for (const auto& one : nlohmann::json::parse(end.out)) {
      auto& into = all[one["name"]];
      if (into.result != "wrong") into = {one["result"], one["found"], one["cure"]};
    }
    return all;
  }
  int exit_code_ = 0;
};

TEST_F(Doctor, FindsAKernelThatCanDoItAll) {
  const auto all = findings();
  for (const auto* name : {"kernel", "system calls", "squashfs", "overlay", "fuse", "loop devices",
                           "berth-squashfuse", "/dev/shm", "cgroups"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(all.at(name).result, "ok") << name << ": " << all.at(name).found;
    EXPECT_EQ(all.at(name).cure, "") << name;
  }
}

TEST_F(Doctor, TellsWhichCompressorsTheKernelReads) {
  const auto told = run({{"sh", "-c",
                          "for f in /boot/config-$(uname -r) /lib/modules/$(uname -r)/config; do "
                          "test -r $f && exec cat $f; done; zcat /proc/config.gz"},
                         environment(),
                         {}})
                        ->out;
  const auto one = findings().at("squashfs compressors");
  bool reads_all = true;
  for (const auto& [option, name] :
       {std::pair("ZSTD", "zstd"), std::pair("LZ4", "lz4"), std::pair("ZLIB", "gzip")}) {
    const bool reads =
        told.find(fmt::format("\nCONFIG_SQUASHFS_{}=y\n", option)) != std::string::npos;
    reads_all &= reads;
    EXPECT_EQ(one.found.find(name) != std::string::npos, !told.empty()) << one.found;
  }
  EXPECT_EQ(one.result, told.empty() ? "unknown" : reads_all ? "ok" : "note") << one.found;
}

TEST_F(Doctor, APluginThatIsMissingOptionalOrTwiceIsWrong) {
  EXPECT_EQ(findings().at("plugin").result, "wrong");
  EXPECT_EQ(exit_code_, 1);
  write("slurm/plugstack.conf", "include " + path("slurm/more.d/*.conf") + "\n");
  write("slurm/more.d/berth.conf",
        "# optional spank_berth.so\n optional " BERTH_OLD_PLUGIN " a=b\n");
  EXPECT_THAT(findings().at("plugin").found,
              AllOf(HasSubstr("optional in"), HasSubstr("berth.conf")));
  write("slurm/more.d/berth.conf", "required " BERTH_OLD_PLUGIN "\n");
  EXPECT_EQ(findings().at("plugin").result, "ok");
  write("slurm/more.d/second.conf", "required spank_berth.so\n");
  EXPECT_THAT(findings().at("plugin").found, HasSubstr("named again"));
}

TEST_F(Doctor, APluginForAnotherSlurmIsWrong) {
  write("slurm/plugstack.conf", "required " BERTH_OLD_PLUGIN "\n");
  const auto version = findings().at("plugin version");
  EXPECT_EQ(version.result, "wrong");
  EXPECT_THAT(version.found, HasSubstr("compiled for Slurm 20.11.9"));
  write("slurm/plugstack.conf", "required /nowhere/spank_berth.so\n");
  EXPECT_EQ(findings().at("plugin file").result, "wrong");
}

TEST_F(Doctor, HelpersThatAreMissingOrAnybodysAreWrong) {
  write("slurm/plugstack.conf", "required spank_berth.so helper=/nowhere/berth-node\n");
  const auto missing = findings().at("node helper");
  EXPECT_EQ(missing.result, "wrong");
  EXPECT_THAT(missing.found, HasSubstr("/nowhere/berth-node"));
  EXPECT_THAT(missing.cure, HasSubstr("helper="));
  for (const auto* name : {"berth-node", "berth-unpack", "berth-stage", "berth-slurm"}) {
    fs::permissions(write(name, "x"), fs::perms(0755));
  }
  write("slurm/plugstack.conf", "required spank_berth.so helper=" + path("berth-node") + "\n");
  EXPECT_THAT(findings().at("node helper").found, HasSubstr("others than root can change"));
}

TEST_F(Doctor, AStagingFolderMustBeEverybodys) {
  auto pattern = std::string("/root/berth-site-XXXXXX");
  const fs::path safe = ::mkdtemp(pattern.data());
  const auto with = [&](const fs::path& folder) {
    std::ofstream(safe / "site.lua")
        << "return { stage = { folder = '" << folder.string() << "' } }";
    return findings({"--site", safe / "site.lua"}).at("staging");
  };
  EXPECT_EQ(with("/tmp").result, "ok");
  EXPECT_THAT(with("/nowhere").found, HasSubstr("No such file"));
  EXPECT_EQ(with(safe).cure, "chmod 1777 " + safe.string());
  fs::remove_all(safe);
}

TEST_F(Doctor, AnOciConfIsWrong) {
  EXPECT_FALSE(findings().contains("oci.conf"));
  write("slurm/oci.conf", "");
  EXPECT_EQ(findings().at("oci.conf").result, "wrong");
}

TEST_F(Doctor, TellsOfWeakSlurmSettings) {
  EXPECT_FALSE(findings().contains("task plugin"));
  write("slurm/slurm.conf", "TaskPlugin=task/none\nproctracktype = proctrack/linuxproc\n");
  const auto all = findings();
  EXPECT_EQ(all.at("task plugin").result, "note");
  EXPECT_EQ(all.at("process tracking").result, "note");
}

TEST_F(Doctor, ASiteFileMustBeRootsAndRight) {
  // The temporary folder is everybody's.
  const auto open = write("site.lua", "return {}");
  EXPECT_EQ(findings({"--site", open}).at("site file").result, "wrong");
  EXPECT_EQ(findings({"--site", path("absent.lua")}).at("site file").result, "wrong");
  auto pattern = std::string("/root/berth-site-XXXXXX");
  const fs::path safe = ::mkdtemp(pattern.data());
  std::ofstream(safe / "site.lua") << "site { nonsense = 1 }\n";
  const auto bad = findings({"--site", safe / "site.lua"}).at("site file");
  EXPECT_EQ(bad.result, "wrong");
  EXPECT_THAT(bad.found, HasSubstr("site.lua:1"));
  fs::remove_all(safe);
}

TEST_F(Doctor, ACacheOfOthersIsWrong) {
  fs::create_directory(path("cache"));
  EXPECT_EQ(findings({"--cache", path("cache")}).at("image cache").result, "wrong");
}

TEST_F(Doctor, TextHasNoColourInAPipeAndNamesTheCure) {
  const auto end = berth({"doctor", "--slurm-conf", path("slurm/slurm.conf")});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_EQ(end.out.find('\033'), std::string::npos);
  EXPECT_THAT(end.out, AllOf(HasSubstr("wrong   plugin"), HasSubstr("-> add to it: required"),
                             HasSubstr(" wrong, ")));
}

TEST_F(Doctor, SaysWhatAnOrdinaryUserCannotFindOut) {
  fs::permissions(folder_, fs::perms(0755));
  auto pattern = std::string("/root/berth-doctor-XXXXXX");
  const fs::path hidden = ::mkdtemp(pattern.data());
  fs::create_directory(hidden / "cache");
  const auto end = run({{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                         BERTH_PROGRAM, "doctor", "--slurm-conf", hidden / "slurm.conf"},
                        {"PATH=/usr/bin:/bin:/usr/sbin", "HOME=/nonexistent"},
                        {}});
  fs::remove_all(hidden);
  ASSERT_TRUE(end);
  EXPECT_THAT(end->out, HasSubstr("unknown slurm.conf"));
}

}  // namespace
}  // namespace berth::cli
