// A hundred steps, twenty of them with SIGKILL to one of their processes at a random moment:
// nothing stays behind on any node, and no node is taken out of service.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "base/text.hpp"
#include "cluster.hpp"
#include "lab/machine.hpp"

namespace berth::test {
namespace {

using ::testing::IsEmpty;

constexpr int steps = 100;
constexpr int workers = 6;
constexpr int kills_of_each = 5;
constexpr unsigned seed = 20220508;
constexpr std::chrono::seconds patience{30};

class Leftovers : public LabTest {};

struct kind {
  const char* name;
  bool (*matches)(const words& argv);
};

bool runs(const words& argv, const char* program) {
  return !argv.empty() && std::filesystem::path(argv[0]).filename() == program;
}

constexpr std::array kinds{
    kind{"srun", [](const words& argv) { return runs(argv, "srun"); }},
    kind{"slurmstepd",
         [](const words& argv) {
           // "slurmstepd: [JOB.STEP]"; the keeper of a job is not a step of ours.
           return !argv.empty() && argv[0].starts_with("slurmstepd: [") &&
                  argv[0].find(".extern") == std::string::npos;
         }},
    kind{"helper", [](const words& argv) { return runs(argv, "berth-node"); }},
    kind{"FUSE server", [](const words& argv) { return runs(argv, "berth-squashfuse"); }},
};

words nodes() {
  return split(line(shell("sinfo -h -N -o %n | sort -u").out), '\n');
}

std::string pid_namespace(const std::string& node) {
  return line(root_on(node, "readlink /proc/self/ns/pid").out);
}

// Processes of the given namespaces, by id.
std::map<pid_t, words> processes_of(const std::set<std::string>& namespaces) {
  std::map<pid_t, words> found;
  for (const auto process : processes()) {
    std::error_code gone;
    const auto link =
        std::filesystem::read_symlink("/proc/" + std::to_string(process) + "/ns/pid", gone);
    if (!gone && namespaces.contains(link.string())) found[process] = arguments_of(process);
  }
  return found;
}

// What a step could leave on a node: its mounts, and folders of MPI.
std::set<std::string> traces(const std::string& node) {
  const auto lines = split(root_on(node,
                                   "cut -d' ' -f4,5,9- /proc/1/mountinfo; ls -d /tmp/* /dev/shm/* "
                                   "/var/spool/slurmd/pmix* /run/berth* 2>/dev/null")
                               .out,
                           '\n');
  return {lines.begin(), lines.end()};
}

std::map<std::string, std::set<std::string>> all_traces(const words& of) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& node : of) found[node] = traces(node);
  return found;
}

// What is new on any node, but for the folders that slurmstepd itself makes and can only remove
// while it lives.
words new_traces(const words& of, const std::map<std::string, std::set<std::string>>& before,
                 const std::set<std::string>& killed_steps) {
  words found;
  for (const auto& [node, now] : all_traces(of)) {
    for (const auto& one : now) {
      const auto of_killed = [&](const std::string& step) {
        return one == "/var/spool/slurmd/pmix." + step ||
               (one.starts_with("/tmp/spmix_appdir_") && one.ends_with('_' + step));
      };
      if (before.at(node).contains(one) ||
          std::any_of(killed_steps.begin(), killed_steps.end(), of_killed)) {
        continue;
      }
      found.push_back(node + ": " + one);
    }
  }
  return found;
}

class allocation {
 public:
  allocation() {
    const auto end = shell(
        "salloc --no-shell -N4 --exclusive 2>&1 | grep -o '[0-9]*$' | tail -1; "
        "squeue -h -o %i --me");
    id_ = split(end.out, '\n').front();
  }
  ~allocation() { login({"scancel", id_}); }
  allocation(const allocation&) = delete;
  allocation& operator=(const allocation&) = delete;
  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  std::string id_;
};

// "151.4" of "slurmstepd: [151.4]".
std::string step_of(const std::string& title) {
  const auto begin = title.find('[') + 1;
  return title.substr(begin, title.find(']') - begin);
}

// Ends one random process of a kind, at a random moment of its life. Returns its first argument.
std::optional<std::string> kill_one(const kind& victim, const std::set<std::string>& namespaces,
                                    std::mt19937& random) {
  std::vector<std::pair<pid_t, std::string>> candidates;
  for (const auto& [process, argv] : processes_of(namespaces)) {
    if (victim.matches(argv)) candidates.emplace_back(process, argv[0]);
  }
  if (candidates.empty()) return std::nullopt;
  const auto& [process, name] = candidates[random() % candidates.size()];
  // A helper lives for some ten milliseconds only.
  std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
  if (::kill(process, SIGKILL) != 0) return std::nullopt;
  return name;
}

struct tally {
  std::atomic<int> started{0};
  std::atomic<int> failed{0};
  std::atomic<int> hung{0};
  std::atomic<bool> enough{false};
};

