#include "container/container_options.hpp"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <set>

namespace berth::container {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const option_word& word(std::string_view name) {
  const auto words = option_words();
  return *std::find_if(words.begin(), words.end(),
                       [&](const option_word& one) { return one.name == name; });
}

/// The choices of a command line, or the complaint about it as the only value.
choices command_line(const std::vector<std::pair<const char*, const char*>>& given) {
  choices chosen;
  for (const auto& [name, value] : given) {
    const auto done = choose(chosen, word(name), value);
    if (!done) return {{"complaint", done.error().text()}};
  }
  return chosen;
}

lookup variables(std::map<std::string, std::string> all) {
  return [all = std::move(all)](const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  };
}

std::string complaint(const choices& given) {
  const auto options = parse_options(given, "/jobs");
  return options ? "accepted" : options.error().text();
}

TEST(ContainerOptions, HaveTheNamesOfPyxis) {
  std::set<std::string> names;
  for (const auto& one : option_words()) names.insert(one.name);
  for (const auto* name :
       {"container-mounts", "container-workdir", "container-mount-home", "no-container-mount-home",
        "container-writable", "container-readonly", "container-env"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
  }
}

TEST(ContainerOptions, WithoutAnyTheDefaultsHold) {
  const auto options = parse_options({}, "/jobs");
  ASSERT_TRUE(options);
  EXPECT_THAT(options->mounts, IsEmpty());
  EXPECT_EQ(options->workdir, "");
  EXPECT_TRUE(options->mount_home);
  EXPECT_TRUE(options->writable);
  EXPECT_EQ(options->backend, backend_choice::any);
}

TEST(ContainerOptions, AreUnderstood) {
  const auto options = parse_options(command_line({{"container-mounts", "./d:/d:ro"},
                                                   {"container-workdir", "/d"},
                                                   {"no-container-mount-home", ""},
                                                   {"container-readonly", ""},
                                                   {"container-env", "A,B_1"},
                                                   {"container-entrypoint", ""},
                                                   {"container-name", "dev_1.2-b"},
                                                   {"container-remap-root", ""},
                                                   {"container-backend", "unpack"}}),
                                     "/jobs");
  ASSERT_TRUE(options) << options.error().text();
  ASSERT_EQ(options->mounts.size(), 1U);
  EXPECT_EQ(options->mounts[0].source, "/jobs/d");
  EXPECT_EQ(options->workdir, "/d");
  EXPECT_FALSE(options->mount_home);
  EXPECT_FALSE(options->writable);
  EXPECT_THAT(options->environment, ElementsAre("A", "B_1"));
  EXPECT_EQ(options->backend, backend_choice::unpack);
  EXPECT_TRUE(options->entrypoint);
  EXPECT_EQ(options->name.text, "dev_1.2-b");
  EXPECT_TRUE(options->remap_root);
}

TEST(ContainerOptions, ListsAddUpAndOthersAreGivenOnce) {
  EXPECT_EQ(command_line({{"container-mounts", "/a:/a"}, {"container-mounts", "/b:/b"}}),
            (choices{{"CONTAINER_MOUNTS", "/a:/a,/b:/b"}}));
  EXPECT_EQ(command_line({{"container-workdir", "/a"}, {"container-workdir", "/a"}}),
            (choices{{"CONTAINER_WORKDIR", "/a"}}));
  EXPECT_EQ(command_line({{"container-workdir", "/a"}, {"container-workdir", "/b"}}),
            (choices{{"complaint", "--container-workdir is given twice"}}));
  EXPECT_EQ(command_line({{"container-writable", ""}, {"container-readonly", ""}}),
            (choices{{"complaint", "--container-readonly and its opposite are both given"}}));
  EXPECT_EQ(command_line({{"container-env", ""}}),
            (choices{{"complaint", "--container-env: needs a value"}}));
}

TEST(ContainerOptions, OverlongValuesGetAClearLine) {
  const std::string longest(65536, 'a');
  EXPECT_EQ(command_line({{"container-workdir", longest.c_str()}}).count("complaint"), 0U);
  const auto refused = command_line({{"container-workdir", (longest + 'a').c_str()}});
  EXPECT_EQ(refused.at("complaint"),
            "--container-workdir: its value has 65537 bytes; 65536 are possible");
  EXPECT_THAT(complaint({{"CONTAINER_ENV", longest + 'a'}}), HasSubstr("65537 bytes"));
  EXPECT_THAT(
      choices_on_the_way(variables({{"SLURM_BERTH_CONTAINER_ENV", longest + 'a'}})).error().text(),
      HasSubstr("65537 bytes"));
}

TEST(ContainerOptions, ValuesOfGigabytesAreRefusedWithoutACopy) {
  constexpr std::size_t size = std::size_t{4} << 30;
  auto* const value =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(value, MAP_FAILED);
  choices chosen;
  struct rusage before {};
  struct rusage after {};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &before), 0);
  const auto done =
      choose(chosen, word("container-mounts"), {static_cast<const char*>(value), size});
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &after), 0);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text(),
            "--container-mounts: its value has 4294967296 bytes; 65536 are possible");
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 1 << 14) << "KiB";
  ::munmap(value, size);
}

