#pragma once
// What the policy function sees and says.

#include "site/config.hpp"

struct lua_State;

namespace berth::lua {

/// Pushes the tables `job` and `image`. Reading a field that they do not have is a Lua error, so
/// that a misspelt field cannot pass as nil. @pre inside state::protect
void push_facts(lua_State* l, const site::job_facts& job, const site::image_facts& image);

/// The decision from the two values on top of the stack: `true` (and nil), or `false` and a reason.
/// Anything else raises a Lua error. @pre inside state::protect
site::decision read_decision(lua_State* l);

}  // namespace berth::lua
