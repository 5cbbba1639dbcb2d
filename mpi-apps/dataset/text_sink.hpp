#pragma once
// Where exported text goes: standard output, a file, or a gzip file.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace berth::apps {

class text_sink {
 public:
  /// `path` of "-" is standard output; one that ends in .gz is compressed. Files appear with
  /// commit(), whole or not at all. Errors: the file cannot be created, or is one of `input`.
  static result<text_sink> open(const std::string& path, const std::string& input);
  text_sink(text_sink&&) noexcept;
  text_sink& operator=(text_sink&&) = delete;
  ~text_sink();

  /// Errors: no space, a closed pipe.
  result<void> write(std::string_view text);
  result<void> commit();

 private:
  struct state;
  explicit text_sink(std::unique_ptr<state> made);
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
