#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "base/file.hpp"
#include "base/text.hpp"
#include "program.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto small = "package:2 numa:1 core:4 pu:2";

class Pin : public program_test {
 protected:
  [[nodiscard]] outcome pin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "pin");
    return berth(std::move(arguments));
  }
  [[nodiscard]] json plan(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const auto end = pin(std::move(arguments));
    EXPECT_EQ(end.exit_code, 0) << end.err;
    auto parsed = json::parse(end.out, nullptr, false);
    EXPECT_TRUE(parsed.is_object()) << end.out;
    return parsed;
  }
  static std::vector<std::string> cpusets(const json& plan) {
    std::vector<std::string> all;
    for (const auto& task : plan["tasks"]) all.push_back(task["cpuset"]);
    return all;
  }
};

TEST_F(Pin, PrintsMachineTableAndReasons) {
  const auto end = pin({"-n", "2", "--topology", small});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(end.err, "");
  EXPECT_EQ(end.out,
            "package:2 numa:1 core:4 pu:2: 2 packages, 2 NUMA nodes, 8 cores, 16 PUs\n"
            "task  threads  cores  NUMA  memory  device  cpuset\n"
            "   0        4  0-3    0     -       -       0,2,4,6\n"
            "   1        4  4-7    1     -       -       8,10,12,14\n"
            "sets are cut between NUMA nodes: no task spans two; 8 hardware threads of used cores "
            "are free\n");
}

TEST_F(Pin, ExplainsEachReasonAndVariable) {
  const auto end = pin({"-n", "2", "--topology", "core:4 pu:1", "--explain"});
  EXPECT_THAT(end.out, AllOf(HasSubstr("\nenvironment: OMP_NUM_THREADS=2\n"),
                             HasSubstr("\nenvironment of task 0: OMP_PLACES={0"),
                             HasSubstr("\nenvironment of task 1: OMP_PLACES={2")));
  EXPECT_THAT(pin({"-n", "3", "--topology", "core:2 pu:1", "--explain"}).out,
              HasSubstr("\nplan: tasks 0,2 share CPUs with each other\n"));
}

TEST_F(Pin, PrintsTheDocumentedJson) {
  const auto made = plan({"-n", "2", "--topology", small, "auto,smt,mem=local"});
  EXPECT_THAT(cpusets(made), ElementsAre("0-7", "8-15"));
  const auto& task = made["tasks"][1];
  EXPECT_EQ(task["task"], 1);
  EXPECT_THAT(task["threads"].get<std::vector<int>>(), ElementsAre(8, 10, 12, 14, 9, 11, 13, 15));
  EXPECT_EQ(task["numa"], json::array({1}));
  EXPECT_EQ(task["cores"], json::array({4, 5, 6, 7}));
  EXPECT_EQ(task["memory"], (json{{"mode", "bind"}, {"nodes", {1}}}));
  EXPECT_TRUE(task["device"].is_null());
  EXPECT_EQ(task["pinned"], true);
  EXPECT_EQ(task["shared"], false);
  EXPECT_EQ(task["environment"]["OMP_NUM_THREADS"], "8");
  EXPECT_EQ(made["pin"], "auto,mem=local,smt");
  EXPECT_EQ(made["allowed"], "0-15");
  EXPECT_EQ(made["machine"]["cores"], 8);
  EXPECT_EQ(made["machine"]["memory"][1]["cpuset"], "8-15");
  EXPECT_EQ(made["explanation"].size(), 1U);
}

TEST_F(Pin, TakesMemoryOnlyFromTheNodesOfTheList) {
  const std::vector<std::string> call = {"--topology", small, "-n", "2", "mem=interleave"};
  EXPECT_EQ(plan(call)["tasks"][1]["memory"]["nodes"], json::array({1}));
  auto limited = plan({"--topology", small, "-n", "1", "mem=interleave", "--mem-list", "1"});
  EXPECT_EQ(limited["tasks"][0]["memory"]["nodes"], json::array({1}));
}

TEST_F(Pin, TellsWhatIsIdle) {
  const auto made = plan({"core", "-n", "2", "--topology", small, "--cpu-list", "0-5"});
  EXPECT_EQ(made["allowed"], "0-5");
  EXPECT_EQ(made["idle"], (json{{"cores", {2}}, {"cpuset", "4-5"}, {"siblings", "1,3"}}));
}

