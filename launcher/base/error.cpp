#include "base/error.hpp"

#include <fmt/format.h>

namespace berth {

error::error(std::string sentence, std::error_code code)
    : text_(fmt::format("{}: {}", sentence, code.message())), code_(code) {}

error&& error::with_context(std::string_view context) && {
  text_.insert(0, fmt::format("{}: ", context));
  return std::move(*this);
}

error&& error::with_hint(std::string_view cure) && {
  text_.append("; ").append(cure);
  return std::move(*this);
}

failure fail(std::string sentence) {
  return failure(error(std::move(sentence)));
}

failure fail_errno(std::string sentence, int errnum) {
  return failure(error(std::move(sentence), std::error_code(errnum, std::generic_category())));
}

}  // namespace berth
