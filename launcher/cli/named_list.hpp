#pragma once

namespace berth::cli {

enum class list_form { table, json, names };

/// Prints the user's named containers of berth run. Exit code: 1 when one cannot be read, with one
/// line each; the others are printed.
int list_named(list_form form);

}  // namespace berth::cli
