// Bad arguments: one clear line, exit code 2, nothing left behind, and no rank that hangs. Bad
// files are in bad_files_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <tuple>

#include "common/hdf5_attributes.hpp"
#include "program_runner.hpp"

namespace berth::apps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using values = std::vector<double>;

class BadInput : public testing::Test {
 protected:
  void SetUp() override { prepare_hdf5(); }

  // A dataset of 4 rows and 2 features that both programs accept, to be spoilt.
  hdf5_file begin(const char* name) {
    return hdf5_file(H5Fcreate(folder.file(name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  }
  void write_x(const hdf5_file& file, const values& x, std::int64_t rows) {
    const auto dataset = write_doubles(file.get(), "X", {rows, std::ssize(x) / rows}, x);
    ASSERT_TRUE(dataset);
    const std::vector<std::string> names{"age", "income"};
    if (std::ssize(x) / rows == 2) {
      ASSERT_TRUE(write_attribute(dataset->get(), "feature_names", std::span(names)));
    }
  }
  void write_y(const hdf5_file& file, const values& y) {
    ASSERT_TRUE(write_doubles(file.get(), "y", {std::ssize(y)}, y));
  }
  void write_dataset(const char* name, const values& x, const values& y) {
    const auto file = begin(name);
    write_x(file, x, std::ssize(y));
    write_y(file, y);
  }

  // Runs `arguments` and expects one error line that has all of `parts`.
  void expect_refused(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& parts, int ranks = 0) {
    const auto before = folder.entries();
    const auto got = run_program(folder, arguments, ranks);
    EXPECT_EQ(got.code, 2) << got.err;
    EXPECT_EQ(got.out, "");
    const auto program = std::filesystem::path(arguments[0]).filename().string();
    EXPECT_EQ(lines_with(got.err, program + ": error: ").size(), 1U) << got.err;
    if (ranks == 0) {
      EXPECT_EQ(std::ranges::count(got.err, '\n'), 1) << got.err;
    }
    EXPECT_THAT(got.err, testing::Not(HasSubstr("HDF5-DIAG")));
    for (const auto& part : parts) EXPECT_THAT(got.err, HasSubstr(part));
    EXPECT_EQ(folder.entries(), before) << "left something behind";
  }

  const values good_x{1, 5, 2, 3, 3, 8, 4, 1};
  const values good_y{1, 0, 1, 0};
  temporary_folder folder;
};

TEST_F(BadInput, MissingFileOnFourRanks) {
  expect_refused({BERTH_TRAIN, "linear", "none.h5", "-o", "m.h5"},
                 {"\"none.h5\"", "No such file or directory"}, 4);
}

TEST_F(BadInput, OutputIntoAMissingFolderIsSeenBeforeTheDataIs) {
  expect_refused({BERTH_TRAIN, "linear", "none.h5", "-o", "no/m.h5"},
                 {"output \"no/m.h5\": cannot write in folder \"no\"", "No such file"});
  expect_refused({BERTH_PREDICT, "none.h5", "none.h5", "-o", "no/p.csv"},
                 {"output \"no/p.csv\"", "No such file"});
  expect_refused({BERTH_DATASET, "import", "none.csv", "-o", "no/d.h5", "--target", "y"},
                 {"output \"no/d.h5\"", "No such file"});
}

TEST_F(BadInput, OutputThatWouldReplaceTheInput) {
  write_dataset("t.h5", good_x, good_y);
  expect_refused({BERTH_TRAIN, "linear", "t.h5", "-o", "./t.h5"},
                 {"output \"./t.h5\": is the input too"});
  folder.write("t.csv", "y,a\n1,2\n");
  expect_refused({BERTH_DATASET, "import", "t.csv", "-o", "t.csv", "--target", "y"},
                 {"output \"t.csv\": is the input too"});
}

TEST_F(BadInput, OutputThatIsAFolder) {
  std::filesystem::create_directory(folder.file("out"));
  write_dataset("t.h5", good_x, good_y);
  expect_refused({BERTH_TRAIN, "linear", "t.h5", "-o", "out"}, {"\"out\"", "Is a directory"}, 2);
}

TEST_F(BadInput, OutputWithoutPermission) {
  write_dataset("t.h5", good_x, good_y);
  std::filesystem::create_directory(folder.file("locked"));
  namespace fs = std::filesystem;
  fs::permissions(folder.file("locked"), fs::perms::owner_read | fs::perms::owner_exec |
                                             fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(folder.file(""), fs::perms::owner_all | fs::perms::others_all);
  std::vector<std::string> command;
  // Permissions do not hold root back: become somebody else first.
  if (::getuid() == 0) command = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  command.insert(command.end(), {BERTH_TRAIN, "linear", "t.h5", "-o", "locked/m.h5"});
  const auto got = run_program(folder, command);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, AllOf(HasSubstr("train: error: output \"locked/m.h5\""),
                             HasSubstr("Permission denied")));
}

TEST_F(BadInput, RowsThatDoNotDetermineAModel) {
  write_dataset("one.h5", {1, 5}, {1});
  expect_refused({BERTH_TRAIN, "linear", "one.h5", "-o", "m.h5"},
                 {"\"one.h5\": has 1 row but 2 features and an intercept"}, 2);
  write_dataset("t.h5", good_x, good_y);
  ASSERT_EQ(run_program(folder, {BERTH_TRAIN, "linear", "t.h5", "-o", "model.h5"}).code, 0);
  EXPECT_EQ(
      std::ranges::count(run_program(folder, {BERTH_PREDICT, "model.h5", "one.h5"}).out, '\n'), 2);
}

TEST_F(BadInput, WeightsThatAreNone) {
  for (const auto& [name, weights, text] :
       {std::tuple("zero.h5", values{0, 0, 0, 0}, "weights: all are zero"),
        std::tuple("negative.h5", values{1, 2, -1, 1}, "weights: some are negative or not finite"),
        std::tuple("nan.h5", values{1, 2, NAN, 1}, "weights: some are negative or not finite")}) {
    write_dataset(name, good_x, good_y);
    {
      const hdf5_file file(H5Fopen(folder.file(name).c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
      ASSERT_TRUE(write_doubles(file.get(), "weights", {4}, weights));
    }
    ASSERT_EQ(
        run_program(folder, {BERTH_TRAIN, "linear", name, "--no-weights", "-o", "model.h5"}).code,
        0);
    for (const int ranks : {0, 2}) {
      expect_refused({BERTH_TRAIN, "linear", name, "-o", "m.h5"}, {name, text}, ranks);
      expect_refused({BERTH_TRAIN, "linear", name, "--folds", "2"}, {name, text}, ranks);
      expect_refused({BERTH_PREDICT, "model.h5", name, "--score"}, {name, text}, ranks);
    }
    expect_refused({BERTH_TRAIN, "--update", "model.h5", name}, {name, "weights"});
    EXPECT_EQ(run_program(folder, {BERTH_PREDICT, "model.h5", name}).code, 0);
  }
}

TEST_F(BadInput, ModelThatLacksFeaturesOrIsNone) {
  write_dataset("t.h5", good_x, good_y);
  write_dataset("other.h5", {1, 2, 4, 3}, good_y);
  ASSERT_EQ(run_program(folder, {BERTH_TRAIN, "linear", "t.h5", "-o", "model.h5"}).code, 0);
  expect_refused({BERTH_PREDICT, "model.h5", "other.h5"},
                 {"\"other.h5\": lacks \"age\", \"income\" that the model needs", "it has \"x1\""},
                 2);
  expect_refused({BERTH_PREDICT, "t.h5", "t.h5"}, {"model \"t.h5\": not a model"});
  expect_refused({BERTH_PREDICT, "none.h5", "t.h5"}, {"\"none.h5\"", "No such file"});
  { write_x(begin("unlabelled.h5"), good_x, 4); }
  expect_refused({BERTH_PREDICT, "model.h5", "unlabelled.h5", "--score"}, {"has no dataset /y"});
}

TEST_F(BadInput, TablesThatAreNone) {
  folder.write("empty.csv", "");
  const std::vector<std::string> tail{"-o", "d.h5", "--target", "y"};
  const auto import = [&](const char* file) {
    std::vector<std::string> all{BERTH_DATASET, "import", file};
    all.insert(all.end(), tail.begin(), tail.end());
    return all;
  };
  expect_refused(import("none.csv"), {"\"none.csv\": cannot open: No such file"});
  expect_refused(import("empty.csv"), {"\"empty.csv\": is empty"});
  folder.write("gap.csv", "y,a\n1,\n2,3\n");
  expect_refused(import("gap.csv"), {"missing values: 1 in column \"a\"", "--missing drop"});
}

}  // namespace
}  // namespace berth::apps
