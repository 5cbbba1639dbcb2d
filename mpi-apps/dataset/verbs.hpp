#pragma once
// The verbs of the `dataset` program, one source file each. Every function adds its options to the
// verb's subcommand and returns the work to do when the user chose the verb.

#include <functional>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace CLI {
class App;
}

namespace berth::apps {

/// Runs on every rank with agreed errors; only rank 0 writes to stdout. A verb of one rank gets
/// communicator::alone().
using verb_work = std::function<result<void>(const communicator&)>;

enum class verb_ranks { one, any };

struct verb {
  const char* name;
  const char* summary;
  verb_ranks ranks;
  verb_work (*add)(CLI::App& command);
};

verb_work add_check(CLI::App& command);
verb_work add_describe(CLI::App& command);
verb_work add_export(CLI::App& command);
verb_work add_head(CLI::App& command);
verb_work add_import(CLI::App& command);
verb_work add_split(CLI::App& command);
verb_work add_synth(CLI::App& command);

}  // namespace berth::apps
