#pragma once
// A Lua state for text from people who configure, not program: no files, no processes, no modules,
// no byte code, no metatables, and limits on memory and on executed instructions.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"

struct lua_State;

namespace berth::lua {

struct limits {
  std::size_t memory = std::size_t{16} << 20;  ///< bytes in use at any time
  std::uint64_t instructions = 10'000'000;     ///< of the Lua virtual machine, per protected run
};

/// Owns one lua_State. Not thread-safe.
class state {
 public:
  /// `file` is the name that messages carry: "FILE:LINE: ...".
  static result<state> create(std::string file, const limits& bounds = {});

  state(state&&) noexcept = default;
  state& operator=(state&&) = delete;
  ~state() = default;

  /// Compiles source text; `call_loaded` runs it.
  result<void> load(const std::string& source);
  /// Calls what was loaded last and leaves its first result on the stack. @pre inside protect
  void call_loaded();

  /// Runs `action` on an empty stack so that any Lua error, also out of memory or of instructions,
  /// comes back as an error that begins with "FILE:LINE:". The stack is empty afterwards.
  result<void> protect(const std::function<void(lua_State*)>& action);

  /// Borrowed. Calls that may raise a Lua error belong inside protect.
  [[nodiscard]] lua_State* get() const noexcept { return state_.get(); }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

  struct budget;  ///< what is used and allowed; address is stable

 private:
  struct closer {
    void operator()(lua_State* l) const noexcept;
  };
  state(std::string file, std::unique_ptr<budget> counts);
  [[nodiscard]] error take_error(int status);

  std::string file_;
  int loaded_ = 0;  // reference in the registry
  // Destroyed after the state, whose allocator counts in it.
  std::shared_ptr<budget> budget_;
  std::unique_ptr<lua_State, closer> state_;
};

}  // namespace berth::lua