TEST_F(Pin, PlansForCapturedMachines) {
  const std::string folder = BERTH_TEST_DATA "/topologies/";
  const auto corona = plan({"-n", "8", "--topology", folder + "epyc-corona.xml"});
  EXPECT_THAT(cpusets(corona),
              ElementsAre("0-5", "6-11", "12-17", "18-23", "24-29", "30-35", "36-41", "42-47"));
  const auto tioga = plan({"-n", "2", "--topology", folder + "eas-tioga.xml", "device:gpu"});
  for (const auto& task : tioga["tasks"]) {
    EXPECT_EQ(task["device"]["kind"], "gpu");
    EXPECT_THAT(task["device"]["address"].get<std::string>(), StartsWith("0000:"));
  }
  const auto knl = plan({"--topology", folder + "64intel64-fakeKNL-SNC4-hybrid.xml", "mem=hbm"});
  EXPECT_EQ(knl["tasks"][0]["memory"]["mode"], "prefer");
  EXPECT_EQ(knl["machine"]["memory"].size(), 8U);
}

TEST_F(Pin, TakesThreadsFromTheOptionAlone) {
  const std::vector<std::string> call = {"pin", "-n", "1", "--topology", small, "--json"};
  const auto threads = [&](const outcome& end) {
    return json::parse(end.out)["tasks"][0]["threads"].size();
  };
  EXPECT_EQ(threads(berth(call, {"OMP_NUM_THREADS=3", "SLURM_CPUS_PER_TASK=3"})), 8U);
  auto with_option = call;
  with_option.insert(with_option.end(), {"-c", "3"});
  EXPECT_EQ(threads(berth(with_option)), 3U);
}

TEST_F(Pin, ReadsXmlFromStandardInput) {
  const auto xml = read_file(BERTH_TEST_DATA "/topologies/coral-lassen.xml", 1 << 24).value();
  const auto end = run({{BERTH_PROGRAM, "pin", "--topology", "-", "--json"}, environment(), xml});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_EQ(json::parse(end->out)["machine"]["pus"], 160);
  EXPECT_EQ(json::parse(end->out)["machine"]["name"], "standard input");
}

TEST_F(Pin, OnThisMachineUsesWhatTheCallerMay) {
  cpu_set_t mine;
  ASSERT_EQ(sched_getaffinity(0, sizeof mine, &mine), 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &mine)) cpus.push_back(cpu);
  }
  EXPECT_EQ(plan({})["allowed"], format_list(cpus));
  const auto last = std::to_string(cpus.back());
  const auto one =
      run({{"taskset", "-c", last, BERTH_PROGRAM, "pin", "--json"}, environment(), {}});
  ASSERT_TRUE(one);
  EXPECT_THAT(cpusets(json::parse(one->out)), ElementsAre(last));
}

TEST_F(Pin, PrintsOnlyTheTasksAskedFor) {
  const auto made = plan({"-n", "8", "--topology", small, "--task", "6", "--task", "1"});
  EXPECT_EQ(made["tasks"][0]["task"], 6);
  EXPECT_EQ(made["tasks"][1]["task"], 1);
  EXPECT_EQ(made["tasks"].size(), 2U);
}

TEST_F(Pin, WritesAPictureBesideTheTable) {
  write("plan.svg", "old");
  const auto end = pin({"-n", "2", "--topology", small, "--svg", path("plan.svg")});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("task  threads"));
  const auto picture = read_file(path("plan.svg"), 1 << 24).value();
  EXPECT_THAT(picture, AllOf(StartsWith("<?xml"), HasSubstr("data-pu=\"15\"")));
  EXPECT_THAT(left_behind(), ElementsAre("plan.svg"));
  struct stat info {};
  ASSERT_EQ(::stat(path("plan.svg").c_str(), &info), 0);
  const auto mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(info.st_mode & 0777U, 0666U & ~mask & 0644U);
  EXPECT_EQ(pin({"-n", "2", "--topology", small, "--svg", "-"}).out, picture);
}

TEST_F(Pin, LeavesNothingWhereAPictureCannotBeWritten) {
  const auto folder = pin({"--topology", small, "--svg", folder_});
  EXPECT_EQ(folder.exit_code, 1);
  EXPECT_THAT(folder.err, HasSubstr("is not a regular file"));
  const auto missing = pin({"--topology", small, "--svg", path("no/plan.svg")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("No such file or directory"));
  EXPECT_THAT(left_behind(), testing::IsEmpty());
}

TEST_F(Pin, ReplacesNoDeviceOrPipe) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto end = pin({"--topology", small, "--svg", path("pipe")});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.err, HasSubstr("is not a regular file; --svg - writes to standard output"));
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
  EXPECT_THAT(left_behind(), ElementsAre("pipe"));
}

