#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/subprocess.hpp"

namespace berth {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ConfigVerb : public testing::Test {
 protected:
  ConfigVerb() {
    std::string pattern = fs::temp_directory_path() / "berth-config-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigVerb() override { fs::remove_all(folder_); }

  std::string file(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    fs::permissions(folder_ / name, fs::perms(0644));
    return folder_ / name;
  }
  static outcome berth(std::vector<std::string> arguments, std::vector<std::string> env = {}) {
    arguments.insert(arguments.begin(), {BERTH_PROGRAM, "config"});
    return run({std::move(arguments), std::move(env), {}}).value();
  }
  fs::path folder_;
};

TEST_F(ConfigVerb, CheckSaysOk) {
  const auto path = file("site.lua", "return { pin = { default = 'core' } }");
  const auto end = berth({"check", path});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.out, path + ": ok\n");
}

TEST_F(ConfigVerb, CheckListsEveryMistake) {
  const auto path = file("site.lua", "return {\n image = {},\n workdir = 3 }");
  const auto end = berth({"check", path});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_EQ(end.out, "");
  EXPECT_EQ(end.err, "berth: error: " + path +
                         ":2: image: unknown key; did you mean \"images\"?\nberth: error: " + path +
                         ":3: workdir: expected a string, got a number\n");
}

TEST_F(ConfigVerb, TheFileCanComeFromOptionOrEnvironment) {
  const auto path = file("site.lua", "return {}");
  EXPECT_EQ(berth({"check", "--site", path}).out, path + ": ok\n");
  EXPECT_EQ(berth({"check"}, {"BERTH_SITE=" + path}).out, path + ": ok\n");
  const auto missing = berth({"check", folder_ / "none.lua"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("No such file or directory"));
}

TEST_F(ConfigVerb, ShowTellsWhereEachValueComesFrom) {
  const auto path = file(
      "site.lua", "return {\n pin = {\n default = 'core',\n partitions = { gpu = 'device' } } }");
  const auto end = berth({"show", path});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, HasSubstr("pin.default           \"core\"  (" + path + ":3)\n"));
  EXPECT_THAT(end.out, HasSubstr("images.folders        [\"/srv/images\"]  (default)\n"));
  const auto all = nlohmann::json::parse(berth({"show", "--json", path}).out);
  EXPECT_EQ(all["pin.default"]["value"], "core");
  EXPECT_EQ(all["pin.default"]["from"], path + ":3");
  EXPECT_EQ(all["pin.partitions"]["value"]["gpu"], "device");
  EXPECT_EQ(all["pin.partitions"]["from"], path + ":4");
  EXPECT_EQ(all["overlay_size"]["value"], 1U << 30);
  EXPECT_EQ(all["overlay_size"]["from"], "default");
  EXPECT_EQ(all["warm_mounts.idle_seconds"]["value"], 900);
  EXPECT_EQ(all["cache.quota"]["value"], std::uint64_t{64} << 30);
  EXPECT_EQ(all["user_mounts.allowed"]["value"][0], "/");
  EXPECT_EQ(all.size(), 19U);
}

TEST_F(ConfigVerb, AdmitAsksThePolicy) {
  const auto path = file("site.lua",
                         "return { admit = function(job, image) if image.size > 5 then "
                         "return false, 'too large for ' .. job.partition end return true end }");
  const auto job = file("job.json", R"({"partition": "debug"})");
  const auto ask = [&](const char* image) {
    return berth({"admit", "--job", job, "--image", file("image.json", image), path});
  };
  const auto yes = ask(R"({"size": 5})");
  EXPECT_EQ(yes.out, "admitted\n") << yes.err;
  EXPECT_EQ(yes.exit_code, 0);
  const auto no = ask(R"({"size": 6})");
  EXPECT_EQ(no.out, "refused: too large for debug\n");
  EXPECT_EQ(no.exit_code, 1);
}

TEST_F(ConfigVerb, AdmitRefusesFactsThatDoNotExist) {
  const auto path = file("site.lua", "return {}");
  const auto good = file("good.json", "{}");
  for (const auto* bad : {"", "[]", R"({"sice": 1})", R"({"size": -1})", R"({"size": 1.5})",
                          R"({"owner": 4294967296})", R"({"path": 1})"}) {
    const auto end = berth({"admit", "--job", good, "--image", file("bad.json", bad), path});
    EXPECT_EQ(end.exit_code, 2) << bad;
    EXPECT_THAT(end.err, HasSubstr("bad.json")) << bad;
  }
}

TEST_F(ConfigVerb, WrongUsageIsTwo) {
  EXPECT_EQ(berth({}).exit_code, 2);
  EXPECT_EQ(berth({"chek"}).exit_code, 2);
  EXPECT_EQ(berth({"check", "a", "b"}).exit_code, 2);
  EXPECT_THAT(berth({"--help"}).out, HasSubstr("Examples:"));
}

}  // namespace
}  // namespace berth
