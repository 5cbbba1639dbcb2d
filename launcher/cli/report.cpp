#include "cli/report.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace berth::cli {

int report(const error& what, int exit_code) {
  fmt::print(stderr, "berth: error: {}\n", what.text());
  return exit_code;
}

}  // namespace berth::cli
