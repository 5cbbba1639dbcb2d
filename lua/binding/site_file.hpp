#pragma once
// A site file, evaluated in this very process. For the child of site_process, and for tests:
// whoever is root uses site_process.

#include <string>
#include <vector>

#include "binding/convert.hpp"
#include "binding/state.hpp"
#include "site/config.hpp"

namespace berth::lua {

class site_file {
 public:
  /// Evaluates `source`; `path` appears in messages only. On failure `problems` has one line of
  /// text, "PATH:LINE: ...", for each thing that is wrong, and the error repeats the first.
  static result<site_file> evaluate(const std::string& path, const std::string& source,
                                    std::vector<std::string>& problems);

  [[nodiscard]] const site::config& config() const noexcept { return values_.rules; }
  [[nodiscard]] const origins& from() const noexcept { return values_.from; }

  /// Asks the policy function. @pre config().has_admit
  /// Errors: the function raises one, exceeds its limits, or returns what is not a decision.
  result<site::decision> admit(const site::job_facts& job, const site::image_facts& image);

 private:
  explicit site_file(state fresh) : lua_(std::move(fresh)) {}
  result<void> run(const std::string& source);
  [[nodiscard]] std::vector<std::string> problem_lines() const;

  state lua_;
  conversion values_;
  int admit_reference_ = 0;
};

}  // namespace berth::lua
