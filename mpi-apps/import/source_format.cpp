#include "import/source_format.hpp"

#include <algorithm>
#include <array>

#include "import/number.hpp"

namespace berth::apps {

namespace {

using namespace std::string_view_literals;

struct refusal {
  std::string_view magic;
  const char* what;
};

constexpr std::array refusals{
    refusal{"PAR1"sv, "is a Parquet file; write it as CSV first"},
    refusal{"\x93NUMPY"sv, "is a NumPy file; write its array with h5py, or as CSV with savetxt"},
    refusal{"PK\x03\x04"sv, "is a spreadsheet or zip archive; save it as CSV, or unzip it, first"},
    refusal{"BZh"sv, "is compressed with bzip2; use: bzip2 -dc FILE | dataset import - ..."},
    refusal{"\xFD"
            "7zXZ"sv,
            "is compressed with xz; use: xz -dc FILE | dataset import - ..."},
    refusal{"\x28\xB5\x2F\xFD"sv,
            "is compressed with zstd; use: zstd -dc FILE | dataset import - ..."},
    refusal{"\xFF\xFE"sv,
            "is UTF-16 text; use: iconv -f UTF-16 -t UTF-8 FILE | dataset import - ..."},
    refusal{"\xFE\xFF"sv,
            "is UTF-16 text; use: iconv -f UTF-16 -t UTF-8 FILE | dataset import - ..."},
    refusal{"SQLite format 3"sv, "is an SQLite database; write the table as CSV first"},
};

constexpr std::string_view hdf5_magic = "\x89HDF\r\n\x1A\n";

bool is_idx(std::string_view head) {
  if (head.size() < 8 || head[0] != 0 || head[1] != 0) return false;
  constexpr std::string_view types = "\x08\x09\x0B\x0C\x0D\x0E";
  return types.find(head[2]) != std::string_view::npos && head[3] >= 1 && head[3] <= 8;
}

// A word of `line`, which loses it.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const auto word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

bool is_pair(std::string_view word) {
  const auto colon = word.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const auto index = word.substr(0, colon);
  const bool number = index == "qid" || index.find_first_not_of("0123456789") == index.npos;
  return number && parse_number(word.substr(colon + 1)).has_value();
}

// Every whole line among the first is a label and pairs; at least one has a pair.
bool is_libsvm(std::string_view head) {
  constexpr int lines = 5;
  bool pairs = false;
  for (int line = 0; line < lines && !head.empty(); ++line) {
    const auto end = head.find('\n');
    auto text = head.substr(0, end);
    // What is cut off at the end of the head proves nothing.
    if (end == std::string_view::npos && line > 0) break;
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
    text = text.substr(0, text.find('#'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    auto word = take_word(text);
    if (word.empty()) continue;
    if (!parse_number(word)) return false;
    for (word = take_word(text); !word.empty(); word = take_word(text)) {
      if (!is_pair(word)) return false;
      pairs = true;
    }
  }
  return pairs;
}

}  // namespace

result<source_format> recognise_format(std::string_view head) {
  if (head.starts_with(hdf5_magic)) return source_format::hdf5;
  for (const auto& each : refusals) {
    if (head.starts_with(each.magic)) return fail(each.what);
  }
  if (is_idx(head)) return source_format::idx;
  return is_libsvm(head) ? source_format::libsvm : source_format::csv;
}

const char* format_name(source_format format) noexcept {
  constexpr std::array names{"CSV", "LIBSVM", "IDX", "HDF5"};
  return names[static_cast<std::size_t>(format)];
}

}  // namespace berth::apps
