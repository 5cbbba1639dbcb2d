#include "container/mpi_plan.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using image::mpi_kind;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> slurms_files{"mpi_none.so", "mpi_pmi2.so", "mpi_pmix.so",
                                            "mpi_pmix_v4.so", "select_cons_tres.so"};

host_mpi slurm(const std::string& chosen) {
  return host_from(chosen, slurms_files);
}

image::mpi_facts with(mpi_kind kind, const std::string& version,
                      const std::vector<std::string>& pmix = {}) {
  image::mpi_facts facts;
  facts.libraries.push_back({kind, version, "/usr/lib/libmpi.so"});
  for (const auto& one : pmix) facts.pmix.push_back({one, "/usr/lib/libpmix.so.2"});
  facts.open_mpi_plugins = true;
  return facts;
}

const auto open_mpi_4 = with(mpi_kind::open_mpi, "4.1", {"4.2"});
const auto mpich_4 = with(mpi_kind::mpich, "4.0");
const auto intel = with(mpi_kind::intel, "2021.10.0");

TEST(HostMpi, IsReadFromTheNamesOfSlurmsPlugins) {
  const auto host = slurm("pmix");
  EXPECT_EQ(host.pmix, "4");
  EXPECT_THAT(host.available, ElementsAre("none", "pmi2", "pmix", "pmix_v4"));
  EXPECT_EQ(host_from("pmix_v3", {"mpi_pmix_v5.so", "mpi_pmix_v3.so"}).pmix, "3");
}

TEST(MpiPlan, WiresWhatFits) {
  EXPECT_EQ(plan_mpi(open_mpi_4, slurm("pmix"), false).wiring, "PMIx 4.2");
  EXPECT_EQ(plan_mpi(mpich_4, slurm("pmi2"), false).wiring, "PMI-1 or PMI-2");
  for (const auto* version : {"2.0.3", "2.1.1", "2.2", "3.2", "4.0", "5.0"}) {
    const auto plan = plan_mpi(with(mpi_kind::open_mpi, "4.1", {version}), slurm("pmix_v4"), false);
    EXPECT_EQ(plan.warning, "") << version;
  }
  EXPECT_EQ(plan_mpi({}, slurm("none"), false).warning, "");
}

TEST(MpiPlan, TakesTheLibraryThatFitsOfSeveral) {
  auto both = open_mpi_4;
  both.libraries.insert(both.libraries.begin(), mpich_4.libraries[0]);
  EXPECT_EQ(plan_mpi(both, slurm("pmi2"), false).warning, "");
  EXPECT_EQ(plan_mpi(both, slurm("pmix"), false).warning, "");
  EXPECT_NE(plan_mpi(both, slurm("none"), false).warning, "");
}

TEST(MpiPlan, SaysWhatDoesNotFitAndTheCure) {
  auto one_piece = with(mpi_kind::open_mpi, "4.1");
  one_piece.open_mpi_plugins = false;
  EXPECT_EQ(plan_mpi(one_piece, slurm("pmix"), false).warning, "");
  const std::tuple<image::mpi_facts, host_mpi, const char*, const char*> wrong[] = {
      {open_mpi_4, slurm("none"), "has Open MPI 4.1 and the step --mpi=none", "add --mpi=pmix"},
      {open_mpi_4, host_from("none", {}), "--mpi=none", "which this cluster's Slurm lacks"},
      {open_mpi_4, slurm("pmi2"), "Open MPI 4.1 cannot use --mpi=pmi2", "add --mpi=pmix"},
      {with(mpi_kind::open_mpi, "4.1"), slurm("pmix"), "no PMIx client", "libpmix2"},
      {with(mpi_kind::open_mpi, "5.0"), slurm("pmix"), "no PMIx client", "libpmix2"},
      {with(mpi_kind::open_mpi, "2.1", {"1.2"}), slurm("pmix"),
       "PMIx 1.2 cannot talk to this cluster's PMIx 4", "PMIx 2.1.1 or later"},
      {with(mpi_kind::open_mpi, "3.1", {"2.1.0"}), slurm("pmix"), "PMIx 2.1.0 cannot", "later"},
      {mpich_4, slurm("none"), "has MPICH 4.0 and the step --mpi=none", "add --mpi=pmi2"},
      {mpich_4, slurm("pmix"), "MPICH 4.0 has no PMIx client", "add --mpi=pmi2"},
      {intel, slurm("pmix"), "Intel MPI 2021.10.0 cannot use --mpi=pmix", "add --mpi=pmi2"},
      {intel, slurm("pmi2"), "finds no PMI-2 client", "I_MPI_PMI_LIBRARY"},
  };
  for (const auto& [image, host, cause, cure] : wrong) {
    const auto plan = plan_mpi(image, host, false);
    EXPECT_THAT(plan.warning, AllOf(HasSubstr(cause), HasSubstr("rank 0 of 1"), HasSubstr(cure)));
    EXPECT_EQ(plan.wiring, "none");
  }
}

TEST(MpiPlan, TellsIntelMpiWhereTheImagesPmiIs) {
  auto own = intel;
  own.pmi2 = "/usr/lib/libpmi2.so.0";
  EXPECT_THAT(plan_mpi(own, slurm("pmi2"), false).environment,
              ElementsAre(environment_edit{"I_MPI_PMI_LIBRARY", own.pmi2, "mpi"}));
  EXPECT_THAT(plan_mpi(own, slurm("pmi2"), true).environment, ElementsAre());
  EXPECT_EQ(plan_mpi(intel, slurm("pmi2"), true).warning, "");
}

}  // namespace
}  // namespace berth::container
