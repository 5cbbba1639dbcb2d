#include "dataset/layout_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/text.hpp"

namespace berth::apps {

namespace {

// Below this, looking a chunk up costs more than reading it; above, one chunk does not fit into
// caches or shares of memory.
constexpr std::int64_t tiny_chunk = std::int64_t{16} << 10;
constexpr std::int64_t huge_chunk = std::int64_t{128} << 20;
constexpr std::int64_t many_chunks = 1000;
// Arrays below this read in no time, whatever their layout.
constexpr std::int64_t small_array = std::int64_t{1} << 20;

std::int64_t chunk_bytes(const array_storage& array) {
  return array.chunk_rows * array.chunk_columns * array.element.bytes;
}

std::string chunk_text(const array_storage& array) {
  return array.shape.size() < 2
             ? fmt::format("[{}]", grouped(array.chunk_rows))
             : fmt::format("[{} x {}]", grouped(array.chunk_rows), grouped(array.chunk_columns));
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1000) return counted(bytes, "byte", "bytes");
  constexpr std::string_view units = "kMGTP";
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  return fmt::format("{:.3g} {}B", value, units[unit]);
}

std::string filter_text(const filter_step& filter) {
  const bool levelled = filter.name == "deflate" && !filter.parameters.empty();
  return levelled ? fmt::format("deflate level {}", filter.parameters[0]) : filter.name;
}

const filter_step* find_filter(const array_storage& array, std::string_view name) {
  const auto at = std::ranges::find(array.filters, name, &filter_step::name);
  return at == array.filters.end() ? nullptr : &*at;
}

void judge_chunks(const array_storage& array, std::vector<finding>& found,
                  const std::string& rewrite) {
  const auto bytes = chunk_bytes(array);
  const auto chunks = array.bands() * array.chunks_across();
  if (bytes < tiny_chunk && chunks >= many_chunks) {
    found.push_back(
        {severity::warning, "tiny-chunks",
         fmt::format("{} is cut into {} chunks {} of {}: finding them takes longer than "
                     "reading them",
                     array.path, grouped(chunks), chunk_text(array), size_text(bytes)),
         rewrite});
  } else if (array.chunks_across() > 1) {
    found.push_back({array.filters.empty() ? severity::note : severity::warning, "narrow-chunks",
                     fmt::format("a row of {} lies in {} chunks {}: rows are put together from "
                                 "pieces",
                                 array.path, grouped(array.chunks_across()), chunk_text(array)),
                     rewrite});
  }
  if (bytes > huge_chunk && !array.filters.empty()) {
    found.push_back({severity::warning, "huge-chunks",
                     fmt::format("chunks {} of {} are {} each and are decoded whole: memory, and "
                                 "at most {} can read at once",
                                 chunk_text(array), array.path, size_text(bytes),
                                 counted(array.bands(), "rank", "ranks")),
                     rewrite});
  }
}

void judge_filters(const array_storage& array, std::vector<finding>& found,
                   const std::string& rewrite) {
  const auto* deflate = find_filter(array, "deflate");
  if (deflate == nullptr) return;
  const auto level = deflate->parameters.empty() ? 0 : deflate->parameters[0];
  const bool shuffled = find_filter(array, "shuffle") != nullptr;
  found.push_back({severity::note, "compressed",
                   fmt::format("{} is compressed ({} level {}{}): reading it is bound by "
                               "decompression, several times slower than plain storage",
                               array.path, "deflate", level, shuffled ? "" : ", not shuffled"),
                   rewrite});
}

}  // namespace

std::vector<finding> judge_layout(const array_storage& array, const std::string& rewrite) {
  std::vector<finding> found;
  if (array.rows() * array.columns() * array.element.bytes < small_array) return found;
  if (array.layout == layout_kind::indirect && array.indirect_kind != "compact") {
    found.push_back({severity::warning, "indirect-storage",
                     fmt::format("{} is stored as {}: only one thread at a time can read it",
                                 array.path, array.indirect_kind),
                     rewrite});
  }
  if (array.element.kind == element_kind::foreign) {
    found.push_back({severity::warning, "foreign-type",
                     fmt::format("{} has type {}, which HDF5 itself must convert, one thread at a "
                                 "time",
                                 array.path, array.element.name),
                     rewrite});
  }
  if (array.layout == layout_kind::chunked) {
    judge_chunks(array, found, rewrite);
    judge_filters(array, found, rewrite);
  }
  return found;
}

std::string layout_text(const array_storage& array) {
  std::string text = array.element.name;
  if (array.layout == layout_kind::contiguous) return text + ", contiguous";
  if (array.layout == layout_kind::indirect) return text + ", " + array.indirect_kind;
  text += fmt::format(", chunks {} ({})", chunk_text(array), size_text(chunk_bytes(array)));
  for (const auto& filter : array.filters) text += ", " + filter_text(filter);
  return text;
}

}  // namespace berth::apps
