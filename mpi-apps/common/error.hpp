#pragma once
// Errors as values. A `result<T>` is either a T or an `error`: one sentence for the person who
// reads it, the system's reason as a std::error_code, and the contexts added on the way up.
//
// Text: the operation, the objects in double quotes, the reason, then the cure when it is known:
//   dataset "a.h5": cannot open: Permission denied

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

namespace berth::apps {

/// Whose fault it is decides the exit code: 2 for what the user gave, 1 for what went wrong later,
/// 75 (EX_TEMPFAIL of sysexits.h: try again) for work that was stopped from outside and can go on.
enum class blame { input, run, stopped };

class [[nodiscard]] error {
 public:
  /// A failure without a system reason: bad input, a broken rule.
  explicit error(std::string sentence, blame whose = blame::input)
      : text_(std::move(sentence)), blame_(whose) {}
  /// A failed system call: `code` is appended to the sentence as the system words it.
  error(const std::string& sentence, std::error_code code, blame whose = blame::input);

  /// Prefixes what was being done: "context: text".
  error&& with_context(std::string_view context) &&;
  /// Appends the cure: "text; cure".
  error&& with_hint(std::string_view cure) &&;

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::error_code code() const noexcept { return code_; }
  [[nodiscard]] blame whose() const noexcept { return blame_; }
  [[nodiscard]] int exit_code() const noexcept {
    return blame_ == blame::input ? 2 : blame_ == blame::run ? 1 : 75;
  }

 private:
  std::string text_;
  std::error_code code_;
  blame blame_;
};

template <class T>
using result = tl::expected<T, error>;

using failure = tl::unexpected<error>;

/// failure from a sentence: `return fail("labels of /y are not 0 and 1");`
failure fail(std::string sentence, blame whose = blame::input);
/// failure from errno, read before anything else can change it.
failure fail_errno(const std::string& sentence, int errnum = errno, blame whose = blame::input);

/// Moves the error out of a failed result, to be returned from a function of another result type.
template <class T>
failure pass(result<T>&& failed) {
  return failure(std::move(failed).error());
}
template <class T>
failure pass(result<T>&& failed, std::string_view context) {
  return failure(std::move(failed).error().with_context(context));
}

}  // namespace berth::apps
