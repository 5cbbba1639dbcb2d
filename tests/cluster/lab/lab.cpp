#include "lab.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "machine.hpp"

namespace berth::test {

namespace {

std::string new_folder() {
  std::string pattern = "/tmp/berth-lab-test-XXXXXX";
  return ::mkdtemp(pattern.data()) == nullptr ? std::string{} : pattern;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  std::transform(texts.begin(), texts.end(), std::back_inserter(result),
                 [](std::string& text) { return text.data(); });
  result.push_back(nullptr);
  return result;
}

}  // namespace

lab::lab(std::string name)
    : name_(std::move(name)), root_(new_folder()), folder_(root_ + "/" + name_) {}

lab::~lab() {
  static_cast<void>(call({"down", "--purge"}));
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

command lab::prepare(const std::vector<std::string>& arguments) const {
  command what;
  what.argv = {BERTH_LAB_PROGRAM, "--name", name_};
  what.argv.insert(what.argv.end(), arguments.begin(), arguments.end());
  what.env = current_environment();
  // A site's own tree has no business in a bare lab.
  std::erase_if(what.env, [](const std::string& one) { return one.starts_with("BERTH_LAB"); });
  what.env.push_back("BERTH_LAB_STATE=" + root_);
  return what;
}

outcome lab::call(const std::vector<std::string>& arguments) const {
  auto result = run(prepare(arguments));
  if (!result) return {.exit_code = -1, .out = {}, .err = "cannot run the lab program"};
  return std::move(*result);
}

pid_t lab::start(const std::vector<std::string>& arguments) const {
  command what = prepare(arguments);
  auto argv = pointers(what.argv);
  auto env = pointers(what.env);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  }
  pid_t child = -1;
  const int failed = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

outcome lab::shell(const std::string& script, const std::vector<std::string>& options) const {
  std::vector<std::string> arguments = {"run"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {"sh", "-c", script});
  return call(arguments);
}

std::map<std::string, pid_t> lab::holders() const {
  std::map<std::string, pid_t> found;
  for (const pid_t process : processes()) {
    const auto arguments = arguments_of(process);
    if (arguments.size() == 4 && arguments[0] == "bash" && arguments[1].ends_with("/node.sh") &&
        arguments[2] == folder_) {
      found[arguments[3]] = process;
    }
  }
  return found;
}

}  // namespace berth::test
