// The reader against files that h5py and AnnData wrote in every layout, cell by cell, on all ranks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/collective.hpp"
#include "data/read_rows.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

// One line of the manifest that make_layouts.py writes.
struct layout {
  std::string name;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  double divisor = 1;
  bool sparse = false;
  std::int64_t targets = 1;
  bool weights = false;
  int labels = 0;  // 1: class numbers, 2: class names
  std::string x;
  std::string y;
  bool named = false;

  [[nodiscard]] double value(std::int64_t i, std::int64_t j) const {
    if (sparse && (i + j) % 3 != 0) return 0;
    return static_cast<double>((7 * i + 13 * j) % 101) / divisor;
  }
  [[nodiscard]] double target(std::int64_t i, std::int64_t t) const {
    if (labels > 0) return static_cast<double>(i % 3);
    return static_cast<double>((3 * i + 5 * t) % 17) / divisor;
  }
  [[nodiscard]] dataset_request request() const { return {x, y, {}, target_use::required, false}; }
};

layout parse(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; std::getline(in, word, '|');) words.push_back(word);
  return {words[0],
          std::stoll(words[1]),
          std::stoll(words[2]),
          std::stod(words[3]),
          words[4] == "1",
          std::stoll(words[5]),
          words[6] == "1",
          std::stoi(words[7]),
          words[8],
          words[9],
          words[10] == "1"};
}

class Reader : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string path;
    if (world().is_root()) {
      std::string pattern = testing::TempDir() + "/berth-layouts-XXXXXX";
      path = ::mkdtemp(pattern.data());
      const auto command =
          std::string("/usr/bin/python3 -W ignore ") + BERTH_MAKE_LAYOUTS + " " + path;
      if (std::system(command.c_str()) != 0) path.clear();
    }
    world().broadcast(path);
    folder = path;
    ASSERT_FALSE(folder.empty()) << "make_layouts.py failed";
  }
  static void TearDownTestSuite() {
    world().barrier();
    if (world().is_root()) std::filesystem::remove_all(folder);
  }

  static std::vector<layout> layouts() {
    std::vector<layout> all;
    std::ifstream in(folder / "manifest");
    for (std::string line; std::getline(in, line);) {
      if (std::ranges::count(line, '|') == 10) all.push_back(parse(line));
    }
    return all;
  }
  static result<dataset> open(const layout& file) {
    return open_dataset(world(), (folder / file.name).string(), file.request());
  }

  static inline std::filesystem::path folder;
};

// The first cell that differs, as text; empty if there is none.
template <class T>
std::string difference(const layout& file, row_range range, std::span<const T> x) {
  if (std::ssize(x) != range.count * file.features) return "wrong size";
  for (std::int64_t i = 0; i < range.count; ++i) {
    for (std::int64_t j = 0; j < file.features; ++j) {
      const double got = x[static_cast<std::size_t>(i * file.features + j)];
      const double expected = file.value(range.first + i, j);
      if (got == expected) continue;
      return "x[" + std::to_string(range.first + i) + ", " + std::to_string(j) + "] is " +
             std::to_string(got) + ", not " + std::to_string(expected);
    }
  }
  return "";
}

std::string side_difference(const layout& file, row_range range, std::span<const double> y,
                            std::span<const double> weights) {
  if (std::ssize(y) != range.count * file.targets) return "wrong size of y";
  if (std::ssize(weights) != (file.weights ? range.count : 0)) return "wrong size of weights";
  for (std::int64_t i = 0; i < range.count; ++i) {
    const auto row = range.first + i;
    for (std::int64_t t = 0; t < file.targets; ++t) {
      if (y[static_cast<std::size_t>(i * file.targets + t)] == file.target(row, t)) continue;
      return "y differs in row " + std::to_string(row);
    }
    if (file.weights && weights[static_cast<std::size_t>(i)] != static_cast<double>(1 + row % 4)) {
      return "weight differs in row " + std::to_string(row);
    }
  }
  return "";
}

