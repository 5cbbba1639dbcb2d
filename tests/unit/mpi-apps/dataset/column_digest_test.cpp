#include "dataset/column_digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/random.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using values = std::vector<double>;

std::vector<digest> digests_of(const values& rows, std::size_t columns) {
  column_digests all(columns);
  all.add<double>(0, rows);
  return all.columns();
}

TEST(ColumnDigest, FindsEqualColumns) {
  const values rows{1, 2, 1, 5, 2,  //
                    3, 4, 3, 6, 4,  //
                    5, 6, 5, 7, 6};
  EXPECT_THAT(equal_columns(digests_of(rows, 5)),
              ElementsAre(ElementsAre(0, 2), ElementsAre(1, 4)));
}

TEST(ColumnDigest, TellsTheSameValuesInOtherRowsApart) {
  const values rows{1, 2,  //
                    2, 1};
  EXPECT_THAT(equal_columns(digests_of(rows, 2)), ElementsAre());
}

TEST(ColumnDigest, TakesNegativeZeroForZeroAndNanForNan) {
  const values rows{0.0, -0.0, NAN, -NAN, 1,  //
                    2.0, 2.0,  3,   3,    1};
  EXPECT_THAT(equal_columns(digests_of(rows, 5)),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
}

TEST(ColumnDigest, SeesTheSmallestDifference) {
  const values rows{1, std::nextafter(1, 2)};
  EXPECT_THAT(equal_columns(digests_of(rows, 2)), ElementsAre());
}

TEST(ColumnDigest, IsTheSameInPiecesAndForSparseRows) {
  constexpr std::size_t columns = 3;
  values rows(columns * 50);
  row_random(1, stream::features, 0).normals(rows);
  for (std::size_t k = 0; k < rows.size(); k += 4) rows[k] = 0;
  const auto whole = digests_of(rows, columns);
  column_digests pieces(columns);
  pieces.add<double>(20, std::span(rows).subspan(20 * columns));
  pieces.add<double>(0, std::span(rows).first(20 * columns));
  EXPECT_EQ(pieces.columns(), whole);
  column_digests sparse(columns);
  for (std::size_t i = 0; i < 50; ++i) {
    std::vector<std::int64_t> at;
    values stored;
    for (std::size_t j = 0; j < columns; ++j) {
      if (rows[i * columns + j] == 0) continue;
      at.push_back(static_cast<std::int64_t>(j));
      stored.push_back(rows[i * columns + j]);
    }
    sparse.add_sparse<double>(static_cast<std::int64_t>(i), at, stored);
  }
  EXPECT_EQ(sparse.columns(), whole);
}

TEST(ColumnDigest, HasNoChanceCollisionsAmongManyColumns) {
  constexpr std::size_t columns = 20000;
  values rows(columns * 2);
  for (std::size_t j = 0; j < columns; ++j) {
    rows[j] = static_cast<double>(j % 150);
    rows[columns + j] = std::floor(static_cast<double>(j) / 150);
  }
  EXPECT_THAT(equal_columns(digests_of(rows, columns)), ElementsAre());
}

}  // namespace
}  // namespace berth::apps
