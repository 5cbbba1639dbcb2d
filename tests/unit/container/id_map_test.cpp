#include "container/id_map.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

const identity ada{1000, 1001, {}};

TEST(IdMap, RangesAreFoundByNameAndByNumber) {
  constexpr const char* list = "bob:100000:65536\nada:200000:65536\n1002:300000:10\n";
  EXPECT_EQ(find_range(list, "ada", 1000, 1000), (id_range{200000, 65536}));
  EXPECT_EQ(find_range(list, "eve", 1002, 1002), (id_range{300000, 10}));
  EXPECT_EQ(find_range(list, "eve", 1003, 1003), std::nullopt);
  EXPECT_EQ(find_range("", "ada", 1000, 1000), std::nullopt);
}

TEST(IdMap, LinesThatWouldGiveTooMuchOrMakeNoSenseArePassedOver) {
  for (const auto* line :
       {"ada:0:65536", "ada:1:65536", "ada:4294967295:2", "ada:100000:0", "ada:100000:-1",
        "ada:1e5:10", "ada:100000", "ada:100000:10:x", ":100000:10", "adam:100000:10",
        "ada:99999999999:1", "ada:500:501"}) {
    EXPECT_EQ(find_range(line, "ada", 1000, 1000), std::nullopt) << line;
  }
  EXPECT_EQ(find_range("ada:0:9\n ada:70000:9 \n", "ada", 1000, 1000), (id_range{70000, 9}));
}

TEST(IdMap, WithoutBothKindsTheUserIsAlone) {
  for (const auto& map : {plan_id_map(ada, std::nullopt, std::nullopt),
                          plan_id_map(ada, id_range{100000, 9}, std::nullopt),
                          plan_id_map(ada, std::nullopt, id_range{100000, 9})}) {
    EXPECT_EQ(map.uids, "0 1000 1\n");
    EXPECT_EQ(map.gids, "0 1001 1\n");
    EXPECT_FALSE(map.several);
  }
}

TEST(IdMap, SubordinateIdsFollowRoot) {
  const auto map = plan_id_map(ada, id_range{100000, 65536}, id_range{200000, 9});
  EXPECT_EQ(map.uids, "0 1000 1\n1 100000 65535\n");
  EXPECT_EQ(map.gids, "0 1001 1\n1 200000 9\n");
  EXPECT_TRUE(map.several);
}

}  // namespace
}  // namespace berth::container
