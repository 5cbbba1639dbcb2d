#include "program_runner.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdlib>
#include <sstream>

namespace berth::apps {

namespace {

// For the shell; no argument here holds a single quote.
std::string quoted(const std::string& text) {
  return fmt::format("'{}'", text);
}

std::string take(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  return text.str();
}

}  // namespace

outcome run_program(const temporary_folder& folder, const std::vector<std::string>& arguments,
                    int ranks) {
  std::string command = fmt::format("cd {} && ", quoted(folder.file("")));
  if (ranks > 0) {
    command += fmt::format("{} --oversubscribe --allow-run-as-root -n {}", BERTH_MPIRUN, ranks);
  }
  for (const auto& argument : arguments) command += fmt::format(" {}", quoted(argument));
  const auto out = folder.file(".stdout");
  const auto err = folder.file(".stderr");
  command += fmt::format(" >{} 2>{} </dev/null", quoted(out), quoted(err));
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), take(out), take(err)};
}

std::vector<std::string> lines_with(const std::string& text, const std::string& prefix) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) found.push_back(line);
  }
  return found;
}

}  // namespace berth::apps
