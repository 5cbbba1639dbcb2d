#include "import/import.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/hdf5.hpp"
#include "common/hdf5_attributes.hpp"
#include "data/dataset.hpp"
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
    if (!target.empty()) made.table.columns.targets = {target};
    return made;
  }
  static result<import_summary> run(const import_request& wanted) {
    return import_dataset(communicator::alone(), wanted);
  }
  std::vector<double> numbers(const char* name) const {
    const auto file = open_hdf5(folder.file("out.h5"));
    const hdf5_dataset dataset(H5Dopen2(file->get(), name, H5P_DEFAULT));
    std::size_t count = 1;
    for (const auto extent : shape_of(dataset.get())) count *= static_cast<std::size_t>(extent);
    std::vector<double> values(count);
    H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    return values;
  }
  texts attribute(const char* where, const char* name) const {
    const auto file = open_hdf5(folder.file("out.h5"));
    const hdf5_handle<H5Oclose> object(H5Oopen(file->get(), where, H5P_DEFAULT));
    return read_texts(object.get(), name).value_or(texts());
  }
  std::string bytes(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  temporary_folder folder;
};

TEST_F(Import, CaliforniaHousingKeepsCompleteCases) {
  auto wanted = request(BERTH_TEST_DATA "/california-housing.csv.gz", "median_house_value");
  wanted.table.rules.missing = missing_policy::drop;
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->rows, 20433);
  EXPECT_EQ(done->dropped, 207);
  const auto data = open_dataset(wanted.output);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->info.rows, 20433);
  EXPECT_EQ(data->info.features, 12);
  EXPECT_EQ(data->info.names.back(), "ocean_proximity=NEAR OCEAN");
  EXPECT_EQ(data->info.target, "median_house_value");
  auto first = numbers("X");
  first.resize(12);
  EXPECT_EQ(first,
            (std::vector<double>{-122.23, 37.88, 41, 880, 129, 322, 126, 8.3252, 0, 0, 1, 0}));
}

TEST_F(Import, MissingValuesStopItAndNothingIsLeft) {
  const auto done =
      run(request(BERTH_TEST_DATA "/california-housing.csv.gz", "median_house_value"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("207 in column \"total_bedrooms\""));
  EXPECT_THAT(done.error().text(), HasSubstr("--missing drop"));
  EXPECT_TRUE(folder.entries().empty());
}

TEST_F(Import, KeepsTheTextsOfATarget) {
  auto wanted = request(BERTH_TEST_DATA "/default.csv.gz", "default");
  wanted.table.columns.excluded = {"rownames"};
  ASSERT_TRUE(run(wanted));
  EXPECT_EQ(attribute("X", "feature_names"), (texts{"student=Yes", "balance", "income"}));
  EXPECT_EQ(attribute("X", "reference_levels"), texts{"student=No"});
  EXPECT_EQ(attribute("y", "levels"), (texts{"No", "Yes"}));
}

TEST_F(Import, GuessesBlanksAndSingleQuotes) {
  auto wanted = request(BERTH_TEST_DATA "/spector.csv", "GRADE");
  wanted.table.columns.excluded = {"OBS"};
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->rows, 32);
  EXPECT_EQ(done->layout.feature_names, (texts{"GPA", "TUCE", "PSI"}));
}

TEST_F(Import, WritesTargetsWeightsAndPrecision) {
  auto wanted = request(folder.write("t.csv", "a,y,w,z\n0.1,1,2,3\n0.2,4,5,6\n"), "z");
  wanted.table.columns.targets.push_back("y");
  wanted.table.columns.weights = {"w"};
  wanted.values = precision::f32;
  ASSERT_TRUE(run(wanted));
  EXPECT_EQ(numbers("X"), (std::vector<double>{0.1F, 0.2F}));
  EXPECT_EQ(numbers("y"), (std::vector<double>{3, 1, 6, 4}));
  EXPECT_EQ(numbers("weights"), (std::vector<double>{2, 5}));
  EXPECT_EQ(attribute("y", "name"), (texts{"z", "y"}));
}

