#include "binding/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <lua.hpp>
#include <string_view>

namespace berth::lua {

struct state::budget {
  limits bounds;
  std::size_t used = 0;
  std::uint64_t left = 0;  // instructions, rounded up to hook_period
  lua_State* owner = nullptr;
  int refused_line = 0;  // where an allocation was last refused
};

namespace {

// Lua shortens long chunk names; this mark stands for the file until the message leaves the state.
constexpr std::string_view chunk_mark = "\x01";
constexpr const char* chunk_name = "=\x01";
constexpr int hook_period = 1000;

constexpr std::array allowed_base = {"assert", "error",  "ipairs",   "next",     "pairs",
                                     "pcall",  "select", "tonumber", "tostring", "type"};
constexpr std::array known_but_closed = {
    "io",     "os",           "require",        "package", "load",     "loadfile",  "dofile",
    "debug",  "loadstring",   "collectgarbage", "print",   "rawset",   "coroutine", "_G",
    "rawget", "setmetatable", "getmetatable",   "warn",    "rawequal", "rawlen",    "xpcall"};

int current_line(lua_State* l) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(l, level, &frame) != 0; ++level) {
    lua_getinfo(l, "l", &frame);
    if (frame.currentline > 0) return frame.currentline;
  }
  return 0;
}

void* allocate(void* data, void* block, std::size_t old_size, std::size_t new_size) {
  auto& counts = *static_cast<state::budget*>(data);
  if (block == nullptr) old_size = 0;  // Lua passes a type tag here
  if (new_size == 0) {
    std::free(block);
    counts.used -= old_size;
    return nullptr;
  }
  const bool grows = new_size > old_size;
  void* fresh = nullptr;
  if (!grows || new_size - old_size <= counts.bounds.memory - counts.used) {
    fresh = std::realloc(block, new_size);
  }
  if (fresh != nullptr) {
    counts.used = counts.used - old_size + new_size;
  } else if (counts.owner != nullptr) {
    counts.refused_line = current_line(counts.owner);
  }
  return fresh;
}

// Once the budget is gone every further instruction fails, so that pcall cannot go on.
void count_instructions(lua_State* l, lua_Debug*) {
  void* data = nullptr;
  lua_getallocf(l, &data);
  auto& counts = *static_cast<state::budget*>(data);
  if (counts.left > hook_period) {
    counts.left -= hook_period;
    return;
  }
  counts.left = 0;
  lua_sethook(l, count_instructions, LUA_MASKCOUNT, 1);
  luaL_where(l, 0);
  lua_pushfstring(l, "runs for more than %I instructions; is there an endless loop?",
                  static_cast<LUAI_UACINT>(counts.bounds.instructions));
  lua_concat(l, 2);
  lua_error(l);
}

int refuse_unknown_global(lua_State* l) {
  const std::string_view name = luaL_tolstring(l, 2, nullptr);
  const bool closed =
      std::find(known_but_closed.begin(), known_but_closed.end(), name) != known_but_closed.end();
  return luaL_error(
      l,
      closed ? "\"%s\" is not available in a site file" : "variable \"%s\" is used but never set",
      name.data());
}

void open_library(lua_State* l, const char* name, lua_CFunction open) {
  luaL_requiref(l, name, open, 1);
  lua_pop(l, 1);
}

void open_libraries(lua_State* l) {
  luaL_requiref(l, LUA_GNAME, luaopen_base, 0);
  lua_newtable(l);
  for (const auto* name : allowed_base) {
    lua_getfield(l, -2, name);
    lua_setfield(l, -2, name);
  }
  // From here on the globals are this table: nothing of the full one can be reached.
  lua_rawseti(l, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pop(l, 1);
  open_library(l, LUA_STRLIBNAME, luaopen_string);
  open_library(l, LUA_TABLIBNAME, luaopen_table);
  open_library(l, LUA_MATHLIBNAME, luaopen_math);
  open_library(l, LUA_UTF8LIBNAME, luaopen_utf8);
  lua_getglobal(l, LUA_STRLIBNAME);
  lua_pushnil(l);
  lua_setfield(l, -2, "dump");
  lua_pop(l, 1);
  lua_pushglobaltable(l);
  lua_newtable(l);
  lua_pushcfunction(l, refuse_unknown_global);
  lua_setfield(l, -2, "__index");
  lua_setmetatable(l, -2);
  lua_pop(l, 1);
}

int run_action(lua_State* l) {
  const auto* action = static_cast<const std::function<void(lua_State*)>*>(lua_touserdata(l, 1));
  lua_settop(l, 0);
  (*action)(l);
  return 0;
}

}  // namespace

void state::closer::operator()(lua_State* l) const noexcept {
  lua_close(l);
}

state::state(std::string file, std::unique_ptr<budget> counts)
    : file_(std::move(file)),
      budget_(std::move(counts)),
      state_(lua_newstate(allocate, budget_.get())) {}

result<state> state::create(std::string file, const limits& bounds) {
  auto counts = std::make_unique<budget>();
  counts->bounds = bounds;
  state fresh(std::move(file), std::move(counts));
  if (!fresh.state_) return fail("cannot create a Lua state: not enough memory");
  fresh.budget_->owner = fresh.get();
  auto opened = fresh.protect(open_libraries);
  if (!opened) return pass(std::move(opened));
  return fresh;
}

result<void> state::load(const std::string& source) {
  if (!source.empty() && source.front() == LUA_SIGNATURE[0]) {
    return fail(fmt::format("{}: is compiled Lua; write the source text", file_));
  }
  return protect([&](lua_State* l) {
    if (luaL_loadbufferx(l, source.data(), source.size(), chunk_name, "t") != LUA_OK) lua_error(l);
    loaded_ = luaL_ref(l, LUA_REGISTRYINDEX);
  });
}

void state::call_loaded() {
  lua_rawgeti(get(), LUA_REGISTRYINDEX, loaded_);
  lua_call(get(), 0, 1);
}

result<void> state::protect(const std::function<void(lua_State*)>& action) {
  budget_->left = budget_->bounds.instructions;
  lua_sethook(get(), count_instructions, LUA_MASKCOUNT, hook_period);
  lua_pushcfunction(get(), run_action);
  lua_pushlightuserdata(get(), const_cast<std::function<void(lua_State*)>*>(&action));
  const auto status = lua_pcall(get(), 1, 0, 0);
  if (status != LUA_OK) return failure(take_error(status));
  return {};
}

error state::take_error(int status) {
  std::string text;
  if (status == LUA_ERRMEM) {
    const auto line = budget_->refused_line;
    text = fmt::format("{}:{} uses more than {} MiB of memory", chunk_mark,
                       line > 0 ? fmt::format("{}:", line) : "", budget_->bounds.memory >> 20);
  } else if (lua_type(get(), -1) == LUA_TSTRING) {
    std::size_t size = 0;
    const auto* bytes = lua_tolstring(get(), -1, &size);
    text.assign(bytes, size);
  } else {
    text = fmt::format("raised a {} as error; raise a text", luaL_typename(get(), -1));
  }
  lua_settop(get(), 0);
  if (text.rfind(chunk_mark, 0) != 0) text.insert(0, fmt::format("{}: ", chunk_mark));
  for (std::size_t at = 0; (at = text.find(chunk_mark, at)) != std::string::npos;) {
    text.replace(at, chunk_mark.size(), file_);
    at += file_.size();
  }
  return error(std::move(text));
}

}  // namespace berth::lua
