#include "dataset/text_sink.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <cstdio>
#include <optional>

#include "common/atomic_file.hpp"

namespace berth::apps {

namespace {

constexpr unsigned gzip_buffer = 256U << 10;

struct gzip_closer {
  void operator()(gzFile file) const noexcept { gzclose(file); }
};
struct file_closer {
  void operator()(std::FILE* file) const noexcept {
    if (file != stdout) std::fclose(file);
  }
};

}  // namespace

struct text_sink::state {
  std::string path;
  std::optional<atomic_file> output;
  std::unique_ptr<std::FILE, file_closer> plain;
  std::unique_ptr<gzFile_s, gzip_closer> gzip;

  [[nodiscard]] failure failed(int errnum = errno) const {
    return fail_errno(fmt::format("output \"{}\": cannot write", path), errnum, blame::run);
  }
};

text_sink::text_sink(std::unique_ptr<state> made) : state_(std::move(made)) {}
text_sink::text_sink(text_sink&&) noexcept = default;
text_sink::~text_sink() = default;

result<text_sink> text_sink::open(const std::string& path, const std::string& input) {
  auto made = std::make_unique<state>();
  made->path = path;
  if (path == "-") {
    made->plain.reset(stdout);
    return text_sink(std::move(made));
  }
  if (auto ok = check_writable(path, {input}); !ok) return pass(std::move(ok));
  auto output = atomic_file::create(path);
  if (!output) return pass(std::move(output));
  made->output.emplace(std::move(*output));
  const auto& temporary = made->output->temporary();
  if (path.ends_with(".gz")) {
    made->gzip.reset(gzopen(temporary.c_str(), "wb"));
    if (made->gzip) gzbuffer(made->gzip.get(), gzip_buffer);
  } else {
    made->plain.reset(std::fopen(temporary.c_str(), "wb"));
  }
  if (!made->gzip && !made->plain) return made->failed();
  return text_sink(std::move(made));
}

result<void> text_sink::write(std::string_view text) {
  if (text.empty()) return {};
  if (state_->gzip) {
    const auto written =
        gzwrite(state_->gzip.get(), text.data(), static_cast<unsigned>(text.size()));
    return written > 0 ? result<void>{} : state_->failed();
  }
  const auto written = std::fwrite(text.data(), 1, text.size(), state_->plain.get());
  return written == text.size() ? result<void>{} : state_->failed();
}

result<void> text_sink::commit() {
  // gzclose() writes what is left, as does fclose().
  if (state_->gzip && gzclose(state_->gzip.release()) != Z_OK) return state_->failed();
  if (state_->plain) {
    std::FILE* file = state_->plain.release();
    const int status = file == stdout ? std::fflush(file) : std::fclose(file);
    if (status != 0) return state_->failed();
  }
  return state_->output ? state_->output->commit() : result<void>{};
}

}  // namespace berth::apps
