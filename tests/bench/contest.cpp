#include "contest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "base/subprocess.hpp"

namespace berth::bench {

std::vector<std::string> words(const char* variable) {
  const char* value = std::getenv(variable);
  std::istringstream text(value == nullptr ? "" : value);
  return {std::istream_iterator<std::string>(text), {}};
}

std::string must_run(const char* prefix, const std::vector<std::string>& arguments) {
  auto argv = words(prefix);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto end = run({argv, current_environment(), ""});
  if (!end || end->exit_code != 0) {
    fmt::print(stderr, "error: {}: {}\n", fmt::join(argv, " "),
               end ? end->err : end.error().text());
    std::exit(1);
  }
  return std::move(end->out);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compete(std::vector<contestant>& field, std::size_t rounds,
             const std::function<double(const std::vector<std::string>&)>& measure) {
  for (std::size_t round = 0; round < rounds; ++round) {
    for (auto& who : field) {
      if (who.prepare) who.prepare();
      who.figures.push_back(measure(who.command));
    }
  }
}

double milliseconds_of(const std::vector<std::string>& command) {
  const auto begin = std::chrono::steady_clock::now();
  must_run("BERTH_TEST_LOGIN", command);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  return spent.count();
}

}  // namespace berth::bench
