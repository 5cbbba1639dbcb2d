#pragma once
// Where the keys of a site file are written. Lua itself forgets lines once a table is built, so the
// text is read a second time for the table that the file returns.

#include <map>
#include <string>
#include <string_view>

namespace berth::lua {

/// Lines of the keys in the returned table, also through variables and assignments:
///   local site = { images = {} }   site.images.trusted = {}   return site
class source_map {
 public:
  /// @pre `source` compiles as Lua. Never fails; what it does not understand has the line of what
  /// surrounds it.
  explicit source_map(std::string_view source);

  /// Line of "images.folders", "mounts[2].target", or of the nearest known key around it; of the
  /// return statement for "".
  [[nodiscard]] int line_of(std::string_view key) const;

 private:
  friend class source_reader;
  [[nodiscard]] std::string follow(std::string path) const;

  std::map<std::string, int> lines_;            // "return.images" or "VARIABLE.images" -> line
  std::map<std::string, std::string> aliases_;  // path -> variable that is its value
  std::multimap<std::string, int> names_;       // every NAME = anywhere -> line
};

}  // namespace berth::lua
