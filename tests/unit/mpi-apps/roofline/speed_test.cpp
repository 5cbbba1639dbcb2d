#include "roofline/speed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gram/kernels.hpp"
#include "roofline/machine_peak.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

speed_facts sample(double gram_seconds, double wait_seconds) {
  speed_facts facts;
  facts.peak_flops = 200e9;
  facts.peak_copy = 40e9;
  facts.parts = {{"gram", gram_seconds, 1, 150e9, 8e9, false},
                 {read_part, 0.5, 1, 0, 4e9, false},
                 {wait_part, wait_seconds, 1, 0, 0, false}};
  return facts;
}

TEST(Speed, IsBoundByWhatTakesLongestAndIsNearestItsPeak) {
  EXPECT_EQ(find_bound(sample(1, 0.1)), "the processor");
  EXPECT_EQ(find_bound(sample(1, 2)), "reading");
  auto slow = sample(1, 0.1);
  slow.parts[0].flops = 10e9;
  EXPECT_EQ(find_bound(slow), "memory");
  slow.parts[0].cpu_share = 0.5;
  EXPECT_EQ(find_bound(slow), "sharing its processors");
  slow.parts.clear();
  EXPECT_EQ(find_bound(slow), "");
}

TEST(Speed, TextNamesRatesAndPeaks) {
  auto facts = sample(1, 0.01);
  facts.bound = std::string("the processor");
  facts.warnings = {"too many ranks"};
  EXPECT_EQ(speed_text(facts),
            "Speed: gram 1 s at 150 GFLOP/s (75 % of the peak), 8 GB/s; read 0.5 s at 8 GB/s; "
            "peak 200 GFLOP/s, copying 40 GB/s; bound by the processor\n"
            "Speed: warning: too many ranks\n");
  facts.parts[0].cpu_share = 0.4;
  EXPECT_THAT(speed_text(facts), HasSubstr("other work took the processors for 60 % of the time"));
  EXPECT_EQ(speed_text({}), "");
}

TEST(Speed, WarnsOfRanksAndThreadsThatShareProcessors) {
  const rank_setting one{"a", {0}, 1, ""};
  const rank_setting other{"a", {1}, 1, ""};
  const rank_setting far{"b", {0}, 1, ""};
  EXPECT_THAT(find_warnings({one, other, far}, true), IsEmpty());
  EXPECT_THAT(find_warnings({one, one, far}, true),
              ElementsAre(HasSubstr("2 ranks share 1 processors on a")));
  auto busy = one;
  busy.blas_threads = 4;
  EXPECT_THAT(find_warnings({busy}, true),
              ElementsAre(HasSubstr("4 BLAS threads share 1 processors on a")));
  EXPECT_THAT(find_warnings({busy}, false), IsEmpty());
  const rank_setting threaded{"a", {0, 1}, 1, "", 2};
  EXPECT_THAT(find_warnings({threaded}, false), IsEmpty());
  EXPECT_THAT(find_warnings({threaded, threaded}, false),
              ElementsAre(HasSubstr("4 threads share 2 processors on a; leave out --threads")));
}

TEST(Speed, WarnsOfKernelsThatLeaveHalfOfTheVectorsUnused) {
  const rank_setting slow{"a", {0}, 1, "Haswell"};
  EXPECT_THAT(find_warnings({slow}, true),
              ElementsAre(HasSubstr("OpenBLAS on a runs its Haswell")));
  EXPECT_THAT(find_warnings({slow}, false), IsEmpty());
}

TEST(Speed, SumsUpWhatWasLogged) {
  work_log log;
  log.add({"gram", 0.25, 0.2, 1e9, 8e6, false});
  log.add({"gram", 0.75, 0.3, 2e9, 4e6, false});
  log.add({wait_part, 0.1, 0.1, 0, 0, false});
  const auto facts = sum_up_speed(communicator::alone(), log, false);
  ASSERT_EQ(facts.parts.size(), 2U);
  EXPECT_EQ(facts.parts[0].flops, 3e9);
  EXPECT_EQ(facts.parts[0].bytes, 12e6);
  EXPECT_DOUBLE_EQ(facts.parts[0].cpu_share, 0.5);
  EXPECT_EQ(facts.ranks.size(), 1U);
  EXPECT_EQ(facts.bound, "sharing its processors");
  EXPECT_EQ(facts.peak_copy, 0);
  ASSERT_EQ(facts.peak_memory.size(), 1U);
  EXPECT_GT(facts.peak_memory[0], 1e6);
}

TEST(MachinePeak, IsThatOfVectors) {
  for (const auto* kernels : supported_kernels()) {
    const std::size_t width = kernels->name == std::string("avx512") ? 8
                              : kernels->name == std::string("avx2") ? 4
                                                                     : 1;
    EXPECT_EQ(kernels->multiply_adds(10), static_cast<double>(2 * 10 * 12 * width));
  }
  EXPECT_GT(measure_flops(), 1e8);
  EXPECT_GT(measure_copy(2), 1e7);
}

}  // namespace
}  // namespace berth::apps
