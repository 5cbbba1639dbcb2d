#include "models/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace berth::apps {
namespace {

using testing::HasSubstr;

model sample() {
  model fitted;
  fitted.targets = {{std::string("y"),
                     {{intercept_name, -3482258.63, 890420.38, -3.911, 0.00356},
                      {"größe", 15.06, std::nan(""), std::nan(""), std::nan("")}},
                     {{"r2", 0.995}, {"rmse", 228.6}, {"df", 9}}}};
  fitted.data = std::string("longley.h5");
  fitted.rows = 1600;
  fitted.ranks = 2;
  return fitted;
}

const run_facts run{"m.h5", {{"read", 0.5}, {"fit", 0.25}}, {{"node1", "0-1"}, {"node2", "3"}}};

TEST(Report, ReadsLikeASummary) {
  const auto text = report_text(sample(), run);
  EXPECT_THAT(text, HasSubstr("rank 0 on node1, CPUs 0-1\nrank 1 on node2, CPUs 3\n"));
  EXPECT_THAT(text,
              HasSubstr("Linear regression of y in longley.h5\n1,600 rows, 1 feature, 2 ranks"));
  EXPECT_THAT(text, HasSubstr("(intercept)        -3482259       890420    -3.911   0.00356 **\n"));
  EXPECT_THAT(text, HasSubstr("größe                 15.06           NA        NA        NA\n"));
  EXPECT_THAT(text, HasSubstr("Time: read 0.500 s, fit 0.250 s, total 0.750 s\n"));
  EXPECT_THAT(text, HasSubstr("Model written to m.h5\n"));
}

TEST(Report, JsonIsOneLineWithInterceptFirstAndNullForNan) {
  const auto text = report_json(sample(), run);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_THAT(text,
              HasSubstr(R"x("coefficients":[{"name":"(intercept)","estimate":-3482258.63,)x"));
  EXPECT_THAT(text, HasSubstr(R"("std_error":null)"));
  EXPECT_THAT(text, HasSubstr(R"("r2":0.995)"));
  EXPECT_THAT(text, HasSubstr(R"({"rank":1,"host":"node2","cpus":"3"})"));
}

TEST(Report, HasATableForEachTarget) {
  auto fitted = sample();
  fitted.targets.push_back(fitted.targets.front());
  fitted.targets[1].name = std::string("z");
  fitted.targets[1].coefficients[1].estimate = 77;
  const auto text = report_text(fitted, run);
  EXPECT_THAT(text, HasSubstr("Linear regression of y, z in"));
  EXPECT_LT(text.find("Target y:"), text.find("15.06"));
  EXPECT_LT(text.find("15.06"), text.find("Target z:"));
  EXPECT_LT(text.find("Target z:"), text.find("77 "));
  EXPECT_THAT(report_json(fitted, run),
              HasSubstr(R"x("targets":[{"target":"y","coefficients":[)x"));
}

TEST(Report, JsonSurvivesNamesThatAreNotUtf8) {
  auto fitted = sample();
  fitted.targets[0].coefficients[1].name = std::string(
      "gr\xF6\xDF"
      "e");
  EXPECT_THAT(report_json(fitted, run), HasSubstr("\"coefficients\""));
}

}  // namespace
}  // namespace berth::apps
