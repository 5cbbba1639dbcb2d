#include "nist_data.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace berth::apps {

namespace {

bool is_parameter(const std::string& word) {
  return word.size() >= 2 && word[0] == 'B' &&
         word.find_first_not_of("0123456789", 1) == std::string::npos;
}

// A line of the section of certified values.
void read_certified(nist_set& set, std::istringstream& words, const std::string& first) {
  if (is_parameter(first)) {
    double estimate = 0;
    double deviation = 0;
    words >> estimate >> deviation;
    set.intercept = set.intercept && (first == "B0" || !set.estimates.empty());
    set.estimates.push_back(estimate);
    set.deviations.push_back(deviation);
  } else if (first == "Standard") {
    std::string second;
    double value = 0;
    if (words >> second >> value && second == "Deviation") set.residual_deviation = value;
  } else if (first == "R-Squared") {
    words >> set.r_squared;
  }
}

}  // namespace

nist_set read_nist(const std::string& name) {
  std::ifstream file(BERTH_TEST_DATA "/nist/" + name + ".dat");
  if (!file) throw std::runtime_error("no NIST set " + name);
  nist_set set;
  set.name = name;
  bool in_data = false;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    if (!(words >> first)) continue;
    if (in_data) {
      set.y.push_back(std::stod(first));
      std::vector<double> given;
      for (double value = 0; words >> value;) given.push_back(value);
      const std::size_t powers = set.estimates.size() - (set.intercept ? 1 : 0);
      double power = given.at(0);
      while (given.size() < powers) given.push_back(power *= given[0]);
      set.x.insert(set.x.end(), given.begin(), given.end());
      set.features = given.size();
    } else {
      std::string second;
      in_data = first == "Data:" && words >> second && second == "y";
      if (!in_data) read_certified(set, words, first);
    }
  }
  return set;
}

double shared_digits(double got, double certified) {
  constexpr double most = 15;
  const double error = std::abs(got - certified) / (certified == 0 ? 1 : std::abs(certified));
  if (error == 0) return most;
  return std::isnan(error) ? 0 : std::clamp(-std::log10(error), 0.0, most);
}

double shared_digits(const std::vector<double>& got, const std::vector<double>& certified) {
  double fewest = got.size() == certified.size() ? 15 : 0;
  for (std::size_t i = 0; i < std::min(got.size(), certified.size()); ++i) {
    fewest = std::min(fewest, shared_digits(got[i], certified[i]));
  }
  return fewest;
}

}  // namespace berth::apps
