#include "common/hdf5.hpp"

#include <gtest/gtest.h>

#include "common/hdf5_attributes.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {
namespace {

class Hdf5 : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  // A file of 1000 doubles in the given format; its size is what the superblock says.
  std::string write_sample(H5F_libver_t low) {
    const auto path = folder.file("sample.h5");
    const hdf5_properties access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_libver_bounds(access.get(), low, H5F_LIBVER_V110);
    const hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
    EXPECT_TRUE(write_doubles(file.get(), "y", {1000}, std::vector<double>(1000, 1.5)));
    return path;
  }

  temporary_folder folder;
};

TEST_F(Hdf5, FindsTheExpectedSizeInEverySuperblockVersion) {
  for (const auto low : {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18, H5F_LIBVER_V110}) {
    const auto path = write_sample(low);
    const auto facts = read_superblock(path);
    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->is_hdf5);
    EXPECT_EQ(facts->actual_bytes, std::filesystem::file_size(path));
    EXPECT_EQ(facts->expected_bytes, facts->actual_bytes) << "format " << low;
  }
}

TEST_F(Hdf5, SaysHowMuchOfATruncatedFileIsThere) {
  const auto path = write_sample(H5F_LIBVER_V18);
  const auto whole = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, 4212);
  const auto file = open_hdf5(path);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().text(), "\"" + path + "\": truncated HDF5 file: have 4212 of " +
                                     std::to_string(whole) + " bytes; copy it again");
}

TEST_F(Hdf5, TellsTextAndEmptyFilesFromHdf5) {
  for (const auto& path : {folder.write("text.h5", "a,b\n1,2\n"), folder.write("empty.h5", "")}) {
    const auto file = open_hdf5(path);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().text().find("not an HDF5 file"), std::string::npos);
  }
}

TEST_F(Hdf5, RefusesMissingFilesAndFolders) {
  EXPECT_EQ(open_hdf5(folder.file("none")).error().code(), std::errc::no_such_file_or_directory);
  EXPECT_NE(open_hdf5(folder.file("")).error().text().find("not a regular file"),
            std::string::npos);
}

TEST_F(Hdf5, KeepsAttributesOfEveryKind) {
  const auto path = folder.file("attributes.h5");
  const std::vector<std::string> names{"größe", "", "a=b, \"c\""};
  {
    const auto file = create_hdf5(path);
    ASSERT_TRUE(file);
    EXPECT_TRUE(write_attribute(file->get(), "text", std::string("ünïcode")));
    EXPECT_TRUE(write_attribute(file->get(), "number", 0.1));
    EXPECT_TRUE(write_attribute(file->get(), "names", std::span(names)));
  }
  const auto file = open_hdf5(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(*read_text(file->get(), "text"), "ünïcode");
  EXPECT_EQ(*read_number(file->get(), "number"), 0.1);
  EXPECT_EQ(*read_texts(file->get(), "names"), names);
  EXPECT_FALSE(read_text(file->get(), "none"));
  EXPECT_FALSE(read_texts(file->get(), "number"));
}

TEST_F(Hdf5, KeepsMoreNamesThanAnOldObjectHeaderHolds) {
  const auto path = folder.file("many.h5");
  const std::vector<std::string> names(10'000, "a feature with quite a long name");
  {
    const auto file = create_hdf5(path);
    ASSERT_TRUE(write_attribute(file->get(), "names", std::span(names)));
  }
  EXPECT_EQ(*read_texts(open_hdf5(path)->get(), "names"), names);
}

TEST_F(Hdf5, ReadsFixedLengthStrings) {
  const auto path = folder.file("fixed.h5");
  const hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hdf5_type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), 3);
  const hsize_t two = 2;
  const hdf5_space space(H5Screate_simple(1, &two, nullptr));
  const hdf5_attribute attribute(
      H5Acreate2(file.get(), "names", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
  H5Awrite(attribute.get(), type.get(), "abcd\0");
  EXPECT_EQ(*read_texts(file.get(), "names"), (std::vector<std::string>{"abc", "d"}));
}

}  // namespace
}  // namespace berth::apps
