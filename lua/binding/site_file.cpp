#include "binding/site_file.hpp"

#include <fmt/format.h>

#include <lua.hpp>

#include "binding/facts.hpp"
#include "binding/wire.hpp"

namespace berth::lua {

result<site_file> site_file::evaluate(const std::string& path, const std::string& source,
                                      std::vector<std::string>& problems) {
  auto fresh = state::create(path);
  if (!fresh) return pass(std::move(fresh));
  site_file file(std::move(*fresh));
  const auto done = file.run(source);
  problems = done ? file.problem_lines() : std::vector{printable(done.error().text())};
  if (!problems.empty()) return fail(problems.front());
  return file;
}

result<void> site_file::run(const std::string& source) {
  auto loaded = lua_.load(source);
  if (!loaded) return loaded;
  const source_map lines(source);
  return lua_.protect([&](lua_State* l) {
    lua_.call_loaded();
    values_ = convert(l, lines);
    if (!values_.rules.has_admit) return;
    lua_pushstring(l, "admit");
    lua_rawget(l, -2);
    admit_reference_ = luaL_ref(l, LUA_REGISTRYINDEX);
  });
}

std::vector<std::string> site_file::problem_lines() const {
  std::vector<std::string> lines;
  for (const auto& [line, text] : values_.problems) {
    lines.push_back(line > 0 ? fmt::format("{}:{}: {}", lua_.file(), line, text)
                             : fmt::format("{}: {}", lua_.file(), text));
  }
  return lines;
}

result<site::decision> site_file::admit(const site::job_facts& job,
                                        const site::image_facts& image) {
  site::decision answer{false, {}};
  auto done = lua_.protect([&](lua_State* l) {
    lua_rawgeti(l, LUA_REGISTRYINDEX, admit_reference_);
    push_facts(l, job, image);
    lua_call(l, 2, 2);
    answer = read_decision(l);
  });
  if (!done) return pass(std::move(done));
  return answer;
}

}  // namespace berth::lua
