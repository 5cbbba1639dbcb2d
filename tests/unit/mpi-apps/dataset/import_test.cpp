#include "dataset/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/dataset_file.hpp"
#include "common/hdf5_attributes.hpp"
#include "dataset/describe.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;
using texts = std::vector<std::string>;

class Import : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  import_request request(const std::string& source, const std::string& target) {
    import_request made;
    made.source = source;
    made.output = folder.file("out.h5");
    made.encode.target = target;
    return made;
  }

  temporary_folder folder;
};

TEST_F(Import, CaliforniaHousingKeepsCompleteCases) {
  auto wanted = request(BERTH_TEST_DATA "/california-housing.csv.gz", "median_house_value");
  wanted.encode.drop_missing = true;
  const auto done = import_table(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->rows, 20433);
  EXPECT_EQ(done->dropped, 207);
  const auto info = inspect_dataset(wanted.output, target_use::required);
  ASSERT_TRUE(info) << info.error().text();
  EXPECT_EQ(info->rows, 20433);
  EXPECT_EQ(info->features, 12);
  EXPECT_EQ(info->names.back(), "ocean_proximity=NEAR OCEAN");
  EXPECT_EQ(info->target, "median_house_value");
  std::vector<double> first(12);
  ASSERT_TRUE(read_features(*open_hdf5(wanted.output), *info, {0, 1}, first));
  EXPECT_EQ(first,
            (std::vector<double>{-122.23, 37.88, 41, 880, 129, 322, 126, 8.3252, 0, 0, 1, 0}));
}

TEST_F(Import, MissingValuesStopItAndNothingIsLeft) {
  const auto done =
      import_table(request(BERTH_TEST_DATA "/california-housing.csv.gz", "median_house_value"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("207 in column \"total_bedrooms\""));
  EXPECT_THAT(done.error().text(), HasSubstr("--missing drop"));
  EXPECT_TRUE(folder.entries().empty());
}

TEST_F(Import, KeepsTheTextsOfATarget) {
  auto wanted = request(BERTH_TEST_DATA "/default.csv.gz", "default");
  wanted.excluded = {"rownames"};
  ASSERT_TRUE(import_table(wanted));
  const auto info = inspect_dataset(wanted.output, target_use::required);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->names, (texts{"student=Yes", "balance", "income"}));
  EXPECT_EQ(info->levels, (texts{"No", "Yes"}));
  const auto file = open_hdf5(wanted.output);
  const hdf5_dataset x(H5Dopen2(file->get(), "X", H5P_DEFAULT));
  EXPECT_EQ(*read_texts(x.get(), reference_levels_attribute), texts{"student=No"});
}

TEST_F(Import, GuessesBlanksAndSingleQuotes) {
  auto wanted = request(BERTH_TEST_DATA "/spector.csv", "GRADE");
  wanted.excluded = {"OBS"};
  const auto done = import_table(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->rows, 32);
  EXPECT_EQ(done->plan.names, (texts{"GPA", "TUCE", "PSI"}));
}

TEST_F(Import, DescribesEveryColumn) {
  const auto source = folder.write("t.csv", "y,a\n1,1000000001\n2,1000000002\n6,1000000003\n");
  ASSERT_TRUE(import_table(request(source, "y")));
  const auto summary = describe_dataset(folder.file("out.h5"));
  ASSERT_TRUE(summary);
  ASSERT_EQ(summary->columns.size(), 2U);
  EXPECT_EQ(summary->columns[0].name, "a");
  EXPECT_EQ(summary->columns[0].mean, 1000000002);
  EXPECT_EQ(summary->columns[0].deviation, 1);
  EXPECT_EQ(summary->columns[1].name, "y");
  EXPECT_EQ(summary->columns[1].max, 6);
  EXPECT_DOUBLE_EQ(summary->columns[1].deviation, std::sqrt(7.0));
  EXPECT_EQ(summary->storage, "float64, contiguous");
}

TEST_F(Import, DescribesMissingValuesAsCounts) {
  const auto path = folder.file("nan.h5");
  const double x[] = {1, NAN, 3, INFINITY};
  { ASSERT_TRUE(write_doubles(create_hdf5(path)->get(), "X", {2, 2}, x)); }
  const auto summary = describe_dataset(path);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->columns[0].missing, 0);
  EXPECT_EQ(summary->columns[1].missing, 2);
  EXPECT_THAT(description_json(*summary), HasSubstr(R"("mean":null)"));
}

}  // namespace
}  // namespace berth::apps
