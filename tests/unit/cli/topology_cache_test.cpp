#include "cli/topology_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "base/file.hpp"
#include "topology/codec.hpp"
#include "topology/load.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

class TopologyCache : public testing::Test {
 protected:
  TopologyCache() {
    std::string pattern = fs::temp_directory_path() / "berth-cache-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~TopologyCache() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string file() const { return folder_ / "topology"; }
  [[nodiscard]] std::string xml() const { return folder_ / "topology.xml"; }
  [[nodiscard]] std::string kept() const { return read_file(file(), 1 << 20).value_or(""); }
  void keep(const std::string& content) const {
    auto out = atomic_file::create(file());
    ASSERT_TRUE(out && write_all(out->fd(), content) && out->commit());
  }

  fs::path folder_;
};

TEST_F(TopologyCache, TellsThisMachineAndKeepsIt) {
  const auto first = cached_topology(folder_);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_TRUE(topology::decode(first->encoded));
  EXPECT_TRUE(kept().ends_with(first->encoded));
  EXPECT_EQ(cached_topology(folder_)->encoded, first->encoded);
}

TEST_F(TopologyCache, TheXmlIsTheSameMachine) {
  const auto found = cached_topology(folder_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->xml, xml());
  EXPECT_EQ(cached_topology(folder_)->xml, xml());
  for (const auto& machine : {topology::load_this_machine(topology::detail::devices_too),
                              topology::load_xml(found->xml)}) {
    ASSERT_TRUE(machine) << machine.error().text();
    EXPECT_EQ(topology::encode(*machine), found->encoded);
  }
  struct stat info {};
  ASSERT_EQ(::stat(xml().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644U);
}

TEST_F(TopologyCache, IsWhatTheSecondStepReads) {
  const auto real = cached_topology(folder_)->encoded;
  auto other = *topology::decode(real);
  other.pus.resize(1);  // a machine that this one is not, where it has more than one PU
  for (auto& memory : other.numa_nodes) memory.near = {0, 1};
  for (auto& device : other.devices) device.near = {0, 1};
  const auto state = kept().substr(0, kept().size() - real.size());
  keep(state + topology::encode(other));
  EXPECT_EQ(cached_topology(folder_)->encoded, topology::encode(other));
}

TEST_F(TopologyCache, OfAnotherStateOrBrokenIsReplaced) {
  const auto real = cached_topology(folder_)->encoded;
  const auto good = kept();
  const auto state = good.substr(0, good.size() - real.size());
  for (const auto& bad : {std::string(), "0-511\n0\n" + real, state + "broken"}) {
    keep(bad);
    EXPECT_EQ(cached_topology(folder_)->encoded, real);
    EXPECT_EQ(kept(), good);
  }
}

// The tasks of every user read it: what root did not write is not handed out.
TEST_F(TopologyCache, AnXmlThatIsMissingOrNotRootsAloneIsReplaced) {
  const auto good = *read_file(cached_topology(folder_)->xml, 1 << 20);
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"missing", [&] { fs::remove(xml()); }},
      {"of another user", [&] { EXPECT_EQ(::chown(xml().c_str(), 65534, 65534), 0); }},
      {"writable by others", [&] { EXPECT_EQ(::chmod(xml().c_str(), 0666), 0); }},
      {"a link",
       [&] {
         fs::rename(xml(), folder_ / "elsewhere");
         fs::create_symlink(folder_ / "elsewhere", xml());
       }},
      {"a folder",
       [&] {
         fs::remove(xml());
         fs::create_directory(xml());
       }},
  };
  for (const auto& [name, spoil] : cases) {
    SCOPED_TRACE(name);
    spoil();
    const auto found = cached_topology(folder_);
    ASSERT_TRUE(found);
    if (fs::is_directory(xml())) {
      EXPECT_EQ(found->xml, "");  // a file cannot take its place
      continue;
    }
    struct stat info {};
    ASSERT_EQ(::lstat(xml().c_str(), &info), 0);
    EXPECT_TRUE(S_ISREG(info.st_mode));
    EXPECT_EQ(info.st_uid, 0U);
    EXPECT_EQ(info.st_mode & 07777, 0644U);
    EXPECT_EQ(*read_file(found->xml, 1 << 20), good);
  }
}

TEST_F(TopologyCache, InAFolderThatOthersCanWriteIsNotUsed) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  const auto found = cached_topology(folder_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->xml, "");
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_FALSE(fs::exists(xml()));
}

}  // namespace
}  // namespace berth::cli
