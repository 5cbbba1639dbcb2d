#pragma once
// Commands that run in turn, so that whatever else the machine does hits all of them alike.

#include <functional>
#include <string>
#include <vector>

namespace berth::bench {

/// The words of an environment variable such as BERTH_TEST_LOGIN.
std::vector<std::string> words(const char* variable);

/// Runs a command behind the words of `prefix` and returns its output; ends the program where it
/// fails.
std::string must_run(const char* prefix, const std::vector<std::string>& arguments);

double median(std::vector<double> values);

struct contestant {
  std::string name;
  std::vector<std::string> command;
  std::vector<double> figures = {};
  std::function<void()> prepare = {};  ///< before each turn, not measured
};

/// Lets each have its turn, `rounds` times; `measure` runs the command and tells a figure.
void compete(std::vector<contestant>& field, std::size_t rounds,
             const std::function<double(const std::vector<std::string>&)>& measure);

/// Milliseconds that a command takes on the login node.
double milliseconds_of(const std::vector<std::string>& command);

}  // namespace berth::bench