TEST_F(Reader, ThereAreAsManyLayoutsAsTheScriptWrites) {
  EXPECT_GT(layouts().size(), 80U);
}

TEST_F(Reader, ReadsEveryLayoutCellByCell) {
  for (const auto& file : layouts()) {
    SCOPED_TRACE(file.name);
    const auto data = open(file);
    ASSERT_TRUE(data) << data.error().text();
    EXPECT_EQ(data->info.rows, file.rows);
    EXPECT_EQ(data->info.features, file.features);
    const auto got = read_rows(world(), *data);
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->block.range, got->partition.of(world().rank()));
    EXPECT_EQ(difference<double>(file, got->block.range, got->block.x), "");
    EXPECT_EQ(side_difference(file, got->block.range, got->block.y, got->block.weights), "");
  }
}

TEST_F(Reader, StreamsPanelsOfAnySize) {
  for (const auto& file : layouts()) {
    SCOPED_TRACE(file.name);
    const auto data = open(file);
    ASSERT_TRUE(data) << data.error().text();
    for (const std::int64_t memory : {1 << 10, 1 << 17, 1 << 28}) {
      const auto mine = partition_rows(file.rows, world().size()).of(world().rank());
      auto stream = panel_stream<float>::open(*data, mine, {memory, 3, true, true});
      ASSERT_TRUE(stream) << stream.error().text();
      auto next = mine.first;
      for (;;) {
        const auto got = stream->next();
        ASSERT_TRUE(got) << got.error().text();
        if (*got == nullptr) break;
        const auto& rows = **got;
        ASSERT_EQ(rows.range.first, next);
        ASSERT_EQ(difference<float>(file, rows.range, rows.x), "");
        ASSERT_EQ(side_difference(file, rows.range, rows.y, rows.weights), "");
        next = rows.range.end();
      }
      EXPECT_EQ(next, mine.end());
      EXPECT_EQ(stream->facts().value_bytes, 4 * mine.count * file.features);
    }
  }
}

TEST_F(Reader, GathersTheStatisticsOfTheWholeFileOnEveryRank) {
  for (const auto& file : layouts()) {
    SCOPED_TRACE(file.name);
    const auto data = open(file);
    const auto got = read_rows(world(), *data);
    ASSERT_TRUE(got) << got.error().text();
    for (const std::int64_t j : {std::int64_t{0}, file.features - 1}) {
      double sum = 0;
      double squares = 0;
      double most = 0;
      for (std::int64_t i = 0; i < file.rows; ++i) {
        sum += file.value(i, j);
        squares += file.value(i, j) * file.value(i, j);
        most = std::max(most, file.value(i, j));
      }
      const auto& column = got->features[static_cast<std::size_t>(j)];
      const double rounding = 4e-16 * static_cast<double>(file.rows);
      EXPECT_EQ(column.finite, file.rows);
      EXPECT_EQ(column.missing(), 0);
      EXPECT_EQ(column.max, most);
      EXPECT_NEAR(column.sum(), sum, rounding * sum);
      EXPECT_NEAR(column.norm(), std::sqrt(squares), rounding * std::sqrt(squares));
    }
  }
}

TEST_F(Reader, KeepsSparseRowsSparseOnRequest) {
  for (const auto& file : layouts()) {
    if (!file.sparse) continue;
    SCOPED_TRACE(file.name);
    const auto data = open(file);
    const auto mine = partition_rows(file.rows, world().size()).of(world().rank());
    auto stream = panel_stream<double>::open(*data, mine, {1 << 17, 2, false, true});
    ASSERT_TRUE(stream) << stream.error().text();
    std::int64_t stored = 0;
    for (;;) {
      const auto got = stream->next();
      ASSERT_TRUE(got) << got.error().text();
      if (*got == nullptr) break;
      const auto& rows = **got;
      EXPECT_TRUE(rows.x.empty());
      ASSERT_EQ(std::ssize(rows.csr.starts), rows.range.count + 1);
      for (std::int64_t i = 0; i < rows.range.count; ++i) {
        for (auto k = rows.csr.starts[static_cast<std::size_t>(i)];
             k < rows.csr.starts[static_cast<std::size_t>(i) + 1]; ++k, ++stored) {
          ASSERT_EQ(
              rows.csr.values[static_cast<std::size_t>(k)],
              file.value(rows.range.first + i, rows.csr.columns[static_cast<std::size_t>(k)]));
        }
      }
    }
    std::int64_t expected = 0;
    for (auto i = mine.first; i < mine.end(); ++i) {
      for (std::int64_t j = 0; j < file.features; ++j) expected += file.value(i, j) != 0 ? 1 : 0;
    }
    EXPECT_EQ(stored, expected);
  }
}

