// What a container adds to the start of a step, where the numbers to reach are: the same command
// bare and in containers, in turn, so that whatever else the machine does hits all alike. Every
// step is one of the same job, so that nothing waits for the scheduler. Prints medians; asserts
// nothing.
//
//   first  the image is mounted nowhere on the node: what earlier steps kept is dropped before
//   next   an earlier step of the job, not measured, has just used the image
//
// Guess: what the kernel needs for a loop device, squashfs, overlay, binds and the change of the
// root is 4.5 ms, a cold `true` 16 ms; with the image mounted already 3.9 ms. Starting the helper,
// reading the site file and forking FUSE come on top: first 15, next 5, FUSE first 20, each task
// 0.1 ms.
//
//   BERTH_TEST_LOGIN="lab run" BERTH_TEST_LAB="lab" start_bench [ROUNDS [MEGABYTES...]]

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "contest.hpp"

namespace {

using namespace berth;
using namespace berth::bench;

std::string on_login(const std::string& script) {
  return std::string(trim(must_run("BERTH_TEST_LOGIN", {"bash", "-c", script})));
}

void as_root(const std::string& node, const std::string& script) {
  must_run("BERTH_TEST_LAB",
           {"run", "--user", "root", "--node", node, "--chdir", "/", "bash", "-c", script});
}

// How many tasks on how many nodes, and what that may add over one task.
struct shape {
  std::string name;
  std::vector<std::string> options;
  double allowance;
  int tasks;
};

const std::vector<shape> shapes{{"1 task", {"-N1", "-n1", "-w", "n1"}, 0, 1},
                                {"8 tasks", {"-N1", "-n8", "-w", "n1"}, 5, 8},
                                {"64 tasks", {"-N1", "-n64", "-w", "n1"}, 5, 64},
                                {"2 nodes", {"-N2", "-n2", "-w", "n1,n2"}, 0, 1},
                                {"4 nodes", {"-N4", "-n4"}, 0, 1}};

struct images {
  std::string own;
  std::string trusted;
};

// Files that cannot be compressed make up the size: what a start reads of an image is not more.
images make_images(const std::string& megabytes) {
  const auto name = fmt::format("bench-{}.sqsh", megabytes);
  const auto own = on_login(fmt::format(
      "cd && umask 022 && berth pack --no-mpi --force true -o {0} >/dev/null && mkdir -p filler && "
      "head -c {1}M /dev/urandom >filler/filler && mksquashfs filler {0} -no-progress -quiet "
      ">/dev/null && rm -r filler && pwd",
      name, megabytes));
  must_run("BERTH_TEST_LAB",
           {"run", "--user", "root", "install", "-m", "644", own + '/' + name, "/srv/images/"});
  return {own + '/' + name, "/srv/images/" + name};
}

class contest {
 public:
  explicit contest(std::string job) : job_(std::move(job)) {}

  void add(const shape& how, const std::string& name, const std::string& image, bool first,
           double aim) {
    contestant who{name, step(how, image)};
    if (first) {
      who.prepare = [] {
        for (const auto* node : {"n1", "n2", "n3", "n4"}) {
          as_root(node, "umount -l /run/berth/kept/ns 2>/dev/null; true");
        }
      };
    } else if (!image.empty()) {
      who.prepare = [command = who.command] { must_run("BERTH_TEST_LOGIN", command); };
    }
    field_.push_back(std::move(who));
    about_.push_back({&how, aim});
  }

  void run(std::size_t rounds) {
    compete(field_, rounds, milliseconds_of);
    fmt::print("{:<10} {:<22} {:>10} {:>8} {:>8}\n", "", "", "median ms", "adds ms", "aim ms");
    double bare = 0;
    std::vector<std::pair<int, double>> added;  // by the next step, for so many tasks
    for (std::size_t i = 0; i < field_.size(); ++i) {
      const auto middle = median(field_[i].figures);
      const bool is_bare = field_[i].name == "bare";
      if (is_bare) bare = middle;
      if (field_[i].name.starts_with("kernel next")) {
        added.emplace_back(about_[i].how->tasks, middle - bare);
      }
      fmt::print("{:<10} {:<22} {:>10.1f} {:>8} {:>8}\n", about_[i].how->name, field_[i].name,
                 middle, is_bare ? "" : fmt::format("{:.1f}", middle - bare),
                 is_bare ? "" : fmt::format("{:.0f}", about_[i].aim + about_[i].how->allowance));
    }
    const auto [most, least] = std::minmax_element(
        added.begin(), added.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    fmt::print("each task more adds {:.2f} ms (aim: 0.2)\n",
               (most->second - least->second) / (most->first - least->first));
  }

 private:
  struct subject {
    const shape* how;
    double aim;
  };
  [[nodiscard]] std::vector<std::string> step(const shape& how, const std::string& image) const {
    std::vector<std::string> command{"srun", "--overlap", "--overcommit", "--jobid", job_};
    command.insert(command.end(), how.options.begin(), how.options.end());
    if (!image.empty()) command.push_back("--container=" + image);
    command.emplace_back("true");
    return command;
  }
  std::string job_;
  std::vector<contestant> field_;
  std::vector<subject> about_;
};

constexpr double first_aim = 18;
constexpr double next_aim = 5;
constexpr double fuse_aim = 25;

void enter(contest& all, const shape& how, const images& of, const std::string& megabytes) {
  const auto name = [&](const char* what) { return fmt::format("{}, {} MB", what, megabytes); };
  all.add(how, name("kernel first"), of.trusted, true, first_aim);
  all.add(how, name("kernel next"), of.trusted, false, next_aim);
  all.add(how, name("FUSE first"), of.own, true, fuse_aim);
  all.add(how, name("FUSE next"), of.own, false, next_aim);
}

}  // namespace

int main(int argc, char** argv) {
  const auto rounds = parse_unsigned(argc > 1 ? argv[1] : "11").value_or(11);
  std::vector<std::string> sizes(argv + std::min(argc, 2), argv + argc);
  if (sizes.empty()) sizes = {"110", "1500"};
  std::vector<images> made;
  for (const auto& size : sizes) made.push_back(make_images(size));
  const auto job = on_login("salloc -Q --no-shell -N4 --exclusive; squeue -h -o %i --me | tail -1");
  contest all(job);
  for (const auto& how : shapes) {
    all.add(how, "bare", "", false, 0);
    // The size is asked about once: nothing that comes after the mount depends on it.
    const std::size_t used = how.name == "1 task" ? made.size() : 1;
    for (std::size_t i = 0; i < used; ++i) enter(all, how, made[i], sizes[i]);
  }
  all.run(rounds);
  on_login("scancel " + job + "; cd && rm -f bench-*.sqsh");
  must_run("BERTH_TEST_LAB", {"run", "--user", "root", "bash", "-c", "rm -f /srv/images/bench-*"});
}
