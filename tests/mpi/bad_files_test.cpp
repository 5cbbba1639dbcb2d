// Files that users have but should not (make_bad_files.py): train, predict and dataset check give
// the same answer, in one line, from one rank, with the documented exit code, on 1 and on 3 ranks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string_view>

#include "program_runner.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

struct bad_file {
  const char* name;
  // Exit code of dataset check: 2 cannot be read, and then train and predict end with 2 and the
  // same text; 1 problems found; 0 none.
  int code;
  const char* text;             // what check says
  const char* train = "";       // what train says when it refuses a file that check can read
  const char* kind = "linear";  // the model that train is to fit
};

std::ostream& operator<<(std::ostream& out, const bad_file& file) {
  return out << file.name << ".h5";
}

const std::vector<bad_file> files{
    {"empty", 2, "not an HDF5 file; make one from a CSV file with: dataset import"},
    {"text", 2, "not an HDF5 file; make one from a CSV file with: dataset import"},
    {"folder", 2, "not a regular file"},
    {"missing", 2, "No such file or directory"},
    {"truncated", 2, "truncated HDF5 file: have 1664 of 3328 bytes; copy it again"},
    {"beheaded", 2, "truncated HDF5 file: have 40 bytes, less than its header; copy it again"},
    {"corrupt_superblock", 2, "the header of this HDF5 file is damaged; copy it again"},
    {"corrupt_root", 2, "the file is damaged, HDF5 says \"bad object header version number\""},
    {"left_open", 2,
     "its writer ended early; if nothing writes it any more: h5clear -s left_open.h5"},

    {"no_x", 2, "has no dataset /X; it has /y [40] float64"},
    {"no_y", 0, "there is no target", "has no dataset /y; it has /X [40 x 3] float64"},
    {"x_of_one_dimension", 2, "/X has shape [40]; it must be [rows x features]"},
    {"x_of_three_dimensions", 2, "/X has shape [40 x 3 x 1]; it must be [rows x"},
    {"no_rows", 2, "/X has shape [0 x 3]"},
    {"no_features", 2, "/X has shape [40 x 0]"},
    {"fewer_rows_than_features", 1, "2 rows for 3 features and an intercept",
     "has 2 rows but 3 features and an intercept to fit; it needs at least 4 rows"},
    {"y_too_short", 2, "/X has shape [40 x 3] but /y has shape [39]"},
    {"y_column", 0, "target \"y\" has 40 values: for train linear"},
    {"y_of_two_targets", 0, "/y has 2 targets; train logistic takes one",
     "/y has shape [40 x 2]; logistic fits one target", "logistic"},
    {"y_of_three_dimensions", 2, "/y has shape [40 x 1 x 1]"},
    {"wrong_number_of_names", 2, "/X has 3 features but 4 feature_names"},

    {"x_never_written", 1, "/X was never written: HDF5 reads it as zeros", "/X was never written"},
    {"y_never_written", 1, "/y was never written: HDF5 reads it as zeros", "/y was never written"},
    {"missing_chunks", 1, "rows 11 to 30 of /X were never written",
     "rows 11 to 30 of /X were never written"},

    {"nan", 1, "3 in \"x2\"; 3 of 40 rows (7.5 %) are incomplete, first row 4 (\"x2\")",
     "missing or infinite values: 3 in \"x2\""},
    {"infinite", 1, "infinite values: 1 in \"x3\"; first row 8 (\"x3\")",
     "missing or infinite values: 1 in \"x3\""},
    {"nan_in_y", 1, "missing values (NaN): 1 in \"y\"", "missing or infinite values: 1 in \"y\""},
    {"constant_column", 1, "a column is constant, like the intercept: \"x2\"",
     "\"x2\" has the same value in every row"},
    {"equal_columns", 1, "columns \"x1\", \"x4\" are equal in every row", "\"x4\""},

    {"text_x", 2, "/X has type string; it must be numeric"},
    {"compound_x", 2, "compound (re, im); it must be numeric"},
    {"complex_x", 2, "complex128; it must be numeric"},
    {"opaque_x", 2, "/X has type opaque; it must be numeric"},
    {"array_x", 2, "arrays; it must be numeric"},
    {"half", 0, "0 errors, 0 warnings"},
    {"big_endian", 0, "0 errors, 0 warnings"},
    {"long_double", 0, "0 errors"},
    {"int8", 0, "0 errors, 0 warnings"},
    {"huge_integers", 0, "39 integers beyond 2^53 do not fit float64"},
    {"bool_y", 0, "target \"y\" has", "", "logistic"},
    {"enum_y", 0, "has 2 classes: \"cat\" (", "", "logistic"},
    {"text_y", 0, "has 2 classes: \"no\" (", "", "logistic"},
    {"fixed_text_y", 0, "has 2 classes: \"no\" (", "", "logistic"},

    {"labels_one_two", 0, "train logistic takes 1 as 0 and 2 as 1", "", "logistic"},
    {"labels_minus_plus", 0, "train logistic takes -1 as 0 and 1 as 1", "", "logistic"},
    {"one_class", 1, "has one value: all 40 rows are 1", "one class: all 40 are 1", "logistic"},
    {"three_classes", 0, "has 3 whole values", "labels \"y\" are not 0 and 1", "logistic"},
    {"stray_label", 0, "is 0 or 1 but for 1 row: row 10 has 0.5",
     "labels \"y\" are not 0 and 1: row 10 has 0.5", "logistic"},

    {"broken_link", 2, "/X is a link to \"/nowhere\", which is not there"},
    {"broken_external_link", 2,
     "/X is a link to \"/data/X\" in file \"gone.h5\", which is not there"},
    {"broken_external_storage", 2, "/X is kept in file \"gone.bin\""},
    {"filter_blosc", 2, "filter 32001 (Blosc), which is not installed; install"},
    {"filter_nobody_knows", 2, "filter 31999"},
    {"broken_chunk", 2, "chunk of rows 21 to 30, columns 1 to 3: deflate cannot decode it"},
    {"csr", 0, "0 errors, 0 warnings"},
    {"csr_beyond_the_columns", 2, "row 1 has column 7, but there are 3 features"},
    {"csr_of_falling_starts", 2, "row 10 does not lie within the 120 stored"},
    {"csr_too_short", 2, "row 40 does not lie within the 111 stored elements"},
    {"csc", 2, "csc_matrix, stored by columns"},
    {"bad_weights", 1, "/weights: 1 negative, 0 missing or infinite",
     "weights: some are negative or not finite"},
};

