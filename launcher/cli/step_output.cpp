#include "cli/step_output.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/containers.hpp"
#include "image/shared_file_system.hpp"

namespace berth::cli {
namespace {

using nlohmann::json;

constexpr std::size_t proc_limit = std::size_t{16} << 20;

std::string text_of(const std::string& path) {
  return read_file(path, proc_limit).value_or(std::string());
}

std::string short_host() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return std::string(name.data()).substr(0, std::string_view(name.data()).find('.'));
}

std::vector<std::uint64_t> numbers_in(const std::string& path) {
  struct close_folder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  std::vector<std::uint64_t> found;
  const std::unique_ptr<DIR, close_folder> folder(::opendir(path.c_str()));
  if (!folder) return found;
  while (const auto* entry = ::readdir(folder.get())) {
    if (const auto number = parse_unsigned(entry->d_name)) found.push_back(*number);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<open_file> identify(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  open_file file;
  file.node = short_host();
  file.kernel = trim(text_of("/proc/sys/kernel/random/boot_id"));
  file.device = info.st_dev;
  file.inode = info.st_ino;
  const auto name = image::shared_file_system(fd);
  file.shared = name && !name->empty();
  return file;
}

// What a process has open, if it is a file.
std::optional<open_file> file_of(std::uint64_t pid, std::uint64_t number) {
  const auto link = fmt::format("/proc/{}/fd/{}", pid, number);
  const unique_fd fd(::open(link.c_str(), O_PATH | O_CLOEXEC));
  auto file = fd ? identify(fd.get()) : std::nullopt;
  if (!file) return std::nullopt;
  std::error_code failed;
  file->path = std::filesystem::read_symlink(link, failed).string();
  return failed ? std::nullopt : file;
}

void add(std::vector<open_file>& files, std::optional<open_file> file) {
  const auto is_it = [&](const open_file& other) { return other.is(*file); };
  if (file && std::none_of(files.begin(), files.end(), is_it)) files.push_back(std::move(*file));
}

// "7 (a name) S 1 ...": the parent is the second field after the name, which may hold anything.
std::optional<std::uint64_t> parent_of(std::uint64_t pid) {
  const auto stat = text_of(fmt::format("/proc/{}/stat", pid));
  const auto end = stat.rfind(')');
  if (end == std::string::npos || end + 2 >= stat.size()) return std::nullopt;
  const auto fields = split(std::string_view(stat).substr(end + 2), ' ');
  return fields.size() > 1 ? parse_unsigned(fields[1]) : std::nullopt;
}

// A set-uid program of somebody else may have this title, too; the kernel then shows the caller
// nothing of what its children have open.
bool is_stepd_of(std::uint64_t pid, const std::string& id) {
  struct stat info {};
  const auto folder = fmt::format("/proc/{}", pid);
  if (::stat(folder.c_str(), &info) != 0 || info.st_uid != 0) return false;
  const auto title = text_of(folder + "/cmdline");
  return title.substr(0, title.find('\0')) == fmt::format("slurmstepd: [{}]", id);
}

output_places output_of_tasks(const std::string& id) {
  const auto pids = numbers_in("/proc");
  std::vector<std::uint64_t> parents;
  std::copy_if(pids.begin(), pids.end(), std::back_inserter(parents),
               [&](auto pid) { return is_stepd_of(pid, id); });
  output_places found;
  if (parents.empty()) return found;
  for (const auto pid : pids) {
    const auto parent = parent_of(pid);
    if (!parent || std::count(parents.begin(), parents.end(), *parent) == 0) continue;
    add(found.out, file_of(pid, STDOUT_FILENO));
    add(found.err, file_of(pid, STDERR_FILENO));
  }
  return found;
}

struct numbered_file {
  std::uint64_t number = 0;
  open_file file;
};

// srun opens its files after all that it inherits, so the last one of a name is its own.
std::optional<numbered_file> last_fitting(const std::vector<numbered_file>& files,
                                          const std::vector<std::string>& patterns) {
  const auto found = std::find_if(files.rbegin(), files.rend(), [&](const numbered_file& one) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const auto& pattern) { return fits_pattern(pattern, one.file.path); });
  });
  return found == files.rend() ? std::nullopt : std::optional(*found);
}

std::vector<std::string> entries_of(std::uint64_t pid, const char* name) {
  return split(text_of(fmt::format("/proc/{}/{}", pid, name)), '\0');
}

