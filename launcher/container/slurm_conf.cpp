#include "container/slurm_conf.hpp"

#include <glob.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::container {
namespace {

constexpr std::size_t config_limit = std::size_t{16} << 20;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Lines without comments. Files that cannot be read are as empty ones.
std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  const auto text = read_file(path, config_limit);
  for (const auto& line : split(text ? *text : "", '\n')) {
    auto plain = std::string(trim(line.substr(0, line.find('#'))));
    if (!plain.empty()) lines.push_back(std::move(plain));
  }
  return lines;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream text(line);
  return {std::istream_iterator<std::string>(text), {}};
}

void add_plugstack(const std::string& file, int depth, std::vector<spank_line>& found) {
  constexpr int deepest = 8;
  for (const auto& line : lines_of(file)) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    if (lower(words[0]) == "include" && depth < deepest) {
      glob_t matches{};
      if (::glob(words[1].c_str(), 0, nullptr, &matches) == 0) {
        for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
          add_plugstack(matches.gl_pathv[i], depth + 1, found);
        }
      }
      ::globfree(&matches);
    } else {
      found.push_back(
          {file, lower(words[0]) == "required", {words.begin() + 2, words.end()}, words[1]});
    }
  }
}

}  // namespace

std::map<std::string, std::string> read_slurm_conf(const std::string& path) {
  std::map<std::string, std::string> values;
  for (const auto& line : lines_of(path)) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    values[lower(trim(line.substr(0, equals)))] = std::string(trim(line.substr(equals + 1)));
  }
  return values;
}

std::vector<spank_line> read_plugstack(const std::string& path) {
  std::vector<spank_line> found;
  add_plugstack(path, 0, found);
  return found;
}

std::string plugstack_of(const std::string& conf,
                         const std::map<std::string, std::string>& values) {
  const auto given = values.find("plugstackconfig");
  return given == values.end() ? std::filesystem::path(conf).parent_path() / "plugstack.conf"
                               : std::filesystem::path(given->second);
}

}  // namespace berth::container
