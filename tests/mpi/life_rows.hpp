#pragma once
// Rows of tables as lines of CSV, the target first.

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace berth::apps {

inline std::vector<std::string> longley() {
  std::vector<std::string> rows;
  std::ifstream file(BERTH_TEST_DATA "/nist/Longley.dat");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (number < 61) continue;
    std::istringstream words(line);
    std::string row;
    for (std::string word; words >> word;) row += (row.empty() ? "" : ",") + word;
    if (!row.empty()) rows.push_back(row);
  }
  return rows;
}

inline constexpr const char* longley_names = "y,x1,x2,x3,x4,x5,x6";

// Columns that differ in their seventh digit.
inline std::vector<std::string> ill_conditioned(std::size_t count) {
  std::mt19937_64 bits(7);
  std::normal_distribution<double> normal;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const double a = normal(bits);
    const double b = a + 1e-7 * normal(bits);
    const double c = 1e5 + normal(bits);
    std::ostringstream row;
    row.precision(17);
    row << 3 + 2 * a - b + c + 0.1 * normal(bits) << "," << a << "," << b << "," << c;
    rows.push_back(row.str());
  }
  return rows;
}

// The last column holds weights.
inline std::vector<std::string> well_conditioned(std::size_t count) {
  std::mt19937_64 bits(11);
  std::normal_distribution<double> normal;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const double a = normal(bits);
    const double b = 3 + a + normal(bits);
    const double c = 10 * normal(bits);
    std::ostringstream row;
    row.precision(17);
    row << 2 * a - b + 0.01 * c + normal(bits) << "," << a << "," << b << "," << c << ","
        << 1 + i % 5;
    rows.push_back(row.str());
  }
  return rows;
}

}  // namespace berth::apps
