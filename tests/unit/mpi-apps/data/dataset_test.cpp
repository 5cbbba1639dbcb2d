#include "data/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/hdf5_attributes.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using shape = std::vector<std::int64_t>;

class Dataset : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  void begin() { file = std::move(*create_hdf5(path)); }
  hdf5_dataset doubles(const char* name, const shape& extent) {
    std::int64_t count = 1;
    for (const auto each : extent) count *= each;
    auto made = write_doubles(file.get(), name, extent,
                              std::vector<double>(static_cast<std::size_t>(count), 1.5));
    EXPECT_TRUE(made);
    return made ? std::move(*made) : hdf5_dataset();
  }
  hdf5_group group(const char* name) {
    return hdf5_group(H5Gcreate2(file.get(), name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  // A dataset of one or two dimensions without a value written to it.
  hdf5_dataset bare(
      const char* name, hid_t type, std::vector<hsize_t> extent,
      const hdf5_properties& creation = hdf5_properties(H5Pcreate(H5P_DATASET_CREATE))) {
    const hdf5_space space(
        H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
    return hdf5_dataset(
        H5Dcreate2(file.get(), name, type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT));
  }
  std::string refused(const dataset_request& request = {}) {
    EXPECT_TRUE(file.close());
    const auto got = open_dataset(path, request);
    if (got) return "opened";
    EXPECT_EQ(got.error().exit_code(), 2);
    EXPECT_THAT(got.error().text(), HasSubstr("dataset: \"" + path + "\": "));
    EXPECT_EQ(got.error().text().find('\n'), std::string::npos);
    return got.error().text();
  }

  temporary_folder folder;
  std::string path = folder.file("t.h5");
  hdf5_file file;
};

TEST_F(Dataset, ListsCandidatesWithShapeAndTypeWhenAPartIsMissing) {
  begin();
  {
    const auto train = group("train");
    doubles("train/images", {4, 2});
    bare("train/labels", H5T_STD_I32BE, {4});
  }
  EXPECT_THAT(refused(), AllOf(HasSubstr("has no dataset /X; it has /train/images [4 x 2] float64, "
                                         "/train/labels [4] big-endian int32")));
  const auto got = open_dataset(path, {"train/images", "", "", target_use::if_present, false});
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_FALSE(got->info.has_target);
}

TEST_F(Dataset, SaysSoWhenThereIsNothing) {
  begin();
  EXPECT_THAT(refused(), HasSubstr("has no dataset /X; it has none"));
}

TEST_F(Dataset, NamesTheTargetOfALinkThatLeadsNowhere) {
  begin();
  H5Lcreate_external("elsewhere.h5", "/data", file.get(), "X", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THAT(refused(), HasSubstr("/X is a link to \"/data\" in file \"elsewhere.h5\", which is "
                                   "not there"));
  begin();
  H5Lcreate_soft("/old/X", file.get(), "X", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THAT(refused(), HasSubstr("/X is a link to \"/old/X\", which is not there"));
}

TEST_F(Dataset, NamesTypesThatAreNoNumbers) {
  const auto compound = [](std::initializer_list<const char*> names) {
    hdf5_type type(H5Tcreate(H5T_COMPOUND, 8 * names.size()));
    std::size_t at = 0;
    for (const char* name : names) H5Tinsert(type.get(), name, 8 * at++, H5T_NATIVE_DOUBLE);
    return type;
  };
  const hdf5_type text(H5Tcopy(H5T_C_S1));
  const hdf5_type list(H5Tvlen_create(H5T_NATIVE_DOUBLE));
  const auto complex = compound({"r", "i"});
  const auto table = compound({"age", "income"});
  const std::pair<hid_t, const char*> all[] = {
      {complex.get(), "/X has type complex128; it must be numeric"},
      {table.get(), "/X has type compound (age, income); it must be numeric"},
      {text.get(), "/X has type string; it must be numeric"},
      {list.get(), "/X has elements of variable length"},
      {H5T_STD_REF_OBJ, "/X has type reference"}};
  for (const auto& [type, message] : all) {
    begin();
    bare("X", type, {4, 2});
    EXPECT_THAT(refused(), HasSubstr(message));
  }
}

TEST_F(Dataset, SaysBothShapesWhenTheyDoNotFit) {
  for (const auto& extent : {shape{8}, shape{2, 2, 2}, shape{0, 2}, shape{4, 0}}) {
    begin();
    doubles("X", extent);
    EXPECT_THAT(refused(),
                HasSubstr("/X has shape " + shape_text(extent) + "; it must be [rows x features]"));
  }
  for (const auto& extent : {shape{3}, shape{3, 1}, shape{4, 1, 1}, shape{4, 0}}) {
    begin();
    doubles("X", {4, 2});
    doubles("y", extent);
    EXPECT_THAT(refused(),
                HasSubstr("/X has shape [4 x 2] but /y has shape " + shape_text(extent)));
  }
  begin();
  doubles("X", {4, 2});
  doubles("y", {4});
  doubles("weights", {4, 2});
  EXPECT_THAT(refused(), HasSubstr("weights are one number a row"));
}

TEST_F(Dataset, SaysWhichRowsWereNeverWritten) {
  const auto write_rows = [&](hsize_t first, hsize_t count) {
    begin();
    hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {10, 2};
    H5Pset_chunk(creation.get(), 2, chunk);
    const auto x = bare("X", H5T_NATIVE_DOUBLE, {50, 4}, creation);
    const hdf5_space space(H5Dget_space(x.get()));
    const hsize_t start[] = {first, 0};
    const hsize_t block[] = {count, 4};
    const hsize_t flat = 4 * count;
    const hdf5_space memory(H5Screate_simple(1, &flat, nullptr));
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, block, nullptr);
    const std::vector<double> values(flat, 1);
    H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, values.data());
    doubles("y", {50});
  };
  write_rows(0, 20);
  EXPECT_THAT(refused(),
              HasSubstr("rows 21 to 50 of /X were never written and would read as zeros"));
  write_rows(10, 20);
  EXPECT_THAT(refused(), HasSubstr("rows 1 to 10 and 1 more ranges of /X"));
  const auto accepted = open_dataset(path, {{}, {}, {}, target_use::required, true});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(unwritten_rows(accepted->x), (std::vector<row_range>{{0, 10}, {30, 20}}));
  begin();
  bare("X", H5T_NATIVE_DOUBLE, {4, 2});
  EXPECT_THAT(refused(), HasSubstr("/X was never written and would read as zeros"));
}

// Some filter that is there while the file is written only.
std::size_t unchanged(unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*,
                      void**) noexcept {
  return bytes;
}

TEST_F(Dataset, NamesAFilterThatIsNotInstalled) {
  const H5Z_class2_t blosc{H5Z_CLASS_T_VERS, 32001, 1, 1, "blosc", nullptr, nullptr, unchanged};
  H5Zregister(&blosc);
  begin();
  {
    hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {2, 2};
    H5Pset_chunk(creation.get(), 2, chunk);
    H5Pset_filter(creation.get(), 32001, H5Z_FLAG_MANDATORY, 0, nullptr);
    const auto x = bare("X", H5T_NATIVE_DOUBLE, {4, 2}, creation);
    const std::vector<double> values(8, 1);
    H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  ASSERT_TRUE(file.close());
  H5Zunregister(32001);
  EXPECT_THAT(refused(), AllOf(HasSubstr("/X is compressed with filter 32001 (Blosc)"),
                               HasSubstr("hdf5plugin"), HasSubstr("h5repack")));
}

TEST_F(Dataset, RefusesSparseColumnsAndBrokenSparseRows) {
  const auto sparse = [&](const char* encoding, shape indptr, bool with_shape) {
    begin();
    const auto x = group("X");
    EXPECT_TRUE(write_attribute(x.get(), "encoding-type", std::string(encoding)));
    doubles("X/data", {5});
    const std::vector<int> numbers(64, 0);
    for (const auto& [name, extent] : {std::pair{"X/indices", shape{5}}, {"X/indptr", indptr}}) {
      const auto made = bare(name, H5T_NATIVE_INT, {static_cast<hsize_t>(extent[0])});
      H5Dwrite(made.get(), H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data());
    }
    if (!with_shape) return;
    const auto extent = bare("X/shape", H5T_NATIVE_INT64, {2});
    const std::int64_t rows_and_columns[] = {4, 3};
    H5Dwrite(extent.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows_and_columns);
  };
  sparse("csc_matrix", {5}, true);
  EXPECT_THAT(refused(), AllOf(HasSubstr("/X is a csc_matrix"), HasSubstr("X.tocsr()")));
  sparse("csr_matrix", {7}, true);
  EXPECT_THAT(refused(), HasSubstr("/X has shape [4 x 3] but 7 indptr"));
  sparse("csr_matrix", {5}, false);
  EXPECT_THAT(refused(), HasSubstr("does not say how many columns"));
  begin();
  group("X");
  EXPECT_THAT(refused(), HasSubstr("/X is a group, but no sparse matrix"));
}

TEST_F(Dataset, RefusesNamesOfAnotherNumber) {
  begin();
  const std::vector<std::string> names{"a", "b", "c"};
  {
    const auto x = doubles("X", {4, 2});
    EXPECT_TRUE(write_attribute(x.get(), feature_names_attribute, std::span(names)));
  }
  EXPECT_THAT(refused(), HasSubstr("/X has 2 features but 3 feature_names"));
}

TEST_F(Dataset, TakesNameAndLevelsOfTheTargetFromItsAttributes) {
  begin();
  {
    doubles("X", {4, 2});
    const auto y = doubles("y", {4});
    const std::vector<std::string> levels{"no", "yes"};
    EXPECT_TRUE(write_attribute(y.get(), target_name_attribute, std::string("default")));
    EXPECT_TRUE(write_attribute(y.get(), target_levels_attribute, std::span(levels)));
  }
  ASSERT_TRUE(file.close());
  const auto got = open_dataset(path);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->info.target, "default");
  EXPECT_EQ(got->info.levels, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(got->info.names, (std::vector<std::string>{"x1", "x2"}));
}

TEST_F(Dataset, SurvivesADamagedHeader) {
  begin();
  doubles("X", {40, 20});
  doubles("y", {40});
  ASSERT_TRUE(file.close());
  std::string whole;
  {
    std::ifstream in(path, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  int refusals = 0;
  for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 1500); at += 3) {
    for (const char flip : {'\x01', '\xff'}) {
      auto damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      const auto got = open_dataset(folder.write("damaged.h5", damaged));
      refusals += got ? 0 : 1;
    }
  }
  EXPECT_GT(refusals, 50);
}

}  // namespace
}  // namespace berth::apps