void run_steps(const std::string& job, unsigned number, tally& counts) {
  std::mt19937 random(seed + number);
  constexpr int hangs = 124;  // of timeout(1)
  while (counts.started < steps || !counts.enough) {
    ++counts.started;
    const auto& image = random() % 3 == 0 ? trusted_image() : own_image();
    const std::string shape = random() % 2 == 0 ? "-N2 -n2" : "-N1 -n2";
    const auto end = shell("timeout 15 srun --overlap --jobid=" + job + ' ' + shape +
                           " --container=" + image + " sleep 0." + std::to_string(random() % 4));
    if (end.exit_code != 0) ++counts.failed;
    if (end.exit_code == hangs) ++counts.hung;
  }
}

struct killings {
  std::map<std::string, int> by_kind;
  std::set<std::string> steps;  // whose slurmstepd was killed
};

// Kills until every kind has had its share.
killings kill_at_random(const std::set<std::string>& namespaces) {
  std::mt19937 random(seed);
  killings done;
  const auto deadline = std::chrono::steady_clock::now() + 2 * patience;
  for (std::size_t turn = 0; turn < kinds.size() * kills_of_each;) {
    if (std::chrono::steady_clock::now() > deadline) break;
    const auto& victim = kinds[turn % kinds.size()];
    const auto killed = kill_one(victim, namespaces, random);
    if (!killed) continue;
    ++done.by_kind[victim.name];
    ++turn;
    if (killed->find('[') == std::string::npos) continue;
    done.steps.insert(step_of(*killed));
  }
  return done;
}

std::vector<std::string> loops_of_images() {
  std::vector<std::string> found;
  for (const auto& file : loop_files()) {
    if (file.find(trusted_image()) != std::string::npos) found.push_back(file);
  }
  return found;
}

bool is_payload(const words& argv) {
  return runs(argv, "sleep") && argv.size() == 2 && argv[1].starts_with("0.");
}

// Processes of a step that are still there, by command line.
words remains(const std::set<std::string>& namespaces) {
  words found;
  for (const auto& entry : processes_of(namespaces)) {
    const auto& [process, argv] = entry;
    const auto ours = [&entry](const kind& one) { return one.matches(entry.second); };
    if (std::any_of(kinds.begin(), kinds.end(), ours) || is_payload(argv)) {
      found.push_back(std::to_string(process) + ' ' + argv[0]);
    }
  }
  return found;
}

TEST_F(Leftovers, AHundredStepsAndTwentyKillsLeaveNothing) {
  trusted_image();
  const auto compute = nodes();
  std::set<std::string> namespaces{pid_namespace("login")};
  for (const auto& node : compute) namespaces.insert(pid_namespace(node));
  // The first step on a node keeps its topology and a place for mounts there for all others.
  const auto first = "srun -N" + std::to_string(compute.size()) +
                     " --pin=auto --container=" + trusted_image() + " true";
  ASSERT_EQ(shell(first).exit_code, 0);
  const auto before = all_traces(compute);
  tally counts;
  killings killed;
  {
    const allocation job;
    ASSERT_TRUE(parse_unsigned(job.id())) << job.id();
    std::vector<std::thread> running;
    for (unsigned i = 1; i <= workers; ++i) {
      running.emplace_back([&, i] { run_steps(job.id(), i, counts); });
    }
    killed = kill_at_random(namespaces);
    counts.enough = true;
    for (auto& worker : running) worker.join();
  }
  for (const auto& one : kinds) EXPECT_EQ(killed.by_kind[one.name], kills_of_each) << one.name;
  EXPECT_GE(counts.started, steps);
  // srun waits for a slurmstepd that was killed, with a container as without.
  EXPECT_LE(counts.hung, static_cast<int>(killed.steps.size()));
  EXPECT_GT(counts.failed, 0) << "no kill hit a step";
  EXPECT_LE(counts.failed, static_cast<int>(kinds.size()) * kills_of_each);
  EXPECT_TRUE(comes_true([] { return shell("squeue -h").out.empty(); }, patience))
      << shell("squeue -s; squeue").out;
  EXPECT_TRUE(comes_true([&] { return remains(namespaces).empty(); }, patience));
  EXPECT_THAT(remains(namespaces), IsEmpty());
  // A trusted image stays mounted for the next step on the node, once on each.
  EXPECT_TRUE(comes_true([&] { return loops_of_images().size() <= compute.size(); }, patience));
  EXPECT_THAT(new_traces(compute, before, killed.steps), IsEmpty());
  for (const auto& node : compute) root_on(node, "umount -l /run/berth/kept/ns");
  EXPECT_TRUE(comes_true([] { return loops_of_images().empty(); }, patience));
  EXPECT_THAT(loops_of_images(), IsEmpty());
  EXPECT_EQ(shell("sinfo -h -N -o %T | sort -u").out, "idle\n") << shell("sinfo -R").out;
}

}  // namespace
}  // namespace berth::test
