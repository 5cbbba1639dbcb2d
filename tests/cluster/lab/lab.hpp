#pragma once
// A lab of the test's own, driven through its command line as a user drives it.

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/subprocess.hpp"

namespace berth::test {

class lab {
 public:
  /// Owns the lab `name` in a new folder below /tmp; starts nothing.
  explicit lab(std::string name);
  lab(const lab&) = delete;
  lab& operator=(const lab&) = delete;
  /// Ends the lab and deletes its folder.
  ~lab();

  /// Runs `lab --name NAME ARGUMENTS...` to its end.
  [[nodiscard]] outcome call(const std::vector<std::string>& arguments) const;
  /// The same without waiting; the caller waits for the pid. Output is thrown away.
  [[nodiscard]] pid_t start(const std::vector<std::string>& arguments) const;
  /// `lab run [OPTIONS] sh -c SCRIPT`.
  [[nodiscard]] outcome shell(const std::string& script,
                              const std::vector<std::string>& options = {}) const;

  /// First process of each node that runs, by node.
  [[nodiscard]] std::map<std::string, pid_t> holders() const;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  [[nodiscard]] command prepare(const std::vector<std::string>& arguments) const;

  std::string name_;
  std::string root_;
  std::string folder_;
};

}  // namespace berth::test
