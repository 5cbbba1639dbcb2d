#include "cluster.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <iterator>
#include <optional>
#include <regex>
#include <stdexcept>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t probe_limit = std::size_t{64} << 20;
constexpr const char* tools =
    "bash cat dd env getconf grep head id kill ls pwd readlink sh sleep stat timeout touch true "
    "tty";

std::optional<words> prefix(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return std::nullopt;
  auto parts = split(value, ' ');
  std::erase(parts, "");
  return parts;
}

outcome execute(words argv, const std::string& input = {}) {
  auto end = run({std::move(argv), current_environment(), input});
  if (end) return std::move(*end);
  return {.exit_code = -1, .out = {}, .err = end.error().text()};
}

words prefixed(const char* variable, const words& more) {
  auto argv = prefix(variable).value_or(words{});
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

// Preparing must work: without it no test says anything.
std::string must(const outcome& end, const std::string& what) {
  if (end.exit_code != 0) throw std::runtime_error(what + ": " + end.err);
  return line(end.out);
}

outcome on_login(const std::string& script, const std::string& input = {}) {
  return execute(prefixed("BERTH_TEST_LOGIN", {"bash", "-c", script}), input);
}

std::string make_folder() {
  return must(on_login("mktemp -d ~/berth-test-XXXXXX"), "cannot make a folder");
}

std::string make_own_image() {
  put_program("probe", BERTH_TEST_PROBE);
  must(shell(fmt::format("berth pack ./probe {} -o own.sqsh", tools)), "cannot pack an image");
  return folder() + "/own.sqsh";
}

std::string trusted_path() {
  return "/srv/images/" + folder().substr(folder().rfind('/') + 1) + ".sqsh";
}

std::string make_trusted_image() {
  const auto path = trusted_path();
  must(root_on("login", fmt::format("install -m 644 {} {}", own_image(), path)),
       "cannot install a trusted image");
  return path;
}

// srun says that it waits where the nodes of the step before are still being cleaned: that is no
// part of what a test looks at.
outcome without_queue(outcome end) {
  static const std::regex waits(
      "srun: job [0-9]+ (queued and waiting for resources|has been allocated resources)\n");
  end.err = std::regex_replace(end.err, waits, "");
  return end;
}

// Removes what the program left on the cluster.
class leftovers : public ::testing::Environment {
 public:
  void TearDown() override {
    if (!prefix("BERTH_TEST_LOGIN")) return;
    if (prefix("BERTH_TEST_LAB")) root_on("login", "rm -f " + trusted_path());
    on_login(fmt::format("chmod -R u+rwX {0}; rm -rf {0}", folder()));
  }
};

const auto* const registered = ::testing::AddGlobalTestEnvironment(new leftovers);

}  // namespace

outcome login(const words& command, const std::string& input) {
  words inside{"bash", "-c", "cd \"$0\" && exec \"$@\"", folder()};
  inside.insert(inside.end(), command.begin(), command.end());
  return without_queue(execute(prefixed("BERTH_TEST_LOGIN", inside), input));
}

outcome shell(const std::string& script, const std::string& input) {
  return login({"bash", "-c", script}, input);
}

outcome root_on(const std::string& node, const std::string& script) {
  return execute(prefixed("BERTH_TEST_LAB", {"run", "--user", "root", "--node", node, "--chdir",
                                             "/", "bash", "-c", script}));
}

outcome another_user(const std::string& script) {
  return without_queue(execute(prefixed(
      "BERTH_TEST_LAB", {"run", "--user", "bob", "--chdir", "/tmp", "bash", "-c", script})));
}

const std::string& folder() {
  static const auto path = make_folder();
  return path;
}

const std::string& own_image() {
  static const auto path = make_own_image();
  return path;
}

const std::string& trusted_image() {
  static const auto path = make_trusted_image();
  return path;
}

void put_program(const std::string& name, const std::string& built) {
  const auto bytes = read_file(built, probe_limit);
  if (!bytes) throw std::runtime_error(bytes.error().text());
  must(shell(fmt::format("rm -f {0}; cat >{0} && chmod +x {0}", name), *bytes),
       "cannot copy " + name);
}

changed_node::changed_node(std::string node, const std::string& change, std::string undo)
    : node_(std::move(node)), undo_(std::move(undo)) {
  const auto end = root_on(node_, change);
  EXPECT_EQ(end.exit_code, 0) << end.err;
}

changed_node::~changed_node() {
  const auto end = root_on(node_, undo_);
  EXPECT_EQ(end.exit_code, 0) << end.err;
}

changed_node covered(const std::string& node, const std::string& file, const std::string& with) {
  return {node,
          "cat >/run/berth-cover <<'END'\n" + with +
              "\nEND\nchmod 755 /run/berth-cover; mount --bind /run/berth-cover " + file,
          "umount " + file};
}

bool comes_true(const std::function<bool()>& condition, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

words our_lines(const outcome& end) {
  auto told = split(end.err, '\n');
  std::erase_if(told, [](const auto& one) { return one.find("berth: ") == std::string::npos; });
  return told;
}

std::string line(const std::string& text) {
  return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
}

void ClusterTest::SetUp() {
  if (!prefix("BERTH_TEST_LOGIN")) {
    GTEST_SKIP() << "BERTH_TEST_LOGIN names no cluster: run tests/run, or set it (see cluster.hpp)";
  }
  own_image();
  // Without a cgroup of Slurm's a test of what they do proves nothing.
  if (std::getenv("BERTH_TEST_CGROUPS") == nullptr) return;
  const auto end = shell("srun -N1 cat /proc/self/cgroup");
  ASSERT_TRUE(std::regex_search(end.out, std::regex("/job_[0-9]+/")))
      << "this Slurm has no cgroup for a job: lab up --cgroup v1\n"
      << end.out << end.err;
}

void LabTest::SetUp() {
  ClusterTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  if (!prefix("BERTH_TEST_LAB")) {
    GTEST_SKIP() << "BERTH_TEST_LAB names no lab, and this needs root on the nodes: run tests/run";
  }
}

}  // namespace berth::test