TEST_F(Pin, NamesWhatIsWrongInOneLine) {
  const std::pair<std::vector<std::string>, const char*> calls[] = {
      {{"-n", "0"}, "0 tasks"},
      {{"-n", "x"}, "--ntasks"},
      {{"-n", "2", "-c", "0"}, "0 threads"},
      {{"hexagon"}, "\"hexagon\""},
      {{"auto", "--pin", "core"}, "--pin"},
      {{"--topology", path("absent.xml")}, "No such file or directory"},
      {{"--topology", write("text.xml", "hello")}, "lstopo"},
      {{"--topology", "hello"}, "synthetic notation"},
      {{"--topology", small, "--cpu-list", "0,99"}, "99"},
      {{"--topology", small, "--cpu-list", "a-b"}, "--cpu-list"},
      {{"--topology", small, "--mem-list", "x"}, "--mem-list"},
      {{"--topology", small, "--mem-list", "1,7"}, "no NUMA node 7; it has 0-1"},
      {{"--topology", small, "-n", "4", "--task", "4"}, "the tasks of the node are 0 to 3"},
      {{"--topology", small, "--svg", "-", "--json"}, "standard output"},
  };
  for (const auto& [arguments, message] : calls) {
    const auto end = pin(arguments);
    EXPECT_EQ(end.exit_code, 2) << message;
    EXPECT_EQ(end.out, "") << message;
    EXPECT_THAT(end.err, AllOf(StartsWith("berth: error: "), HasSubstr(message)));
    EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
  }
}

TEST_F(Pin, IsColouredOnATerminalOnly) {
  const auto on_terminal = [&](const std::string& variable) {
    const auto call = fmt::format("{} {} pin --topology pu:1", variable, BERTH_PROGRAM);
    const auto end = run({{"script", "-qec", call, "/dev/null"}, environment(), {}});
    EXPECT_TRUE(end);
    return end ? end->out : "";
  };
  EXPECT_THAT(on_terminal("NO_COLOR="), HasSubstr("\033[1m"));
  EXPECT_THAT(on_terminal("NO_COLOR=1"), Not(HasSubstr("\033")));
  EXPECT_THAT(pin({"--topology", "pu:1"}).out, Not(HasSubstr("\033")));
}

/// Commands of the examples without what they are piped into.
std::vector<std::string> commands_in(const std::string& text) {
  static const std::regex form("(berth pin [^\n`|]*?)(  +[a-z][^\n`]*)?[\n`|]");
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), form), end; at != end; ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

// In a folder that has the captured node7.xml, as the examples assume.
TEST_F(Pin, ExamplesOfHelpManualAndReadmeWork) {
  fs::copy(BERTH_TEST_DATA "/topologies/epyc-corona.xml", path("node7.xml"));
  const auto program = fs::path(BERTH_PROGRAM).parent_path().string();
  const auto man =
      run_ok({{"mandoc", "-T", "markdown", BERTH_MAN_FOLDER "/berth-pin.1"}, environment(), {}});
  ASSERT_TRUE(man) << man.error().text();
  const auto manual =
      std::regex_replace(man->substr(man->find("# EXAMPLES")), std::regex("\\\\"), "");
  const auto readme = read_file(BERTH_README, 1 << 20).value();
  auto help = pin({"--help"}).out;
  help.erase(0, help.find("Examples:"));
  std::size_t run_so_far = 0;
  for (const auto& text : {help, manual, readme}) {
    for (const auto& command : commands_in(text)) {
      const auto script =
          fmt::format("cd {} && PATH={}:$PATH && {}", folder_.string(), program, command);
      const auto end = run({{"bash", "-c", script}, environment(), {}});
      ASSERT_TRUE(end);
      EXPECT_EQ(end->exit_code, 0) << command << "\n" << end->err;
      EXPECT_THAT(end->out, Not(testing::IsEmpty())) << command;
      ++run_so_far;
    }
  }
  EXPECT_GE(run_so_far, 9U);
}

}  // namespace
}  // namespace berth::cli
