#include "common/error.hpp"

#include <fmt/format.h>

namespace berth::apps {

error::error(const std::string& sentence, std::error_code code, blame whose)
    : text_(fmt::format("{}: {}", sentence, code.message())), code_(code), blame_(whose) {}

error&& error::with_context(std::string_view context) && {
  text_ = fmt::format("{}: {}", context, text_);
  return std::move(*this);
}

error&& error::with_hint(std::string_view cure) && {
  text_ = fmt::format("{}; {}", text_, cure);
  return std::move(*this);
}

failure fail(std::string sentence, blame whose) {
  return failure(error(std::move(sentence), whose));
}

failure fail_errno(const std::string& sentence, int errnum, blame whose) {
  return failure(error(sentence, std::error_code(errnum, std::generic_category()), whose));
}

}  // namespace berth::apps
