#include "html/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "html/coefficient_picture.hpp"
#include "html/markup.hpp"
#include "html/plot.hpp"
#include "html/residual_pictures.hpp"
#include "html/time_picture.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

target_fit with_coefficients(std::size_t count, double half_width) {
  target_fit fitted;
  fitted.name = std::string("y");
  fitted.coefficients.push_back({intercept_name, 5, 0.1, 50, 0});
  for (std::size_t i = 0; i < count; ++i) {
    const auto estimate = static_cast<double>(i + 1);
    coefficient b{"feature" + std::to_string(i), estimate, half_width / 2,
                  estimate / (half_width / 2), 0};
    b.ci_low = estimate - half_width;
    b.ci_high = estimate + half_width;
    fitted.coefficients.push_back(b);
  }
  return fitted;
}

TEST(Markup, EscapesWhatBrowsersWouldRead) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain", "plain"},
      {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
      {"a & \"b\"", "a &amp; &quot;b&quot;"},
      {"größe \u2026", "größe \u2026"},
      {"tab\there", "tab here"},
      {std::string("nul\0", 4), "nul\uFFFD"},
      {"\x1b[31m", "\uFFFD[31m"},
      {"cut \xE2\x82", "cut \uFFFD\uFFFD"},
      {"surrogate \xED\xA0\x80", "surrogate \uFFFD\uFFFD\uFFFD"},
      {"overlong \xC0\xAF", "overlong \uFFFD\uFFFD"},
      {"noncharacter \xEF\xBF\xBF", "noncharacter \uFFFD\uFFFD\uFFFD"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(escaped(text), expected);
}

TEST(Markup, ShortensWholeCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "ab\u2026");
  EXPECT_EQ(shortened("äöüß", 3), "äö\u2026");
}

TEST(Plot, TicksAreRoundNumbers) {
  EXPECT_THAT(nice_ticks({0, 10}, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(nice_ticks({-0.3, 0.9}, 4), ElementsAre(0, 0.5));
  EXPECT_EQ(tick_text(2e6), "2e+06");
  EXPECT_EQ(tick_text(0.25), "0.25");
  EXPECT_EQ(tick_text(0), "0");
}

TEST(Plot, RangesIgnoreWhatIsNotFinite) {
  const auto range = range_of({1, NAN, 3, HUGE_VAL});
  EXPECT_NEAR(range.low, 0.92, 1e-12);
  EXPECT_NEAR(range.high, 3.08, 1e-12);
  EXPECT_EQ(range_of({}).low, -1);
  const auto same = range_of({4, 4});
  EXPECT_LT(same.low, 4);
  EXPECT_GT(same.high, 4);
}

TEST(CoefficientPicture, ShowsEstimatesWhereTheyCompare) {
  const auto picture = coefficient_picture(with_coefficients(4, 0.5));
  EXPECT_THAT(picture, HasSubstr("4 coefficients with confidence intervals<"));
  EXPECT_EQ(times(picture, "<g class=\"clear\">"), 4U);
  EXPECT_THAT(picture, Not(HasSubstr("(intercept)")));
  EXPECT_THAT(picture, HasSubstr("feature3: 4 [3.5, 4.5]"));
}

TEST(CoefficientPicture, TakesStandardErrorsWhereIntervalsWouldVanish) {
  EXPECT_THAT(coefficient_picture(with_coefficients(4, 1e-3)),
              HasSubstr("in units of their standard errors"));
}

TEST(CoefficientPicture, ChoosesTheClearestOfMany) {
  const auto picture = coefficient_picture(with_coefficients(300, 2));
  EXPECT_THAT(picture, HasSubstr("60 coefficients"));
  EXPECT_THAT(picture, HasSubstr("those of 300 with the largest |t|"));
  EXPECT_THAT(picture, HasSubstr("feature299:"));
  EXPECT_THAT(picture, Not(HasSubstr("feature239:")));
}

TEST(ResidualPictures, PositionsAreThoseOfAllRows) {
  // R: ppoints(4) and ppoints(20)
  EXPECT_DOUBLE_EQ(plotting_position(0, 4, 4, 10), 0.625 / 4.25);
  EXPECT_DOUBLE_EQ(plotting_position(19, 20, 20, 10), 19.5 / 20);
  EXPECT_DOUBLE_EQ(plotting_position(0, 2000, 1'000'000, 10), 0.5e-6);
  EXPECT_DOUBLE_EQ(plotting_position(1999, 2000, 1'000'000, 10), 1 - 0.5e-6);
  EXPECT_NEAR(plotting_position(1000, 2001, 1'000'001, 10), 0.5, 1e-12);
  for (std::size_t i = 1; i < 2000; ++i) {
    ASSERT_GT(plotting_position(i, 2000, 1'000'000, 10),
              plotting_position(i - 1, 2000, 1'000'000, 10));
  }
}

TEST(ResidualPictures, AreFourWithLeverages) {
  target_fit fitted = with_coefficients(2, 1);
  for (int i = 0; i < 40; ++i) {
    const double r = std::sin(3.0 * i);
    fitted.rows.push_back({i, 0.1 * i, r, 0.3 + 0.01 * i, 3 * r, r, r * r});
  }
  const auto pictures = residual_pictures(fitted, 40);
  EXPECT_EQ(times(pictures, "<figure>"), 4U);
  EXPECT_EQ(times(pictures, "class=\"mark\""), 12U);
  EXPECT_THAT(pictures, HasSubstr("Cook 0.5"));
  for (auto& row : fitted.rows) row.leverage = row.standardised = row.cooks_distance = NAN;
  EXPECT_EQ(times(residual_pictures(fitted, 40), "<figure>"), 1U);
  fitted.rows.clear();
  EXPECT_EQ(residual_pictures(fitted, 40), "");
}

TEST(TimePicture, HasABarForEachRank) {
  run_facts run;
  run.phases = {{"open", 0.1}, {"read and fit", 1}};
  run.speed.ranks.assign(3, {{"gram", 0.8, 0.8, 1e9, 1e8, false},
                             {read_part, 0.5, 0.5, 0, 1e8, false},
                             {wait_part, 0.1, 0.1, 0, 0, false}});
  const auto picture = time_picture(run);
  EXPECT_EQ(times(picture, ">rank "), 3U);
  EXPECT_EQ(times(picture, "<title>gram: 0.8 s</title>"), 3U);
  EXPECT_EQ(times(picture, "<title>read: "), 0U);
  run.speed.ranks.assign(1000, run.speed.ranks[0]);
  EXPECT_LE(times(time_picture(run), ">rank "), 32U);
}

TEST(Page, StaysAsItWasWhenItCannotBeWritten) {
  const temporary_folder folder;
  const auto path = folder.file("r.html");
  ASSERT_TRUE(write_page(path, "first"));
  EXPECT_FALSE(write_page(folder.file("none/r.html"), "second"));
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), "first");
}

}  // namespace
}  // namespace berth::apps