TEST(ContainerOptions, ComeFromVariablesOfOursOrOfPyxis) {
  EXPECT_EQ(*choices_of(variables({{"BERTH_CONTAINER_MOUNTS", "/a:/a"},
                                   {"PYXIS_CONTAINER_MOUNTS", "/b:/b"},
                                   {"PYXIS_CONTAINER_WORKDIR", "/w"},
                                   {"BERTH_CONTAINER_ENV", ""}})),
            (choices{{"CONTAINER_MOUNTS", "/a:/a"}, {"CONTAINER_WORKDIR", "/w"}}));
}

TEST(ContainerOptions, SwitchesInVariablesAreYesOrNo) {
  for (const auto* yes : {"1", "yes", "TRUE", "on", "y"}) {
    EXPECT_EQ(choices_of(variables({{"PYXIS_CONTAINER_MOUNT_HOME", yes}}))->begin()->second, "1");
    EXPECT_EQ(choices_of(variables({{"BERTH_CONTAINER_READONLY", yes}}))->begin()->second, "0");
  }
  for (const auto* no : {"0", "no", "False", "off"}) {
    EXPECT_EQ(choices_of(variables({{"PYXIS_CONTAINER_MOUNT_HOME", no}}))->begin()->second, "0");
    EXPECT_EQ(choices_of(variables({{"PYXIS_CONTAINER_READONLY", no}}))->begin()->second, "1");
  }
  EXPECT_EQ(choices_of(variables({{"BERTH_CONTAINER_WRITABLE", "maybe"}})).error().text(),
            "BERTH_CONTAINER_WRITABLE: is neither yes nor no");
}

TEST(ContainerOptions, TravelUnderSlurmsName) {
  choices all;
  std::map<std::string, std::string> environment;
  for (const auto& one : option_words()) {
    EXPECT_THAT(travelling_name(one.key), testing::StartsWith("SLURM_BERTH_CONTAINER_"));
    all[one.key] = "1";
    environment[travelling_name(one.key)] = "1";
  }
  EXPECT_EQ(*choices_on_the_way(variables(environment)), all);
}

TEST(ContainerOptions, RelativeSourcesMeanTheSameElsewhere) {
  const choices given{
      {"CONTAINER_MOUNTS", "./a:/a"}, {"CONTAINER_SAVE", "../b"}, {"CONTAINER_WORKDIR", "/a"}};
  EXPECT_EQ(made_absolute(given, "/jobs"), (choices{{"CONTAINER_MOUNTS", "/jobs/a:/a:rw"},
                                                    {"CONTAINER_SAVE", "/b"},
                                                    {"CONTAINER_WORKDIR", "/a"}}));
}

TEST(ContainerOptions, ThatCannotBeAreRefusedByName) {
  const std::pair<choices, const char*> cases[] = {
      {{{"CONTAINER_MOUNTS", "/a"}, {"CONTAINER_WORKDIR", "there"}},
       "--container-workdir: \"there\" is not an absolute path"},
      {{{"CONTAINER_SAVE", "images/"}}, "--container-save: \"images/\" is not the name of a file"},
      {{{"CONTAINER_SAVE", "a\nb"}}, "--container-save: holds a control character"},
      {{{"CONTAINER_SAVE", "a"}, {"CONTAINER_WRITABLE", "0"}},
       "--container-save: nothing is written"},
      {{{"CONTAINER_NAME", "../a"}}, "--container-name: \"?\" is not 1 to 64 letters"},
      {{{"CONTAINER_NAME", ".a"}}, "--container-name: \".a\" is not 1 to 64 letters"},
      {{{"CONTAINER_NAME", "a:"}}, "--container-name: flag \"\" is none of auto, create, exec"},
      {{{"CONTAINER_NAME", "a:create:exec"}}, "flag \"create:exec\" is none of"},
      {{{"CONTAINER_NAME", ":create"}}, "--container-name: \"\" is not 1 to 64 letters"},
      {{{"CONTAINER_WORKDIR", "/a\nb"}}, "--container-workdir: holds a control character"},
      {{{"CONTAINER_WORKDIR", ""}}, "--container-workdir: needs a value"},
      {{{"CONTAINER_WORKDIR", "/" + std::string(5000, 'a')}}, "longer than 4095 bytes"},
      {{{"CONTAINER_MOUNTS", "/a:b"}}, "--container-mounts: \"/a:b\": target \"b\""},
      {{{"CONTAINER_ENV", "A,1B"}}, "--container-env: \"1B\" is not the name of a variable"},
      {{{"CONTAINER_ENV", "A=1"}}, "\"A=1\" is not the name of a variable"},
      {{{"CONTAINER_ENV", "A,,B"}}, "\"\" is not the name of a variable"},
      {{{"CONTAINER_ENV", "A\nB"}}, "\"?\" is not the name of a variable"},
      {{{"CONTAINER_MOUNT_HOME", "2"}}, "--container-mount-home: is neither 0 nor 1"},
      {{{"CONTAINER_BACKEND", "docker"}}, "\"docker\" is none of auto, kernel, fuse, unpack"},
  };
  for (const auto& [given, reason] : cases) {
    EXPECT_THAT(complaint(given), HasSubstr(reason));
    EXPECT_THAT(complaint(given), Not(HasSubstr("\n")));
  }
}

}  // namespace
}  // namespace berth::container