TEST_F(Import, WritesTheSameValuesSparse) {
  const auto source = folder.write("t.csv", "y,a,b\n1,0,u\n2,5,v\n3,0,w\n4,0,u\n");
  auto wanted = request(source, "y");
  wanted.layout = sparsity::sparse;
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->layout.entries, 3);
  EXPECT_EQ(numbers("X/indptr"), (std::vector<double>{0, 0, 2, 3, 3}));
  EXPECT_EQ(numbers("X/indices"), (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(numbers("X/data"), (std::vector<double>{5, 1, 1}));
}

TEST_F(Import, LibsvmIndicesBeginAtZeroWhereOneDoes) {
  ASSERT_TRUE(run(request(folder.write("one", "1 1:5 3:6\n2 2:7\n"), "")));
  EXPECT_EQ(numbers("X/indices"), (std::vector<double>{0, 2, 1}));
  auto dense = request(folder.write("zero", "1 0:5 3:6\n\n2 2:7\n3\n"), "");
  dense.layout = sparsity::dense;
  dense.features = 5;
  ASSERT_TRUE(run(dense));
  EXPECT_EQ(numbers("X"), (std::vector<double>{5, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(numbers("y"), (std::vector<double>{1, 2, 3}));
}

TEST_F(Import, LibsvmFaultsNameTheLine) {
  auto wanted = request(folder.write("t", "1 1:5\n2 1:1\n3 1:x\n"), "");
  wanted.format = source_format::libsvm;
  const auto done = run(wanted);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("line 3: \"1:x\" is not INDEX:VALUE"));
}

TEST_F(Import, ThreadsDoNotChangeABit) {
  ::setenv("SOURCE_DATE_EPOCH", "0", 1);
  std::string text = "y,a,b,c\n";
  for (int i = 0; i < 600'000; ++i) {
    text += fmt::format("{},{},{},\"l{}\"\n", i, i % 9 == 0 ? "" : fmt::format("{}", i * 0.37),
                        i * 1e-9, i % 5);
  }
  auto wanted = request(folder.write("t.csv", text), "y");
  wanted.table.rules.missing = missing_policy::indicator;
  ASSERT_GT(text.size(), std::size_t{12} << 20);
  ASSERT_TRUE(run(wanted));
  const auto one = bytes(wanted.output);
  for (const int threads : {2, 3}) {
    wanted.threads = threads;
    ASSERT_TRUE(run(wanted));
    EXPECT_TRUE(bytes(wanted.output) == one) << threads;
  }
}

TEST_F(Import, TellsWhereTheDataCameFrom) {
  const auto source = folder.write("t.csv", "y,a\n1,2\n3,4\n");
  ASSERT_TRUE(run(request(source, "y")));
  EXPECT_EQ(attribute("/", "source"), texts{source});
  EXPECT_EQ(attribute("/", "source_sha256"),
            texts{"a24e6e63c5e28b307dd1bbeea786be692a2fbb530e47f78394d040d7f43e623b"});
  EXPECT_FALSE(attribute("/", "command_line").empty());
}

TEST_F(Import, RefusesOptionsThatMeanNothingForTheFormat) {
  const auto source = folder.write("t", "1 1:5\n");
  EXPECT_EQ(
      run(request(source, "y")).error().text(),
      "--target is for tables and HDF5, but \"" + source + "\" is LIBSVM; --format overrides");
  EXPECT_THAT(run(request(folder.write("t.csv", "a,b\n1,2\n"), "")).error().text(),
              HasSubstr("--no-target"));
  auto excluding = request(source, "");
  excluding.target_needed = false;
  excluding.table.columns.excluded = {"x1"};
  EXPECT_THAT(run(excluding).error().text(), HasSubstr("--exclude is for tables"));
  auto tabs = request(folder.write("t.h5", "1 1:5\n"), "");
  tabs.table.delimiter = '\t';
  EXPECT_THAT(run(tabs).error().text(), HasSubstr("--delimiter is for tables"));
}

TEST_F(Import, MarksOfMissingValuesMayBeNumbers) {
  auto wanted = request(folder.write("t.csv", "y,a\n1,2\n2,-999.0\n3,4\n-999,5\n"), "y");
  wanted.table.rules.missing_marks = {"-999"};
  EXPECT_THAT(run(wanted).error().text(),
              HasSubstr("missing values: 1 in column \"y\", 1 in column \"a\""));
  wanted.table.rules.missing = missing_policy::mean;
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(numbers("X"), (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(numbers("y"), (std::vector<double>{1, 2, 3}));
}

TEST_F(Import, ColumnsThatAreLeftOutWholeDropRowsToo) {
  auto wanted = request(folder.write("t.csv", "y,a,c\n1,2,u\n2,3,NA\n3,4,u\n"), "y");
  wanted.table.rules.missing = missing_policy::drop;
  const auto done = run(wanted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->dropped, 1);
  EXPECT_EQ(numbers("X"), (std::vector<double>{2, 4}));
}

TEST_F(Import, NeverReplacesItsInput) {
  auto wanted = request(folder.write("out.h5", "y,a\n1,2\n"), "y");
  EXPECT_THAT(run(wanted).error().text(), HasSubstr("is the input too"));
  EXPECT_EQ(bytes(wanted.output), "y,a\n1,2\n");
}

TEST_F(Import, SummariesNameEveryColumn) {
  auto wanted = request(folder.write("t.csv", "y,a,b\nn,2,u\nj,,v\n"), "y");
  wanted.table.rules.missing = missing_policy::mean;
  const auto done = run(wanted);
  ASSERT_TRUE(done);
  const auto text = summary_text(wanted, *done);
  EXPECT_THAT(text, HasSubstr("out.h5: 2 rows, 2 features, target \"y\"\n"));
  EXPECT_THAT(text, HasSubstr("  a  number    1 feature  1 missing\n"));
  EXPECT_THAT(text, HasSubstr("target: 0 = \"j\", 1 = \"n\"\n"));
  const auto json = nlohmann::json::parse(summary_json(wanted, *done));
  EXPECT_EQ(json["columns"][2]["type"], "category");
  EXPECT_EQ(json["columns"][1]["missing"], 1);
  EXPECT_EQ(json["target_levels"], (texts{"j", "n"}));
}

}  // namespace
}  // namespace berth::apps
