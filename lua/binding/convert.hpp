#pragma once
// From the table that a site file returns to the typed configuration.

#include <map>
#include <string>
#include <vector>

#include "binding/source_map.hpp"
#include "site/config.hpp"

struct lua_State;

namespace berth::lua {

/// Where a value comes from: key as in the site file -> line. A key that is missing has its
/// default.
using origins = std::map<std::string, int>;

struct problem_at {
  int line = 0;
  std::string text;  ///< "images.folder: unknown key; did you mean "folders"?"
};

struct conversion {
  site::config rules;
  origins from;
  std::vector<problem_at> problems;  ///< ascending lines; empty: rules are complete and valid
};

/// Converts the value on top of the stack, reading raw tables only: metamethods never run.
/// @pre runs inside state::protect. The stack is unchanged afterwards.
conversion convert(lua_State* l, const source_map& lines);

}  // namespace berth::lua
