// export and import undo each other: random tables with everything that CSV makes hard.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "common/hdf5_attributes.hpp"
#include "dataset/csv_rows.hpp"
#include "dataset/head.hpp"
#include "data/random.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using words = std::vector<std::string>;
using values = std::vector<double>;

// A dataset read back: names and the bits of all numbers.
struct content {
  words names;
  std::string target;
  words levels;
  std::vector<std::uint64_t> bits;
  friend bool operator==(const content&, const content&) = default;
};

std::ostream& operator<<(std::ostream& out, const content& some) {
  return out << some.names.size() << " features, " << some.bits.size() << " numbers";
}

class RoundTrip : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { prepare_hdf5(); }

  double any_number() {
    static const values hard{0.0,
                             -0.0,
                             5e-324,
                             -2.2250738585072009e-308,
                             1e22,
                             9007199254740993.0,
                             std::numeric_limits<double>::max(),
                             0.1,
                             1.0 / 3,
                             -std::numeric_limits<double>::denorm_min()};
    const auto pick = random.bits(next++);
    if (pick % 3 == 0) return hard[(pick >> 8) % hard.size()];
    const auto value = std::bit_cast<double>(random.bits(next++));
    return std::isfinite(value) ? value : static_cast<double>(pick % 1000);
  }
  std::string any_name() {
    static const words parts{"a", "B7", ",", "\"", "\n",   " x", "'",
                             ";", "=",  "ü", "\t", "\r\n", "z"};
    std::string name = fmt::format("n{}", next);
    for (auto left = random.bits(next++) % 5; left > 0; --left) {
      name += parts[random.bits(next++) % parts.size()];
    }
    name.push_back('e');
    return name;
  }

  void write_random(const std::string& name, std::int64_t rows, std::int64_t features) {
    auto file = create_hdf5(folder.file(name));
    values x;
    for (std::int64_t k = 0; k < rows * features; ++k) x.push_back(any_number());
    words names;
    for (std::int64_t j = 0; j < features; ++j) names.push_back(any_name());
    auto dataset = write_doubles(file->get(), "X", {rows, features}, x);
    ASSERT_TRUE(write_attribute(dataset->get(), "feature_names", std::span(names)));
    // Classes that are hard to write, in the order that import gives them.
    words levels{any_name(), any_name()};
    std::ranges::sort(levels);
    values y;
    for (std::int64_t i = 0; i < rows; ++i) y.push_back(static_cast<double>(i % 2));
    auto target = write_doubles(file->get(), "y", {rows}, y);
    ASSERT_TRUE(write_attribute(target->get(), "name", std::string("the, \"target\"")));
    ASSERT_TRUE(write_attribute(target->get(), "levels", std::span(levels)));
  }
  content read(const std::string& name) {
    const auto data = open_dataset(folder.file(name));
    EXPECT_TRUE(data) << name << (data ? "" : data.error().text());
    if (!data) return {};
    const auto rows = read_head(*data, std::numeric_limits<std::int64_t>::max());
    EXPECT_TRUE(rows);
    content all{data->info.names, data->info.target, data->info.levels, {}};
    for (const double each : rows->x) all.bits.push_back(std::bit_cast<std::uint64_t>(each));
    for (const double each : rows->y) all.bits.push_back(std::bit_cast<std::uint64_t>(each));
    return all;
  }
  void run(words arguments) {
    arguments.insert(arguments.begin(), BERTH_DATASET);
    const auto got = run_program(folder, arguments);
    ASSERT_EQ(got.code, 0) << got.err;
  }

  temporary_folder folder;
  row_random random{static_cast<std::uint64_t>(GetParam()), stream::features, 0};
  std::int64_t next = 0;
};

TEST_P(RoundTrip, ExportAndImportGiveTheSameBits) {
  const auto rows = 2 + static_cast<std::int64_t>(random.bits(next++) % 40);
  const auto features = 1 + static_cast<std::int64_t>(random.bits(next++) % 9);
  write_random("a.h5", rows, features);
  const std::string csv = GetParam() % 2 == 0 ? "a.csv" : "a.csv.gz";
  run({"export", "a.h5", "-o", csv});
  run({"import", csv, "-o", "b.h5", "--target", "the, \"target\""});
  EXPECT_EQ(read("b.h5"), read("a.h5"));
}

TEST_P(RoundTrip, ImportExportImportIsTheIdentity) {
  const words colours{"red", "two words", "\"quoted\"", "a,b", "line\nend", "é"};
  std::string text = "colour,size,price\n";
  for (int i = 0; i < 30; ++i) {
    const auto& colour = colours[random.bits(next++) % colours.size()];
    std::string field;
    append_field(field, colour);
    text += fmt::format("{},{},{}\r\n", field, i % 7 == 0 ? "?" : fmt::format("{}", i * 0.37),
                        random.normal(next++));
  }
  folder.write("a.csv", text);
  run({"import", "a.csv", "-o", "a.h5", "--target", "price", "--missing", "indicator"});
  run({"export", "a.h5", "-o", "b.csv"});
  run({"import", "b.csv", "-o", "b.h5", "--target", "price"});
  EXPECT_EQ(read("b.h5"), read("a.h5"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RoundTrip, testing::Range(0, 12));

}  // namespace
}  // namespace berth::apps
