// The page of train --report, read by parsers of XML and HTML.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program_runner.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

TEST(ReportPage, IsWellFormedAndHasTheNumbersOfTheModel) {
  const temporary_folder folder;
  std::string table = "<script>alert(1)</script>,\"a&b\"\"'\",größe,\x1b[31mred,y\n";
  for (int i = 0; i < 60; ++i) {
    table += std::to_string(i % 7) + "," + std::to_string(i * i % 11) + "," +
             std::to_string(i % 5) + "," + std::to_string(i % 13) + "," +
             std::to_string(3 * (i % 7) - i % 5 + i * 37 % 10) + "\n";
  }
  folder.write("t.csv", table);
  const auto made =
      run_program(folder, {BERTH_DATASET, "import", "t.csv", "-o", "t.h5", "--target", "y"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto got =
      run_program(folder, {BERTH_TRAIN, "linear", "t.h5", "--json", "--report", "r.html"}, 2);
  ASSERT_EQ(got.code, 0) << got.err;
  folder.write("r.json", got.out);
  const auto checked =
      run_program(folder, {"/usr/bin/python3", BERTH_CHECK_PAGE, "r.html", "r.json"});
  ASSERT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("\"rows\": 5"));
  for (const char* picture :
       {"4 coefficients with confidence intervals", "Residuals against fitted values",
        "Normal quantiles", "Scale against location", "Residuals against leverage",
        "Time per phase and rank"}) {
    EXPECT_THAT(checked.out, HasSubstr(picture));
  }
}

TEST(ReportPage, IsCheckedBeforeTheWorkBegins) {
  const temporary_folder folder;
  ASSERT_EQ(
      run_program(folder, {BERTH_DATASET, "synth", "-o", "s.h5", "--rows", "50", "--features", "2"})
          .code,
      0);
  const auto lost = run_program(folder, {BERTH_TRAIN, "linear", "s.h5", "--report", "no/r.html"});
  EXPECT_EQ(lost.code, 2);
  EXPECT_THAT(lost.err, HasSubstr("no/r.html"));
  const auto both =
      run_program(folder, {BERTH_TRAIN, "linear", "s.h5", "--report", "m.h5", "-o", "m.h5"});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("--report and --output both name \"m.h5\""));
}

}  // namespace
}  // namespace berth::apps
