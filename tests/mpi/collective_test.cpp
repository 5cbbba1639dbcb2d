#include "common/collective.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "common/placement.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

TEST(Collective, AllRanksFailWithTheErrorOfTheLowestOne) {
  const auto& comm = world();
  result<int> local = comm.rank();
  const int middle = comm.size() / 2;
  if (comm.rank() >= middle) local = fail("from rank " + std::to_string(comm.rank()), blame::run);
  const auto agreed = agree(comm, std::move(local));
  ASSERT_FALSE(agreed);
  EXPECT_EQ(agreed.error().text(), "from rank " + std::to_string(middle));
  EXPECT_EQ(agreed.error().exit_code(), 1);
}

TEST(Collective, AgreementKeepsEachRanksValue) {
  const auto agreed = agree(world(), result<int>(world().rank()));
  ASSERT_TRUE(agreed);
  EXPECT_EQ(*agreed, world().rank());
}

TEST(Collective, WorkOfTheRootRunsOnceAndItsErrorReachesAll) {
  int runs = 0;
  const auto outcome = on_root(world(), [&]() -> result<void> {
    ++runs;
    return fail("root says no");
  });
  EXPECT_EQ(runs, world().is_root() ? 1 : 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text(), "root says no");
  EXPECT_EQ(outcome.error().exit_code(), 2);
}

TEST(Collective, SumsExtremesAndBroadcastsReachEveryRank) {
  const auto& comm = world();
  const double ranks = comm.size();
  EXPECT_EQ(comm.sum(1.5), 1.5 * ranks);
  EXPECT_EQ(comm.max(static_cast<double>(comm.rank())), ranks - 1);
  EXPECT_EQ(comm.min(static_cast<double>(-comm.rank())), 1 - ranks);
  std::vector<std::string> texts;
  if (comm.is_root()) texts = {"", "größe", "c"};
  comm.broadcast(texts);
  EXPECT_EQ(texts, (std::vector<std::string>{"", "größe", "c"}));
}

TEST(Collective, GathersTextsInRankOrder) {
  const auto texts = world().gather(std::string(static_cast<std::size_t>(world().rank()), 'x'));
  ASSERT_EQ(texts.size(), world().is_root() ? static_cast<std::size_t>(world().size()) : 0U);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i].size(), i);
}

TEST(Collective, KnowsWhereEveryRankRuns) {
  const auto all = gather_placements(world());
  if (!world().is_root()) return;
  ASSERT_EQ(all.size(), static_cast<std::size_t>(world().size()));
  for (const auto& each : all) {
    EXPECT_FALSE(each.host.empty());
    EXPECT_FALSE(each.cpus.empty());
  }
}

}  // namespace
}  // namespace berth::apps
