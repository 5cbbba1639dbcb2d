#include "data/target_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace berth::apps {

namespace {

// One column of numbers: threads would cost more than they save.
constexpr int threads = 1;
constexpr std::int64_t labels_at_once = std::int64_t{1} << 20;

}  // namespace

result<target_reader> target_reader::open(const array_storage& array, const dataset& data,
                                          std::int64_t keep_bytes) {
  target_reader made(array, data);
  if (array.element.kind == element_kind::text) {
    auto opened = library_array::open(array);
    if (!opened) return pass(std::move(opened));
    made.texts_.emplace(std::move(*opened));
    for (std::size_t i = 0; i < data.info.levels.size(); ++i) {
      made.codes_.emplace(data.info.levels[i], static_cast<double>(i));
    }
    return made;
  }
  auto opened = array_reader<double>::open(array, threads, keep_bytes);
  if (!opened) return pass(std::move(opened));
  made.numbers_.emplace(std::move(*opened));
  return made;
}

result<void> target_reader::read_labels(row_range range, std::span<double> out) {
  const auto columns = array_->columns();
  for (std::int64_t done = 0; done < range.count; done += labels_at_once) {
    const row_range part{range.first + done, std::min(labels_at_once, range.count - done)};
    auto texts = texts_->read_texts(part);
    if (!texts) return pass(std::move(texts));
    for (std::size_t i = 0; i < texts->size(); ++i) {
      const auto found = codes_.find((*texts)[i]);
      if (found == codes_.end()) {
        return fail(fmt::format(
            "\"{}\": {}: row {} has \"{}\", which is none of its levels", array_->file,
            array_->path, part.first + static_cast<std::int64_t>(i) / columns + 1, (*texts)[i]));
      }
      out[static_cast<std::size_t>(done * columns) + i] = found->second;
    }
  }
  return {};
}

result<void> target_reader::read(row_range range, buffer<double>& out) {
  out.resize(static_cast<std::size_t>(range.count * array_->columns()));
  if (texts_) return read_labels(range, out);
  if (auto ok = numbers_->read(range, out); !ok) return ok;
  if (!data_->negative_is_missing || array_ != &*data_->y) return {};
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  std::ranges::replace_if(
      out, [](double code) { return code < 0; }, missing);
  return {};
}

read_counts target_reader::counts() const noexcept {
  return numbers_ ? numbers_->counts() : read_counts{};
}

}  // namespace berth::apps
