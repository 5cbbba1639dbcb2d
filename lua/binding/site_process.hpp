#pragma once
// The site file as the privileged side sees it: evaluated in a child process that has no privilege,
// no files and little of everything else; what it says is parsed strictly and validated again.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "binding/convert.hpp"
#include "site/config.hpp"

namespace berth::lua {

inline constexpr const char* default_site_file = "/etc/berth/site.lua";

/// Owns the child: it ends with this object, or with the process that started it.
/// @pre the process has one thread, and SIGCHLD is not ignored.
class site_process {
 public:
  /// Evaluates `path`. As root, the file must belong to root and be writable by root alone.
  /// Errors: the file cannot be read, or is wrong; the text is "FILE:LINE: ..." of the first
  /// problem and says how many more there are. Takes at most 2 seconds.
  static result<site_process> start(const std::string& path);
  /// As above; also fills `problems`, one line of text each.
  static result<site_process> start(const std::string& path, std::vector<std::string>& problems);

  /// As start, but the absence of default_site_file means the default configuration.
  static result<site_process> start_or_default(const std::string& path);

  site_process(site_process&& other) noexcept;
  site_process& operator=(site_process&&) = delete;
  ~site_process();

  [[nodiscard]] const site::config& config() const noexcept { return rules_; }
  /// Lines of the keys that the file sets; a key that is not here has its default.
  [[nodiscard]] const origins& from() const noexcept { return from_; }
  /// The child, or -1 when there is none: no site file, no policy function, or it was ended.
  [[nodiscard]] pid_t pid() const noexcept { return child_; }

  /// Asks the site's policy; without a policy function everything is admitted.
  /// Errors, all of which mean that the step must be refused: the function fails, returns what is
  /// not a decision, or does not answer within 2 seconds. After such a silence the child is ended.
  result<site::decision> admit(const site::job_facts& job, const site::image_facts& image);

 private:
  site_process() = default;
  result<void> spawn(const std::string& path, const std::string& source);
  result<void> take_evaluation(const std::string& path, std::vector<std::string>& problems);
  result<std::string> ask(std::optional<std::string> message);
  void end() noexcept;

  pid_t child_ = -1;
  unique_fd socket_;
  site::config rules_;
  origins from_;
};

}  // namespace berth::lua