output_places output_of_srun(std::uint64_t pid) {
  if (trim(text_of(fmt::format("/proc/{}/comm", pid))) != "srun") return {};
  std::vector<numbered_file> files;
  for (const auto number : numbers_in(fmt::format("/proc/{}/fd", pid))) {
    if (number <= STDERR_FILENO) continue;
    if (auto file = file_of(pid, number)) files.push_back({number, std::move(*file)});
  }
  const auto words = entries_of(pid, "cmdline");
  const auto environment = entries_of(pid, "environ");
  const auto err =
      last_fitting(files, patterns_in(words, environment, 'e', "--error", "SLURM_STDERRMODE="));
  if (err) {
    std::erase_if(files, [&](const auto& one) { return one.number == err->number; });
  }
  const auto wanted = patterns_in(words, environment, 'o', "--output", "SLURM_STDOUTMODE=");
  auto out = last_fitting(files, wanted);
  // One descriptor for both.
  if (!out && err) out = last_fitting({*err}, wanted);
  output_places found;
  add(found.out, out ? std::optional(out->file) : file_of(pid, STDOUT_FILENO));
  add(found.err, err   ? std::optional(err->file)
                 : out ? std::optional(out->file)
                       : file_of(pid, STDERR_FILENO));
  return found;
}

json encode(const std::vector<open_file>& files) {
  auto list = json::array();
  for (const auto& file : files) {
    list.push_back({{"node", file.node},
                    {"path", file.path},
                    {"kernel", file.kernel},
                    {"device", file.device},
                    {"inode", file.inode},
                    {"shared", file.shared}});
  }
  return list;
}

std::vector<open_file> decode(const json& list) {
  std::vector<open_file> files;
  for (const auto& one : list) {
    files.push_back({one.at("node"), one.at("path"), one.at("kernel"), one.at("device"),
                     one.at("inode"), one.at("shared")});
  }
  return files;
}

void merge(output_places& into, const output_places& more) {
  for (const auto& file : more.out) add(into.out, file);
  for (const auto& file : more.err) add(into.err, file);
}

void read_places(output_places& into, const json& text) {
  merge(into, {decode(text.at("out")), decode(text.at("err"))});
}

result<void> ask(told_output& all, const job_record& job, const std::vector<std::string>& nodes,
                 const std::vector<std::string>& words, std::chrono::seconds patience) {
  const auto end = ask_nodes(job, nodes, words, patience);
  if (!end) return failure(end.error());
  std::size_t answers = 0;
  const auto told = gather_output(end->out, answers);
  if (answers < nodes.size()) {
    return fail(fmt::format("{} of the {} nodes {} of job {} did not answer within {} s: {}",
                            nodes.size() - answers, nodes.size(), fmt::join(nodes, ","), job.id,
                            patience.count(), split(trim(end->err), '\n').back()));
  }
  merge(all.tasks, told.tasks);
  merge(all.srun, told.srun);
  return {};
}

// The node of the batch script, where it is none of the step's: of the job, or its first part.
result<std::optional<job_record>> job_on(const job_record& job, const std::string& host) {
  const auto whole = job.part ? own_job(job.leader) : result<job_record>(job);
  if (!whole) return failure(whole.error());
  const auto nodes = node_names(whole->nodes);
  if (!nodes) return failure(nodes.error());
  return std::count(nodes->begin(), nodes->end(), host) > 0 ? std::optional(*whole) : std::nullopt;
}

}  // namespace

bool open_file::is(const open_file& other) const {
  if (kernel == other.kernel) return device == other.device && inode == other.inode;
  return shared && other.shared && inode == other.inode;
}

std::optional<srun_process> parse_srun_process(std::string_view scontrol, std::uint32_t step) {
  constexpr std::string_view begin = "StepId=";
  constexpr std::string_view key = "SrunHost:Pid=";
  const auto ending = fmt::format(".{}", step);
  bool of_it = false;
  for (const auto& line : split(scontrol, '\n')) {
    const auto plain = trim(line);
    if (plain.starts_with(begin)) {
      of_it = plain.substr(begin.size(), plain.find(' ') - begin.size()).ends_with(ending);
    }
    if (!of_it || !plain.starts_with(key)) continue;
    return parse_srun(plain.substr(key.size()));
  }
  return std::nullopt;
}

std::optional<srun_process> parse_srun(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto pid = parse_unsigned(text.substr(colon + 1));
  if (!pid || *pid == 0 || *pid > INT_MAX) return std::nullopt;
  return srun_process{std::string(text.substr(0, text.find_first_of(".:"))),
                      static_cast<pid_t>(*pid)};
}

