#include "cli/topology_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.hpp"
#include "topology/codec.hpp"

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
  EXPECT_TRUE(topology::decode(*first));
  EXPECT_TRUE(kept().ends_with(*first));
  EXPECT_EQ(*cached_topology(folder_), *first);
}

TEST_F(TopologyCache, IsWhatTheSecondStepReads) {
  const auto real = *cached_topology(folder_);
  auto other = *topology::decode(real);
  other.pus.resize(1);  // a machine that this one is not, where it has more than one PU
  const auto state = kept().substr(0, kept().size() - real.size());
  keep(state + topology::encode(other));
  EXPECT_EQ(*cached_topology(folder_), topology::encode(other));
}

TEST_F(TopologyCache, OfAnotherStateOrBrokenIsReplaced) {
  const auto real = *cached_topology(folder_);
  const auto good = kept();
  const auto state = good.substr(0, good.size() - real.size());
  for (const auto& bad : {std::string(), "0-511\n0\n" + real, state + "broken"}) {
    keep(bad);
    EXPECT_EQ(*cached_topology(folder_), real);
    EXPECT_EQ(kept(), good);
  }
}

TEST_F(TopologyCache, InAFolderThatOthersCanWriteIsNotUsed) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  EXPECT_TRUE(cached_topology(folder_));
  EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace berth::cli
