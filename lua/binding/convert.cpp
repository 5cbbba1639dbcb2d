#include "binding/convert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <lua.hpp>
#include <optional>
#include <tuple>

#include "base/text.hpp"
#include "binding/schema.hpp"
#include "binding/wire.hpp"

namespace berth::lua {
namespace {

constexpr lua_Integer longest_list = 1024;

std::string child_of(const std::string& parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

std::string_view view_of(lua_State* l, int index) {
  std::size_t size = 0;
  const auto* bytes = lua_tolstring(l, index, &size);
  return {bytes, size};
}

std::string type_name(lua_State* l) {
  const std::string name = luaL_typename(l, -1);
  return name == "nil" ? "nothing" : fmt::format("a {}", name);
}

class converter {
 public:
  converter(lua_State* l, const source_map& lines) : l_(l), lines_(lines) {}

  conversion run() {
    if (lua_istable(l_, -1)) {
      table("", &converter::root_key);
    } else {
      complain("", fmt::format("must return one table, got {}; end the file with: return {{ ... }}",
                               type_name(l_)));
    }
    for (const auto& broken : site::find_problems(out_.rules)) add_rule_problem(broken);
    std::sort(out_.problems.begin(), out_.problems.end(), [](const auto& a, const auto& b) {
      return std::tie(a.line, a.text) < std::tie(b.line, b.text);
    });
    return std::move(out_);
  }

 private:
  // Reads the value on top of the stack, whose key is `key`; leaves the stack as it was.
  using reader = void (converter::*)(const std::string& key, std::string_view name);

  void complain(const std::string& key, const std::string& text) {
    const auto prefix = key.empty() ? "" : key + ": ";
    out_.problems.push_back({lines_.line_of(key), printable(prefix + text)});
    complained_.push_back(key);
  }

  // A value that could not be read has its default or an empty text: say nothing more about it.
  void add_rule_problem(const site::problem& broken) {
    const bool reported = std::any_of(complained_.begin(), complained_.end(), [&](const auto& key) {
      return !key.empty() && broken.key.compare(0, key.size(), key) == 0;
    });
    if (!reported) complain(broken.key, broken.text);
  }

  void wrong_type(const std::string& key, std::string_view cure = "") {
    complain(key, fmt::format("expected a {}, got {}{}", type_of(to_schema_path(key)),
                              type_name(l_), cure));
  }

  // Calls `each` for every named entry of the table on top of the stack.
  void table(const std::string& key, reader each) {
    if (!lua_istable(l_, -1)) return wrong_type(key);
    lua_pushnil(l_);
    while (lua_next(l_, -2) != 0) {
      if (lua_type(l_, -2) == LUA_TSTRING) {
        const std::string name(view_of(l_, -2));
        const auto path = child_of(key, name);
        out_.from[path] = lines_.line_of(path);
        (this->*each)(path, name);
      } else {
        unexpected_index(key);
      }
      lua_pop(l_, 1);
    }
  }

  void unexpected_index(const std::string& key) {
    const auto index = lua_isinteger(l_, -2) != 0 ? fmt::format("{}", lua_tointeger(l_, -2))
                                                  : std::string(luaL_typename(l_, -2));
    complain(fmt::format("{}[{}]", key, index), "a value without a name; write NAME = VALUE");
  }

  void list(const std::string& key, reader each) {
    if (!lua_istable(l_, -1)) {
      return wrong_type(key, lua_type(l_, -1) == LUA_TSTRING ? "; put braces around it" : "");
    }
    out_.from[key] = lines_.line_of(key);
    lua_Integer length = 0;
    lua_Integer entries = 0;
    lua_pushnil(l_);
    while (lua_next(l_, -2) != 0) {
      lua_pop(l_, 1);
      if (lua_isinteger(l_, -1) != 0 && lua_tointeger(l_, -1) > 0) {
        length = std::max(length, lua_tointeger(l_, -1));
        ++entries;
      } else {
        named_entry(key);
      }
    }
    if (length > longest_list) {
      return complain(key, fmt::format("has more than {} entries", longest_list));
    }
    if (length != entries) return complain(key, "has a hole: an entry in it is nil");
    for (lua_Integer i = 1; i <= length; ++i) {
      lua_rawgeti(l_, -1, i);
      const auto path = fmt::format("{}[{}]", key, i);
      out_.from[path] = lines_.line_of(path);
      (this->*each)(path, "");
      lua_pop(l_, 1);
    }
  }

  // The key of the current lua_next, which must stay as it is, is on top of the stack.
  void named_entry(const std::string& key) {
    const auto name = lua_type(l_, -1) == LUA_TSTRING ? std::string(view_of(l_, -1))
                                                      : std::string(luaL_typename(l_, -1));
    complain(child_of(key, name), "unknown key; this is a list, its entries have no names");
  }

  void unknown(const std::string& key, std::string_view name) {
    const auto parent = key.substr(0, key.size() - std::min(key.size(), name.size() + 1));
    const auto known = names_below(to_schema_path(parent));
    const auto guess = nearest_word(name, known);
    complain(key, guess.empty() ? fmt::format("unknown key; known are {}", fmt::join(known, ", "))
                                : fmt::format("unknown key; did you mean \"{}\"?", guess));
  }

  std::optional<std::string> text(const std::string& key) {
    if (lua_type(l_, -1) != LUA_TSTRING) {
      wrong_type(key);
      return std::nullopt;
    }
    const auto value = view_of(l_, -1);
    if (!is_utf8(value)) {
      complain(key, "holds bytes that are not UTF-8 text");
      return std::nullopt;
    }
    return std::string(value);
  }

  void boolean(const std::string& key, bool& into) {
    if (!lua_isboolean(l_, -1)) return wrong_type(key);
    into = lua_toboolean(l_, -1) != 0;
  }

  template <class Enum>
  void choice(const std::string& key, Enum& into, std::string_view first, Enum first_value,
              std::string_view second, Enum second_value) {
    const auto word = text(key);
    if (!word) return;
    if (*word != first && *word != second) {
      return complain(key,
                      fmt::format("\"{}\" is neither \"{}\" nor \"{}\"", *word, first, second));
    }
    into = *word == first ? first_value : second_value;
  }

  void root_key(const std::string& key, std::string_view name) {
    if (name == "images") return table(key, &converter::images_key);
    if (name == "mounts") return list(key, &converter::mount);
    if (name == "user_mounts") return table(key, &converter::user_mounts_key);
    if (name == "cache") return table(key, &converter::cache_key);
    if (name == "stage") return table(key, &converter::stage_key);
    if (name == "warm_mounts") return table(key, &converter::warm_mounts_key);
    if (name == "environment") return table(key, &converter::environment_key);
    if (name == "pin") return table(key, &converter::pin_key);
    if (name == "overlay_size") return size(key, out_.rules.overlay_size);
    if (name == "slurm_inside") return boolean(key, out_.rules.slurm_inside);
    if (name == "admit") return admit(key);
    if (name != "workdir") return unknown(key, name);
    choice(key, out_.rules.workdir, "submit", site::workdir_rule::submit, "image",
           site::workdir_rule::image);
  }

  void images_key(const std::string& key, std::string_view name) {
    if (name == "folders") {
      out_.rules.images.folders.clear();
      list(key, &converter::folder);
    } else if (name == "trusted") {
      out_.rules.images.trusted.clear();
      list(key, &converter::trusted);
    } else {
      unknown(key, name);
    }
  }
  // Entries that cannot be read stay as empty texts, so that later indices still fit the file.
  void folder(const std::string& key, std::string_view) {
    out_.rules.images.folders.push_back(text(key).value_or(""));
  }
  void trusted(const std::string& key, std::string_view) {
    out_.rules.images.trusted.push_back(text(key).value_or(""));
  }

  void mount(const std::string& key, std::string_view) {
    auto& rule = out_.rules.mounts.emplace_back();
    if (lua_type(l_, -1) == LUA_TSTRING) {
      rule.source = rule.target = text(key).value_or("");
      if (rule.source.find(':') != std::string::npos) {
        complain(key, fmt::format("\"{}\" holds a colon; write {{ source = ..., target = ..., "
                                  "read_only = true }}",
                                  rule.source));
      }
      return;
    }
    table(key, &converter::mount_key);
    if (!lua_istable(l_, -1)) return;
    if (out_.from.count(key + ".source") == 0) complain(key, "has no source");
    if (out_.from.count(key + ".target") == 0) rule.target = rule.source;
  }

  void mount_key(const std::string& key, std::string_view name) {
    auto& rule = out_.rules.mounts.back();
    if (name == "source") {
      rule.source = text(key).value_or("");
    } else if (name == "target") {
      rule.target = text(key).value_or("");
    } else if (name == "read_only") {
      boolean(key, rule.read_only);
    } else if (name == "required") {
      boolean(key, rule.required);
    } else {
      unknown(key, name);
    }
  }

  void user_mounts_key(const std::string& key, std::string_view name) {
    if (name == "allowed") {
      out_.rules.user_mounts.allowed.clear();
      list(key, &converter::allowed);
    } else if (name == "forbidden") {
      list(key, &converter::forbidden);
    } else {
      unknown(key, name);
    }
  }
  void allowed(const std::string& key, std::string_view) {
    out_.rules.user_mounts.allowed.push_back(text(key).value_or(""));
  }
  void forbidden(const std::string& key, std::string_view) {
    out_.rules.user_mounts.forbidden.push_back(text(key).value_or(""));
  }

  void cache_key(const std::string& key, std::string_view name) {
    if (name == "folder") {
      out_.rules.cache.folder = text(key).value_or("");
    } else if (name == "quota") {
      size(key, out_.rules.cache.quota);
    } else {
      unknown(key, name);
    }
  }

  void stage_key(const std::string& key, std::string_view name) {
    if (name == "folder") {
      out_.rules.stage.folder = text(key).value_or("");
    } else if (name == "nodes") {
      count(key, out_.rules.stage.nodes);
    } else {
      unknown(key, name);
    }
  }

  void count(const std::string& key, std::uint32_t& into) {
    if (lua_isinteger(l_, -1) == 0) return wrong_type(key);
    const auto value = lua_tointeger(l_, -1);
    if (value < 0 || value > UINT32_MAX) return complain(key, fmt::format("{} is no count", value));
    into = static_cast<std::uint32_t>(value);
  }

  void warm_mounts_key(const std::string& key, std::string_view name) {
    if (name != "idle_seconds") return unknown(key, name);
    if (lua_isinteger(l_, -1) == 0) return wrong_type(key);
    const auto seconds = lua_tointeger(l_, -1);
    if (seconds < 0) return complain(key, fmt::format("{} is negative", seconds));
    out_.rules.warm_mounts.idle_seconds = static_cast<std::uint64_t>(seconds);
  }

  void environment_key(const std::string& key, std::string_view name) {
    if (name == "set") return table(key, &converter::variable);
    if (name == "unset") return list(key, &converter::unset);
    unknown(key, name);
  }
  void variable(const std::string& key, std::string_view name) {
    if (!is_utf8(name)) return complain(key, "has a name that is not UTF-8 text");
    auto& value = out_.rules.environment.set[std::string(name)];
    if (lua_isinteger(l_, -1) != 0) {
      value = fmt::format("{}", lua_tointeger(l_, -1));
    } else {
      value = text(key).value_or("");
    }
  }
  void unset(const std::string& key, std::string_view) {
    out_.rules.environment.unset.push_back(text(key).value_or(""));
  }

  void pin_key(const std::string& key, std::string_view name) {
    if (name == "default") {
      out_.rules.pin = text(key).value_or("");
    } else if (name == "partitions") {
      table(key, &converter::partition);
    } else if (name == "on_failure") {
      choice(key, out_.rules.on_pin_failure, "warn", site::pin_failure::warn, "fail",
             site::pin_failure::fail);
    } else {
      unknown(key, name);
    }
  }

  void partition(const std::string& key, std::string_view name) {
    if (!is_utf8(name)) return complain(key, "has a name that is not UTF-8 text");
    out_.rules.pin_partitions[std::string(name)] = text(key).value_or("");
  }

  void size(const std::string& key, std::uint64_t& into) {
    if (lua_isinteger(l_, -1) != 0) {
      const auto bytes = lua_tointeger(l_, -1);
      if (bytes < 0) return complain(key, fmt::format("{} is negative", bytes));
      into = static_cast<std::uint64_t>(bytes);
      return;
    }
    const auto words = text(key);
    if (!words) return;
    const auto bytes = parse_size(*words);
    if (!bytes) return complain(key, bytes.error().text());
    into = *bytes;
  }

  void admit(const std::string& key) {
    if (!lua_isfunction(l_, -1) || lua_iscfunction(l_, -1) != 0) return wrong_type(key);
    lua_Debug about;
    lua_pushvalue(l_, -1);
    lua_getinfo(l_, ">S", &about);
    out_.from[key] = about.linedefined;
    out_.rules.has_admit = true;
  }

  lua_State* l_;
  const source_map& lines_;
  conversion out_;
  std::vector<std::string> complained_;
};

}  // namespace

conversion convert(lua_State* l, const source_map& lines) {
  return converter(l, lines).run();
}

}  // namespace berth::lua