bool fits_pattern(const std::string& pattern, const std::string& path) {
  constexpr std::string_view special = "*?[\\";
  const auto name = pattern.substr(pattern.rfind('/') + 1);
  std::string glob;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      if (special.find(name[i]) != std::string_view::npos) glob.push_back('\\');
      glob.push_back(name[i]);
      continue;
    }
    i = std::min(name.find_first_not_of("0123456789", i + 1), name.size());
    glob.push_back(i < name.size() && name[i] == '%' ? '%' : '*');
  }
  return !glob.empty() && ::fnmatch(glob.c_str(), path.c_str() + path.rfind('/') + 1, 0) == 0;
}

std::vector<std::string> patterns_in(const std::vector<std::string>& words,
                                     const std::vector<std::string>& environment, char letter,
                                     std::string_view option, std::string_view variable) {
  constexpr std::size_t shortest = 4;  // of the long options that can be meant
  std::vector<std::string> found;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto next = i + 1 < words.size() ? words[i + 1] : std::string();
    if (word.starts_with("--")) {
      const auto equals = word.find('=');
      const auto name = word.substr(0, equals);
      if (name.size() < shortest || !option.starts_with(name)) continue;
      found.emplace_back(equals == std::string_view::npos ? next : word.substr(equals + 1));
    } else if (word.starts_with('-')) {
      const auto at = word.find(letter, 1);
      if (at == std::string_view::npos) continue;
      found.emplace_back(at + 1 == word.size() ? next : word.substr(at + 1));
    }
  }
  for (const auto& entry : environment) {
    if (entry.starts_with(variable)) found.push_back(entry.substr(variable.size()));
  }
  return found;
}

told_output look_at_step(const std::string& id, const std::optional<srun_process>& srun) {
  told_output told;
  told.tasks = output_of_tasks(id);
  if (srun && srun->host == short_host()) {
    told.srun = output_of_srun(static_cast<std::uint64_t>(srun->pid));
  }
  return told;
}

std::string encode_output(const told_output& told) {
  const auto places = [](const output_places& one) {
    return json{{"out", encode(one.out)}, {"err", encode(one.err)}};
  };
  return json{{"tasks", places(told.tasks)}, {"srun", places(told.srun)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

told_output gather_output(std::string_view printed, std::size_t& answers) {
  told_output all;
  answers = 0;
  for (const auto& line : split(printed, '\n')) {
    try {
      const auto told = json::parse(line);
      read_places(all.tasks, told.at("tasks"));
      read_places(all.srun, told.at("srun"));
      ++answers;
    } catch (const json::exception&) {
      continue;  // a line of a prolog
    }
  }
  return all;
}

result<output_places> output_of_step(const job_record& job, const step_record& step,
                                     std::chrono::seconds patience) {
  const auto id = step.id();
  const auto text = run({{"scontrol", "show", "step", id}, client_environment(), {}});
  if (!text) return failure(text.error());
  const auto srun = parse_srun_process(text->out, step.step);
  const auto nodes = node_names(step.nodes);
  if (!nodes) return failure(nodes.error());
  std::vector<std::string> words{"logs", "--local", id};
  if (srun) words.push_back(fmt::format("--srun={}:{}", srun->host, srun->pid));
  told_output all;
  if (auto done = ask(all, job, *nodes, words, patience); !done) return failure(done.error());
  if (srun && srun->host == short_host()) {
    all.srun = look_at_step(id, srun).srun;
  } else if (srun && std::count(nodes->begin(), nodes->end(), srun->host) == 0) {
    const auto there = job_on(job, srun->host);
    if (!there) return failure(there.error());
    if (*there) {
      auto done = ask(all, **there, {srun->host}, words, patience);
      if (!done) return failure(done.error());
    }
  }
  const auto choose = [](auto& tasks, auto& of_srun) { return tasks.empty() ? of_srun : tasks; };
  return output_places{choose(all.tasks.out, all.srun.out), choose(all.tasks.err, all.srun.err)};
}

result<unique_fd> open_here(const open_file& file) {
  unique_fd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const bool missing = !fd && errno == ENOENT;
  if (!fd && !missing) return fail_errno(fmt::format("cannot open \"{}\"", file.path));
  const auto here = fd ? identify(fd.get()) : std::nullopt;
  if (here && here->is(file)) return fd;
  return fail(fmt::format("the step writes to \"{}\" of node {}, and {} on this machine", file.path,
                          file.node, missing ? "there is none" : "it is another file"));
}

}  // namespace berth::cli