// One folder of bad files and a model for all tests.
class BadFile : public testing::TestWithParam<bad_file> {
 protected:
  static void SetUpTestSuite() {
    folder = new temporary_folder;
    const auto command =
        std::string("/usr/bin/python3 ") + BERTH_MAKE_BAD_FILES + " " + folder->file("");
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_EQ(run_program(*folder, {BERTH_DATASET, "synth", "-o", "good.h5", "--rows", "40",
                                    "--features", "3"})
                  .code,
              0);
    ASSERT_EQ(run_program(*folder, {BERTH_TRAIN, "linear", "good.h5", "-o", "model.h5"}).code, 0);
  }
  static void TearDownTestSuite() {
    delete folder;
    folder = nullptr;
  }

  // One error line with `text` and nothing else, exit code `code`.
  static void expect_error(const outcome& got, const std::string& program, const std::string& text,
                           int code, int ranks) {
    EXPECT_EQ(got.code, code) << got.err;
    const auto lines = lines_with(got.err, program + ": error: ");
    ASSERT_EQ(lines.size(), 1U) << got.err;
    EXPECT_THAT(lines[0], HasSubstr(text));
    EXPECT_THAT(lines[0], HasSubstr(std::string(GetParam().name) + ".h5\""));
    EXPECT_THAT(got.err, testing::Not(HasSubstr("HDF5-DIAG")));
    // mpirun adds its own words.
    if (ranks == 0) {
      EXPECT_EQ(std::ranges::count(got.err, '\n'), 1) << got.err;
    }
  }

