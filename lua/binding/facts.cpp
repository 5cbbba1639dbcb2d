#include "binding/facts.hpp"

#include <cstdint>
#include <lua.hpp>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "binding/wire.hpp"

namespace berth::lua {
namespace {

void set(lua_State* l, const char* name, std::uint64_t value) {
  lua_pushinteger(l, static_cast<lua_Integer>(value));
  lua_setfield(l, -2, name);
}
void set(lua_State* l, const char* name, const std::string& value) {
  lua_pushlstring(l, value.data(), value.size());
  lua_setfield(l, -2, name);
}

std::vector<std::string_view> names_of(lua_State* l, int table) {
  std::vector<std::string_view> names;
  lua_pushnil(l);
  while (lua_next(l, table) != 0) {
    lua_pop(l, 1);
    names.emplace_back(lua_tostring(l, -1));
  }
  return names;
}

int refuse_unknown_field(lua_State* l) {
  const auto* owner = lua_tostring(l, lua_upvalueindex(1));
  const std::string name = luaL_tolstring(l, 2, nullptr);
  lua_pushvalue(l, lua_upvalueindex(2));
  const std::string guess(nearest_word(name, names_of(l, lua_gettop(l))));
  if (guess.empty()) return luaL_error(l, "%s has no field \"%s\"", owner, name.c_str());
  return luaL_error(l, "%s has no field \"%s\"; did you mean \"%s\"?", owner, name.c_str(),
                    guess.c_str());
}

// The names come from a table of their own: the policy may change the one it is given.
void make_strict(lua_State* l, const char* name) {
  lua_createtable(l, 0, 1);
  lua_pushstring(l, name);
  lua_createtable(l, 0, 10);
  lua_pushnil(l);
  while (lua_next(l, -5) != 0) {
    lua_pushvalue(l, -2);
    lua_insert(l, -2);
    lua_rawset(l, -4);
  }
  lua_pushcclosure(l, refuse_unknown_field, 2);
  lua_setfield(l, -2, "__index");
  lua_setmetatable(l, -2);
}

}  // namespace

void push_facts(lua_State* l, const site::job_facts& job, const site::image_facts& image) {
  lua_createtable(l, 0, 10);
  set(l, "id", job.id);
  set(l, "step", job.step);
  set(l, "uid", job.uid);
  set(l, "gid", job.gid);
  set(l, "user", job.user);
  set(l, "account", job.account);
  set(l, "partition", job.partition);
  set(l, "node", job.node);
  set(l, "nodes", job.nodes);
  set(l, "tasks_on_node", job.tasks_on_node);
  make_strict(l, "job");
  lua_createtable(l, 0, 4);
  set(l, "path", image.path);
  set(l, "size", image.size);
  set(l, "owner", std::uint64_t{image.owner});
  lua_pushboolean(l, image.trusted ? 1 : 0);
  lua_setfield(l, -2, "trusted");
  make_strict(l, "image");
}

site::decision read_decision(lua_State* l) {
  if (!lua_isboolean(l, -2)) {
    luaL_error(l, "admit returned a %s; return true, or false and the reason",
               luaL_typename(l, -2));
  }
  if (lua_toboolean(l, -2) != 0) {
    if (!lua_isnil(l, -1)) luaL_error(l, "admit returned true and a second value; which is meant?");
    return {true, {}};
  }
  if (lua_type(l, -1) != LUA_TSTRING) {
    luaL_error(l, "admit returned false without a reason; return false and a text for the user");
  }
  std::size_t size = 0;
  const auto* reason = lua_tolstring(l, -1, &size);
  return {false, printable({reason, size})};
}

}  // namespace berth::lua
