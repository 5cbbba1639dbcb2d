#pragma once
// The verbs of the `berth` program, one source file each. Every function adds its subcommand to the
// application; the parsed subcommand stores its exit code in `exit_code` when it runs:
// 0 success, 1 failure, 2 wrong usage or bad input.

namespace CLI {
class App;
}

namespace berth::cli {

void add_cache(CLI::App& app, int& exit_code);
void add_config(CLI::App& app, int& exit_code);
void add_convert(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_exec(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_logs(CLI::App& app, int& exit_code);
void add_pack(CLI::App& app, int& exit_code);
void add_pin(CLI::App& app, int& exit_code);
void add_ps(CLI::App& app, int& exit_code);
void add_rm(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_stop(CLI::App& app, int& exit_code);

}  // namespace berth::cli
