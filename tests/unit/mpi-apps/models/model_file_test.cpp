#include "models/model_file.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "common/hdf5_attributes.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

model sample() {
  model fitted;
  fitted.kind = model_kind::logistic;
  fitted.targets = {{"kauf",
                     {{intercept_name, 0.1, 1e-300, 2, 0.5}, {"größe=ja", -1e10, 3, 4, 0.1}},
                     {{"accuracy", 0.75}}}};
  fitted.levels = {"nein", "ja"};
  fitted.data = "d.h5";
  fitted.rows = 12;
  fitted.ranks = 3;
  return fitted;
}

TEST(ModelFile, ReadsBackWhatItWrote) {
  prepare_hdf5();
  const temporary_folder folder;
  const auto path = folder.file("m.h5");
  ASSERT_TRUE(write_model(path, sample()));
  EXPECT_EQ(folder.entries(), std::set<std::string>{"m.h5"});
  const auto read = read_model(path);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->kind, model_kind::logistic);
  EXPECT_EQ(read->levels, sample().levels);
  ASSERT_EQ(read->targets.size(), 1U);
  EXPECT_EQ(read->targets[0].name, "kauf");
  const auto& table = read->targets[0].coefficients;
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[1].name, "größe=ja");
  EXPECT_EQ(table[1].estimate, -1e10);
  EXPECT_EQ(table[0].std_error, 1e-300);
}

TEST(ModelFile, RefusesADatasetAndSaysWhatItHolds) {
  prepare_hdf5();
  const temporary_folder folder;
  const auto path = folder.file("d.h5");
  { ASSERT_TRUE(write_doubles(create_hdf5(path)->get(), "X", {1, 2}, std::vector<double>{1, 2})); }
  const auto read = read_model(path);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("not a model: it has /X [1 x 2] float64"), std::string::npos)
      << read.error().text();
}

TEST(ModelFile, RefusesCoefficientsThatAreNotFinite) {
  prepare_hdf5();
  const temporary_folder folder;
  auto broken = sample();
  broken.targets[0].coefficients[1].estimate = std::numeric_limits<double>::quiet_NaN();
  ASSERT_TRUE(write_model(folder.file("m.h5"), broken));
  const auto read = read_model(folder.file("m.h5"));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("\"größe=ja\" is not finite"), std::string::npos);
}

}  // namespace
}  // namespace berth::apps