  // Opening is the same code in all programs: on several ranks one of them will do.
  static void expect_refusal(const std::string& file, int ranks) {
    const auto& wanted = GetParam();
    expect_error(train(file, ranks), "train", wanted.text, 2, ranks);
    if (ranks > 0) return;
    expect_error(check(file, 0), "dataset", wanted.text, 2, 0);
    const auto predicted = run_program(*folder, {BERTH_PREDICT, "model.h5", file, "--score"});
    expect_error(predicted, "predict", wanted.text, 2, 0);
  }

  static void expect_answers(int ranks) {
    const auto& wanted = GetParam();
    const std::string file = std::string(wanted.name) + ".h5";
    if (wanted.code == 2) return expect_refusal(file, ranks);
    const auto checked = check(file, ranks);
    EXPECT_THAT(checked.out, HasSubstr(wanted.text));
    if (wanted.code == 1) {
      expect_error(checked, "dataset", "1 problem found", 1, ranks);
    } else {
      EXPECT_EQ(checked.code, 0) << checked.err;
    }
    if (ranks == 0) expect_predictions(file);
    const auto trained = train(file, ranks);
    if (*wanted.train == '\0') {
      EXPECT_EQ(trained.code, 0) << trained.err;
    } else {
      expect_error(trained, "train", wanted.train, 2, ranks);
    }
  }

  // The features must be whole; the target too, but only where predictions are compared with it.
  static void expect_predictions(const std::string& file) {
    const auto is_one_of = [](std::initializer_list<std::string_view> names) {
      return std::ranges::find(names, GetParam().name) != names.end();
    };
    const auto got = run_program(*folder, {BERTH_PREDICT, "model.h5", file});
    if (is_one_of({"x_never_written", "missing_chunks", "nan", "infinite"})) {
      return expect_error(got, "predict", GetParam().train, 2, 0);
    }
    EXPECT_EQ(got.code, 0) << got.err;
    if (!is_one_of({"no_y", "y_never_written", "nan_in_y", "bad_weights"})) return;
    const auto scored = run_program(*folder, {BERTH_PREDICT, "model.h5", file, "--score"});
    expect_error(scored, "predict", GetParam().train, 2, 0);
  }

  static outcome check(const std::string& file, int ranks) {
    return run_program(*folder, {BERTH_DATASET, "check", file}, ranks);
  }
  static outcome train(const std::string& file, int ranks) {
    return run_program(*folder, {BERTH_TRAIN, GetParam().kind, file, "-o", "m.h5"}, ranks);
  }

  static temporary_folder* folder;
};

temporary_folder* BadFile::folder = nullptr;

TEST_P(BadFile, HasItsAnswerAlone) {
  expect_answers(0);
}

TEST_P(BadFile, HasItsAnswerOnThreeRanks) {
  expect_answers(3);
}

std::string name_of(const testing::TestParamInfo<bad_file>& entry) {
  return entry.param.name;
}

INSTANTIATE_TEST_SUITE_P(All, BadFile, testing::ValuesIn(files), name_of);

// Node-local copies or stale caches: the ranks see different files under the same name.
TEST(DifferentFiles, AreFoundBeforeTheyAreRead) {
  const temporary_folder folder;
  for (const std::string rank : {"0", "1"}) {
    std::filesystem::create_directory(folder.file(rank));
    ASSERT_EQ(run_program(folder, {BERTH_DATASET, "synth", "-o", rank + "/d.h5", "--rows", "40",
                                   "--features", "3", "--seed", rank})
                  .code,
              0);
  }
  const auto got = run_program(
      folder,
      {"sh", "-c", "cd $OMPI_COMM_WORLD_RANK && exec \"$0\" \"$@\"", BERTH_TRAIN, "linear", "d.h5"},
      2);
  EXPECT_EQ(got.code, 2) << got.err;
  const auto lines = lines_with(got.err, "train: error: ");
  ASSERT_EQ(lines.size(), 1U) << got.err;
  EXPECT_THAT(lines[0], testing::AllOf(HasSubstr("\"d.h5\""), HasSubstr("rank 1")));
}

}  // namespace
}  // namespace berth::apps
