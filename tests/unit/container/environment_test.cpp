#include "container/environment.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using edits = std::vector<environment_edit>;

TEST(Environment, NamesPassedByExportAreFound) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"", {}},         {"ALL", {}},     {"NONE", {}}, {"NIL", {}}, {"ALL,A=1,B", {"A", "B"}},
      {"A=x=y", {"A"}}, {",,C,", {"C"}},
  };
  for (const auto& [text, names] : cases) EXPECT_EQ(exported_names(text), names) << text;
}

TEST(Environment, VariablesAreFoundByTheirWholeName) {
  const std::vector<std::string> all{"PATHS=no", "PATH=/bin", "EMPTY=", "PATH=/later", "BARE"};
  EXPECT_EQ(find_variable(all, "PATH"), "/bin");
  EXPECT_EQ(find_variable(all, "EMPTY"), "");
  EXPECT_EQ(find_variable(all, "PAT"), std::nullopt);
  EXPECT_EQ(find_variable(all, "BARE"), std::nullopt);
}

TEST(Environment, TheImageWinsOverTheNode) {
  EXPECT_EQ(plan_environment({"PATH=/node"}, {"PATH=/image", "NEW=a=b"}, {}, {}),
            (edits{{"PATH", "/image", "image"}, {"NEW", "a=b", "image"}}));
}

TEST(Environment, TheUsersExportWinsOverTheImage) {
  EXPECT_THAT(plan_environment({"PATH=/mine"}, {"PATH=/image"}, {}, {"PATH"}), IsEmpty());
  EXPECT_EQ(plan_environment({}, {"PATH=/image"}, {}, {"PATH"}),
            (edits{{"PATH", "/image", "image"}}));
}

TEST(Environment, TheImageCannotSpeakForUserSlurmOrPmix) {
  const std::vector<std::string> taboo{"HOME=/x",    "USER=x",         "LOGNAME=x",
                                       "SHELL=/x",   "SLURM_JOB_ID=1", "SLURMD_NODENAME=x",
                                       "PMI_RANK=3", "PMIX_RANK=3",    "no equals sign"};
  EXPECT_THAT(plan_environment({}, taboo, {}, {}), IsEmpty());
}

TEST(Environment, TheImageSetsOfOpenMpiWhatNobodyElseHas) {
  const std::vector<std::string> image{"OMPI_MCA_btl=image"};
  EXPECT_THAT(plan_environment({"OMPI_MCA_btl=node"}, image, {}, {}), IsEmpty());
  EXPECT_THAT(plan_environment({}, image, {}, {}),
              ElementsAre(environment_edit{"OMPI_MCA_btl", "image", "image"}));
}

TEST(Environment, TheSiteFillsWhatNobodyHasSet) {
  const site::environment_rules site{{{"A", "site"}, {"B", "site"}, {"C", "site"}}, {}};
  EXPECT_EQ(plan_environment({"A=user"}, {"B=image"}, site, {}),
            (edits{{"B", "image", "image"}, {"C", "site", "site"}}));
}

TEST(Environment, LibrariesOfTheNodeStayOutsideUnlessTheyAreNamed) {
  for (const std::string name : {"LD_PRELOAD", "LD_LIBRARY_PATH"}) {
    const std::vector<std::string> task{name + "=/node"};
    EXPECT_THAT(plan_environment(task, {}, {}, {}),
                ElementsAre(environment_edit{name, std::nullopt, "default"}));
    EXPECT_THAT(plan_environment(task, {}, {}, {name}), IsEmpty());
    EXPECT_THAT(plan_environment({}, {}, {}, {}), IsEmpty());
    EXPECT_EQ(plan_environment(task, {name + "=/image"}, {}, {}).back(),
              (environment_edit{name, "/image", "image"}));
    EXPECT_THAT(plan_environment(task, {name + "=/image"}, {}, {name}), IsEmpty());
    EXPECT_EQ(plan_environment(task, {}, {{{name, "/site"}}, {}}, {}).back(),
              (environment_edit{name, "/site", "site"}));
  }
}

TEST(Environment, WhatTheSiteUnsetsIsGoneForGood) {
  const auto all = plan_environment({"LD_PRELOAD=node"}, {"LD_PRELOAD=image"}, {{}, {"LD_PRELOAD"}},
                                    {"LD_PRELOAD"});
  EXPECT_THAT(all, ElementsAre(environment_edit{"LD_PRELOAD", std::nullopt, "site"}));
  EXPECT_EQ(plan_environment({}, {"LD_PRELOAD=image"}, {{}, {"LD_PRELOAD"}}, {}).back().value,
            std::nullopt);
}

}  // namespace
}  // namespace berth::container
