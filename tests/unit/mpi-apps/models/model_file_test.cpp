#include "models/model_file.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>

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

model with_sums() {
  model fitted;
  fitted.targets = {{"cost", {{intercept_name, 1, 2}, {"a", 3, 4}}, {{"r2", 0.5}}},
                    {"time", {{intercept_name, 5, 6}, {"a", 7, 8}}, {{"r2", 0.25}}}};
  fitted.rows = 9;
  fitted.settings.deficient = rank_rule::drop;
  fitted.settings.l2 = 0.5;
  fitted.references = {"kind=b"};
  fitted.covariance_root = {1, 2, 0, 3};
  gram_pass sums{make_gram({1, 2, true}, {1, 0.5, 1, 2}), 8};
  sums.gram.rows = 9;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = i; j < 4; ++j) {
      sums.gram.set(i, j, {1.0 + static_cast<double>(4 * i + j), 0x1p-60});
    }
  }
  sums.gram.turnover = {10, 20, 30, 40};
  fitted.sums = std::make_shared<const gram_pass>(sums);
  fitted.origin = {{"d.h5"}, {"12-00ff"}, {"Berth 1"}, "train linear d.h5", 2};
  return fitted;
}

TEST(ModelFile, KeepsTheSumsToTheLastBit) {
  prepare_hdf5();
  const temporary_folder folder;
  ASSERT_TRUE(write_model(folder.file("m.h5"), with_sums()));
  const auto read = read_model(folder.file("m.h5"));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->settings.deficient, rank_rule::drop);
  EXPECT_EQ(read->settings.l2, 0.5);
  EXPECT_EQ(read->references, std::vector<std::string>{"kind=b"});
  EXPECT_EQ(read->covariance_root, with_sums().covariance_root);
  EXPECT_EQ(read->origin.digests, std::vector<std::string>{"12-00ff"});
  ASSERT_EQ(read->targets.size(), 2U);
  EXPECT_EQ(read->targets[1].name, "time");
  EXPECT_EQ(read->targets[1].coefficients[1].estimate, 7);
  EXPECT_EQ(value_of(read->targets[1], "r2"), 0.25);
  ASSERT_TRUE(read->sums);
  const auto expected = with_sums();
  EXPECT_EQ(read->sums->counted, 8);
  EXPECT_EQ(read->sums->gram.rows, 9);
  EXPECT_TRUE(read->sums->gram.columns.is_weighted);
  EXPECT_EQ(read->sums->gram.scale, expected.sums->gram.scale);
  EXPECT_EQ(read->sums->gram.turnover, expected.sums->gram.turnover);
  EXPECT_EQ(read->sums->gram.sums.hi, expected.sums->gram.sums.hi);
  EXPECT_EQ(read->sums->gram.sums.lo, expected.sums->gram.sums.lo);
}

TEST(ModelFile, NamesTheSumThatNoRowsHave) {
  prepare_hdf5();
  const temporary_folder folder;
  auto broken = with_sums();
  auto sums = *broken.sums;
  sums.gram.set(2, 2, {-4, 0});
  broken.sums = std::make_shared<const gram_pass>(sums);
  ASSERT_TRUE(write_model(folder.file("m.h5"), broken));
  const auto read = read_model(folder.file("m.h5"));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("/gram has -4 + 0 in row 2, column 2"), std::string::npos)
      << read.error().text();
}

TEST(ModelFile, DamagedFilesAreReadOrRefusedInOneLine) {
  prepare_hdf5();
  const temporary_folder folder;
  ASSERT_TRUE(write_model(folder.file("m.h5"), with_sums()));
  std::ostringstream whole;
  whole << std::ifstream(folder.file("m.h5"), std::ios::binary).rdbuf();
  const auto expect_answer = [&](const std::string& bytes) {
    const auto path = folder.write("bad.h5", bytes);
    const auto read = read_model(path);
    if (read) return false;
    EXPECT_EQ(read.error().text().find('\n'), std::string::npos) << read.error().text();
    EXPECT_EQ(read.error().exit_code(), 2);
    return true;
  };
  for (const double share : {0.0, 0.1, 0.5, 0.9, 0.999}) {
    const auto kept = static_cast<std::size_t>(share * static_cast<double>(whole.str().size()));
    EXPECT_TRUE(expect_answer(whole.str().substr(0, kept))) << share;
  }
  int refused = 0;
  for (std::size_t at = 0; at < whole.str().size(); at += 19) {
    auto bytes = whole.str();
    bytes[at] = static_cast<char>(bytes[at] ^ (at % 2 == 0 ? 0xff : 0x10));
    refused += expect_answer(bytes) ? 1 : 0;
  }
  EXPECT_GT(refused, 100);
  // No heap of texts, whose damage HDF5 1.10 does not survive.
  EXPECT_EQ(whole.str().find("GCOL"), std::string::npos);
}

TEST(ModelFile, RefusesTextsOfVariableLength) {
  prepare_hdf5();
  const temporary_folder folder;
  const auto path = folder.file("m.h5");
  ASSERT_TRUE(write_model(path, with_sums()));
  {
    const hdf5_file file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    ASSERT_GE(H5Adelete(file.get(), "files"), 0);
    const std::vector<std::string> files{"d.h5"};
    ASSERT_TRUE(write_attribute(file.get(), "files", std::span<const std::string>(files)));
  }
  const auto read = read_model(path);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("\"files\" is not text of fixed length"), std::string::npos)
      << read.error().text();
}

TEST(ModelFile, KeepsPenaltyAndPrecision) {
  prepare_hdf5();
  const temporary_folder folder;
  auto fitted = with_sums();
  fitted.l1 = 3;
  fitted.is_standardized = true;
  auto sums = *fitted.sums;
  sums.log_weights = -4.5;
  for (const auto origin : {gram_origin::twofold, gram_origin::factor, gram_origin::rounded}) {
    sums.gram.origin = origin;
    fitted.sums = std::make_shared<const gram_pass>(sums);
    ASSERT_TRUE(write_model(folder.file("m.h5"), fitted));
    const auto read = read_model(folder.file("m.h5"));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->l1, 3);
    EXPECT_TRUE(read->is_standardized);
    EXPECT_EQ(read->sums->gram.origin, origin);
    EXPECT_EQ(read->sums->log_weights, -4.5);
  }
}

}  // namespace
}  // namespace berth::apps