TEST_F(Reader, FindsTheNamesOfColumnsAndClasses) {
  for (const auto& file : layouts()) {
    SCOPED_TRACE(file.name);
    const auto data = open(file);
    ASSERT_TRUE(data) << data.error().text();
    EXPECT_EQ(data->info.names.back(), file.named ? "f" + std::to_string(file.features - 1)
                                                  : "x" + std::to_string(file.features));
    const std::vector<std::string> classes{"ash", "birch", "cedar"};
    EXPECT_EQ(data->info.levels, file.labels == 2 ? classes : std::vector<std::string>{});
  }
}

TEST_F(Reader, WarnsOfNumbersThatItRounds) {
  const auto data = open_dataset(world(), (folder / "type-longdouble.h5").string());
  ASSERT_TRUE(data) << data.error().text();
  ASSERT_EQ(data->warnings.size(), 1U);
  EXPECT_THAT(data->warnings[0], testing::HasSubstr("/X has type float128 of 80 bits"));
}

TEST_F(Reader, ReadsTruthValuesAsZeroAndOne) {
  const auto data = open_dataset(world(), (folder / "label-bool.h5").string());
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->x.element.name, "bool");
  EXPECT_TRUE(data->info.levels.empty());
  const auto got = read_rows(world(), *data);
  ASSERT_TRUE(got) << got.error().text();
  const auto& block = got->block;
  for (std::int64_t i = 0; i < block.range.count; ++i) {
    const auto row = block.range.first + i;
    EXPECT_EQ(block.y[static_cast<std::size_t>(i)], row % 3 == 1 ? 1 : 0);
    for (std::int64_t j = 0; j < 23; ++j) {
      const bool expected = (7 * row + 13 * j) % 101 > 40;
      ASSERT_EQ(block.row(i)[static_cast<std::size_t>(j)], expected ? 1 : 0);
    }
  }
}

TEST_F(Reader, ReadsChunksThatLzfCouldNotShrink) {
  const auto path = (folder / "filter-lzf-raw.h5").string();
  const auto packed = open_dataset(world(), path, {"noise", {}, {}, target_use::required, false});
  const auto plain = open_dataset(world(), path);
  ASSERT_TRUE(packed) << packed.error().text();
  EXPECT_NE(packed->x.chunks[0].skipped, 0U);
  const auto range = partition_of(*packed, world().size()).of(world().rank());
  panel<double> a;
  panel<double> b;
  ASSERT_TRUE(panel_source<double>::open(*packed, {})->fill(range, a));
  ASSERT_TRUE(panel_source<double>::open(*plain, {})->fill(range, b));
  EXPECT_EQ(a.x, b.x);
}

TEST_F(Reader, NamesTheRankThatSeesAnotherFile) {
  if (world().size() == 1) return;  // alone there is nobody to differ from
  const auto path = (folder / "two-rows.h5").string();
  const auto mine = world().rank() == 1 ? (folder / "type-f8.h5").string() : path;
  const auto got = open_dataset(world(), mine);
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().text(), testing::HasSubstr("rank 1 on "));
  EXPECT_THAT(got.error().text(), testing::HasSubstr("sees another file than rank 0"));
}

}  // namespace
}  // namespace berth::apps
