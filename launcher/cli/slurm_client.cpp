#include "cli/slurm_client.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/subprocess.hpp"
#include "base/text.hpp"

namespace berth::cli {
namespace {

// The name comes last: it may hold the separator.
constexpr const char* job_fields =
    "JobID:|,UserName:|,State:|,NodeList:|,HetJobID:|,HetJobOffset:|";
constexpr const char* step_fields = "StepID:|,JobID:|,UserName:|,Nodes:|,StepName:|";
constexpr std::uint32_t first_special_step =
    0xfffffff0;  // <slurm/slurm.h>, SLURM_MAX_NORMAL_STEP_ID

bool is_number(std::string_view text) {
  return parse_unsigned(text).value_or(UINT64_MAX) < first_special_step;
}

std::optional<std::uint32_t> parse_step(std::string_view text) {
  if (!is_number(text)) return std::nullopt;
  return static_cast<std::uint32_t>(*parse_unsigned(text));
}

// A job that Slurm has forgotten, or never knew, is one that does not run.
result<std::string> squeue(std::vector<std::string> words) {
  words.insert(words.begin(), {"squeue", "--noheader"});
  auto end = run({std::move(words), client_environment(), {}});
  if (!end) return pass(std::move(end));
  if (end->exit_code == 0) return std::move(end->out);
  if (end->err.find("Invalid job id") != std::string::npos) return std::string{};
  return fail(fmt::format("squeue: {}", split(trim(end->err), '\n').back()));
}

std::string own_name() {
  const auto* entry = ::getpwuid(::getuid());
  return entry == nullptr ? fmt::format("{}", ::getuid()) : entry->pw_name;
}

// The fields of a line up to the last, which is everything that is left but the separator.
std::vector<std::string> fields(std::string_view line, std::size_t count) {
  std::vector<std::string> found;
  if (line.ends_with('|')) line.remove_suffix(1);
  while (found.size() + 1 < count) {
    const auto bar = line.find('|');
    if (bar == std::string_view::npos) return {};
    found.emplace_back(line.substr(0, bar));
    line.remove_prefix(bar + 1);
  }
  found.emplace_back(line);
  return found;
}

std::optional<std::uint32_t> wanted_part(const std::string& name,
                                         const std::vector<job_record>& found) {
  const auto plus = name.find('+');
  if (plus != std::string::npos) return parse_step(std::string_view(name).substr(plus + 1));
  return found.size() > 1 && found.front().part ? std::optional<std::uint32_t>(0) : std::nullopt;
}

}  // namespace

result<step_name> parse_step_name(std::string_view text) {
  const auto dot = text.find('.');
  const auto job = text.substr(0, dot);
  const auto bar = job.find_first_of("_+");
  const bool well = is_number(job.substr(0, bar)) &&
                    (bar == std::string_view::npos || is_number(job.substr(bar + 1)));
  step_name name{std::string(job), std::nullopt};
  if (dot != std::string_view::npos) name.step = parse_step(text.substr(dot + 1));
  if (well && (name.step || dot == std::string_view::npos)) return name;
  return fail(fmt::format("\"{}\" is neither a job like 7, 7_3 or 7+1 nor a step like 7.0", text));
}

std::vector<job_record> parse_jobs(std::string_view text) {
  std::vector<job_record> found;
  for (const auto& line : split(text, '\n')) {
    const auto parts = fields(line, 6);
    if (parts.empty() || !is_number(parts[0])) continue;
    found.push_back({parts[0], parts[1], parts[2], parts[3]});
    if (!is_number(parts[4]) || !is_number(parts[5])) continue;
    found.back().leader = parts[4];
    found.back().part = static_cast<std::uint32_t>(*parse_unsigned(parts[5]));
  }
  return found;
}

std::vector<step_record> parse_steps(std::string_view text) {
  std::vector<step_record> found;
  for (const auto& line : split(text, '\n')) {
    const auto parts = fields(line, 5);
    if (parts.empty() || !is_number(parts[1])) continue;
    const auto dot = parts[0].rfind('.');
    const auto number =
        dot == std::string::npos ? std::nullopt : parse_step(parts[0].substr(dot + 1));
    if (number) found.push_back({parts[1], *number, parts[2], parts[3], parts[4]});
  }
  return found;
}

result<std::vector<job_record>> jobs(const std::optional<std::string>& name) {
  const auto text = squeue({name ? "--jobs=" + *name : "--user=" + own_name(), "-O", job_fields});
  if (!text) return failure(text.error());
  return parse_jobs(*text);
}

result<std::vector<step_record>> steps(const std::string& name) {
  const auto text = squeue({"--steps", "--jobs=" + name, "-O", step_fields});
  if (!text) return failure(text.error());
  return parse_steps(*text);
}

std::vector<std::string> job_record::srun_words() const {
  if (!part) return {"--jobid=" + id};
  return {"--jobid=" + leader, fmt::format("--het-group={}", *part)};
}

result<job_record> own_job(const std::string& name) {
  auto found = jobs(name);
  if (!found) return failure(found.error());
  // Asked for one part, Slurm tells all.
  if (const auto part = wanted_part(name, *found)) {
    std::erase_if(*found, [&](const job_record& one) { return one.part != part; });
  }
  if (found->empty()) {
    return fail(fmt::format("job {} neither runs nor waits; see: squeue --me", name));
  }
  if (found->size() > 1) {
    return fail(fmt::format("job {} is an array; name one of it, like {}_1", name, name));
  }
  const auto& job = found->front();
  if (job.user != own_name() && ::getuid() != 0) {
    return fail(fmt::format("job {} belongs to {}", name, job.user));
  }
  return job;
}

result<std::vector<std::string>> node_names(const std::string& list) {
  auto text = run_ok({{"scontrol", "show", "hostnames", list}, client_environment(), {}});
  if (!text) return pass(std::move(text));
  auto names = split(*text, '\n');
  std::erase(names, "");
  return names;
}

std::vector<std::string> client_environment() {
  constexpr std::array<std::string_view, 8> prefixes{"BERTH_",  "PYXIS_",  "SLURM_",  "SRUN_",
                                                     "SALLOC_", "SBATCH_", "SQUEUE_", "SCANCEL_"};
  auto environment = current_environment();
  std::erase_if(environment, [&](std::string_view entry) {
    return !entry.starts_with("SLURM_CONF=") &&
           std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return entry.starts_with(prefix); });
  });
  return environment;
}

}  // namespace berth::cli
