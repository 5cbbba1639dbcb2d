#include "image/mpi.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "base/subprocess.hpp"
#include "base/unique_fd.hpp"
#include "image/find.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string only_library(const std::vector<std::string>& paths) {
  const auto facts = recognise_mpi(paths);
  if (facts.libraries.size() != 1) return "libraries: " + std::to_string(facts.libraries.size());
  return std::string(name_of(facts.libraries[0].kind)) + ' ' + facts.libraries[0].version;
}

TEST(Mpi, IsToldByTheNumbersOfItsLibrary) {
  const std::pair<std::vector<std::string>, const char*> images[] = {
      {{"/usr/lib/x86_64-linux-gnu/libmpi.so.40", "/usr/lib/x86_64-linux-gnu/libmpi.so.40.30.4"},
       "Open MPI 4.1"},
      {{"/usr/local/lib/libmpi.so.40.40.7"}, "Open MPI 5.0"},
      {{"/opt/openmpi/lib/libmpi.so.40.20.3"}, "Open MPI 4.0"},
      {{"/opt/openmpi/lib/libmpi.so.20.10.4"}, "Open MPI 2.1"},
      {{"/usr/lib/x86_64-linux-gnu/libmpich.so.12.2.2"}, "MPICH 4.0"},
      {{"/opt/mpich/lib/libmpi.so.12.5.1"}, "MPICH 4.3"},
      {{"/opt/mpich/lib/libmpi.so.12.1.8"}, "MPICH 3"},
      {{"/opt/intel/oneapi/mpi/2021.10.0/lib/release/libmpi.so.12.0.0"}, "Intel MPI 2021.10.0"},
      {{"/usr/local/lib/libmpi.so.12.0.0", "/usr/local/lib/libmpi_ilp64.so.4.1"}, "Intel MPI "},
      {{"/usr/lib/libmpi.so", "/usr/lib/libmpi_cxx.so.40.30.1", "/usr/lib/libmpi.so.x.y"},
       "libraries: 0"},
  };
  for (const auto& [paths, meaning] : images) EXPECT_EQ(only_library(paths), meaning);
}

std::vector<std::string> pmix_of(const std::vector<std::string>& paths) {
  std::vector<std::string> versions;
  for (const auto& one : recognise_mpi(paths).pmix) versions.push_back(one.version);
  return versions;
}

TEST(Mpi, KnowsPmixClientsByTheirLibraryOrPlugin) {
  const std::pair<const char*, const char*> libraries[] = {
      {"2.0.3", "1.2"},  {"2.1.1", "2.0.1"}, {"2.1.10", "2.1.0"}, {"2.1.22", "2.2"},
      {"2.2.0", "3.0"},  {"2.2.25", "3.1"},  {"2.2.35", "3.2"},   {"2.4.1", "4.0"},
      {"2.5.2", "4.1"},  {"2.6.2", "4.2"},   {"2.9.5", "4.2"},    {"2.13.3", "5.0"},
      {"2.18.0", "6.0"},
  };
  for (const auto& [number, version] : libraries) {
    EXPECT_THAT(pmix_of({std::string("/usr/lib/libpmix.so.") + number}), ElementsAre(version));
  }
  EXPECT_THAT(
      pmix_of({"/opt/ompi/lib/libmpi.so.40.30.4", "/opt/ompi/lib/openmpi/mca_pmix_pmix3x.so"}),
      ElementsAre("3.2"));
  EXPECT_THAT(pmix_of({"/opt/ompi/lib/openmpi/mca_pmix_ext3x.so"}), ElementsAre());
}

TEST(Mpi, KnowsTheClientsOfPmi) {
  const auto facts = recognise_mpi(
      {"/usr/lib/libpmi.so.0", "/usr/lib/libpmi2.so.0", "/opt/o/lib/openmpi/mca_btl_self.so"});
  EXPECT_EQ(facts.pmi1, "/usr/lib/libpmi.so.0");
  EXPECT_EQ(facts.pmi2, "/usr/lib/libpmi2.so.0");
  EXPECT_TRUE(facts.open_mpi_plugins);
}

class FindFiles : public ::testing::Test {
 protected:
  FindFiles() {
    for (const auto* name : {"usr/lib/x/libmpi.so.40.30.4", "usr/lib/x/deep/libmpi.so.40.30.4",
                             "usr/lib/y/libpmix.so.2.6.2", "usr/lib/y/other"}) {
      folder_.write(std::string("tree/") + name, "x");
    }
    fs::create_directory_symlink("x", root() + "/usr/lib/z");
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string root() const { return folder_ / "tree"; }

  void expect_found(const std::string& image) {
    SCOPED_TRACE(image);
    const unique_fd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
    const auto content = recognise(fd.get());
    ASSERT_TRUE(content) << content.error().text();
    const auto facts = find_mpi(fd.get(), image, *content);
    ASSERT_TRUE(facts) << facts.error().text();
    ASSERT_THAT(facts->libraries, SizeIs(1));
    EXPECT_EQ(facts->libraries[0].path, "/usr/lib/x/libmpi.so.40.30.4");
    EXPECT_THAT(facts->pmix, SizeIs(1));
    const std::string_view nothing[] = {"/usr/lib/*/nothing*"};
    const auto none = find_files(fd.get(), image, *content, nothing);
    ASSERT_TRUE(none) << none.error().text();
    EXPECT_THAT(*none, ElementsAre());
  }

 private:
  scratch folder_;
};

TEST_F(FindFiles, LooksIntoImagesOfAllKinds) {
  const auto squashfs = path("i.sqsh");
  const auto erofs = path("i.erofs");
  ASSERT_TRUE(run_ok(
      {{"mksquashfs", root(), squashfs, "-quiet", "-no-progress"}, current_environment(), {}}));
  ASSERT_TRUE(run_ok({{"mkfs.erofs", "-zlz4hc", erofs, root()}, current_environment(), {}}));
  for (const auto& image : {squashfs, erofs, root()}) expect_found(image);
}

}  // namespace
}  // namespace berth::image
