#include "container/start_times.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace berth::container {
namespace {

using std::chrono::microseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string told(int node, int milliseconds) {
  return node_line(fmt::format("n{}", node), "fuse",
                   {{"resolve", 300}, {"warm", 200}, {"root", 100}, {"join", 50}},
                   microseconds(milliseconds * 1000)) +
         '\n';
}

TEST(StartTimes, ANodesLineIsReadBack) {
  const auto line =
      node_line("n1", "kernel", {{"resolve", 310}, {"mount", 4200}}, microseconds(8100));
  EXPECT_EQ(line, "berth: node n1: kernel: ready in 8.10 ms: resolve 0.31, mount 4.20, other 3.59");
  const auto times = parse_node_line(line);
  ASSERT_TRUE(times);
  EXPECT_EQ(times->node, "n1");
  EXPECT_DOUBLE_EQ(times->total, 8.1);
  EXPECT_THAT(times->phases,
              ElementsAre(Pair("resolve", 0.31), Pair("mount", 4.2), Pair("other", 3.59)));
  for (const auto* other :
       {"", "berth: node n1: image \"x\": cannot open", "berth: node n1: fuse: ready in x ms: a 1",
        "berth: node n1: fuse: ready in 1 ms: a", "berth: node n1: fuse: ready in -1 ms: a 1",
        "berth: node : fuse: ready in 1 ms: a 1", "berth: node n1: ready in 1 ms: a 1"}) {
    EXPECT_FALSE(parse_node_line(other)) << other;
  }
}

TEST(StartTimes, OthersLinesGoByUnchangedAndAtOnce) {
  start_times times(2);
  EXPECT_EQ(times.take("Password: "), "Password: ");
  EXPECT_EQ(times.take("berth: node n1: hello\nx\n\n12: y\n"),
            "berth: node n1: hello\nx\n\n12: y\n");
  EXPECT_EQ(times.take("  10%"), "  10%");
  EXPECT_EQ(times.take("\r\n"), "\r\n");
  EXPECT_FALSE(times.holds_back());
  EXPECT_EQ(times.summary(), "");
}

TEST(StartTimes, WhatMayBecomeANodesLineWaits) {
  start_times times(1);
  const auto line = told(1, 8);
  for (const char byte : " 3: " + line) EXPECT_EQ(times.take({&byte, 1}), "");
  EXPECT_TRUE(times.complete());
  start_times other(1);
  EXPECT_EQ(other.take("berth: no"), "");
  EXPECT_TRUE(other.holds_back());
  EXPECT_EQ(other.give_up(), "berth: no");
  EXPECT_EQ(other.take("de n1: fuse\n"), "de n1: fuse\n");
  // Nothing of a user's makes it wait for ever.
  EXPECT_EQ(other.take("berth: node " + std::string(2000, 'x')).size(), 2012U);
}

TEST(StartTimes, TheSummaryHasEveryPhaseAndNamesTheSlowNode) {
  start_times times(4);
  EXPECT_EQ(times.take("berth: image staged on 4 nodes in 123.4 ms\n"),
            "berth: image staged on 4 nodes in 123.4 ms\n");
  EXPECT_EQ(times.take("0: " + told(1, 8) + "hello\n" + "1: " + told(2, 9) + told(3, 700)),
            "hello\n");
  EXPECT_FALSE(times.complete());
  EXPECT_EQ(times.take("P0 12: " + told(4, 10)), "");
  ASSERT_TRUE(times.complete());
  const auto text = times.summary();
  EXPECT_EQ(text.substr(0, text.find("resolve")),
            "berth: node n3 is slow: fuse: ready in 700.00 ms: ");
  EXPECT_THAT(text,
              HasSubstr("\nberth: start on 4 nodes in ms, median (most, where): total 9.00 "
                        "(700.00 n3), resolve 0.30 (0.30 n4), policy 0.00 (0.00 n4), staging "
                        "0.00 (0.00 n4), mount 0.20 (0.20 n4), root 0.10 (0.10 n4), join "
                        "0.05 (0.05 n4), other 8.35 (699.35 n3); copying before it 123.40\n"));
  EXPECT_EQ(times.summary(), "");
  EXPECT_EQ(times.take(told(5, 1)), told(5, 1));
}

TEST(StartTimes, SlowIsTwiceTheMedianAndTenMilliseconds) {
  const auto slow = [](int first, int second) {
    start_times times(2);
    times.take(told(1, first) + told(2, second));
    return times.summary();
  };
  EXPECT_THAT(slow(8, 18), HasSubstr("node n2 is slow"));
  EXPECT_THAT(slow(8, 17), Not(HasSubstr("slow")));
  EXPECT_THAT(slow(80, 160), Not(HasSubstr("slow")));
  EXPECT_THAT(slow(161, 80), HasSubstr("node n1 is slow"));
}

TEST(StartTimes, WhoIsMissingAndManyWhoAreSlow) {
  start_times times(1024);
  for (int node = 0; node < 600; ++node) times.take(told(node, 8));
  for (int node = 600; node < 620; ++node) times.take(told(node, 500 + node));
  const auto text = times.summary();
  EXPECT_THAT(text, HasSubstr("berth: node n619 is slow"));
  EXPECT_THAT(text, HasSubstr("berth: 4 more nodes are slow\n"));
  EXPECT_THAT(text, HasSubstr("berth: start on 620 of 1024 nodes in ms"));
}

TEST(StartTimes, TheSummaryBeginsALine) {
  start_times times(1);
  EXPECT_EQ(times.take(told(1, 8) + "no end"), "no end");
  EXPECT_THAT(times.summary(), ::testing::StartsWith("\nberth: start on 1 node in ms"));
}

}  // namespace
}  // namespace berth::container
