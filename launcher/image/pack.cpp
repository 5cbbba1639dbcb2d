#include "image/pack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "image/libraries.hpp"
#include "image/runtime.hpp"
#include "image/skeleton.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

bool executable(const std::string& path) {
  std::error_code none;
  return fs::is_regular_file(path, none) && ::access(path.c_str(), X_OK) == 0;
}

result<std::string> find_program(const std::string& name, const std::string& search_path) {
  if (name.find('/') != std::string::npos) {
    struct stat info {};
    if (::stat(name.c_str(), &info) != 0) return fail_errno(fmt::format("program \"{}\"", name));
    if (S_ISDIR(info.st_mode)) {
      return fail(fmt::format("program \"{}\" is a folder; add it with --file", name));
    }
    if (executable(name)) return name;
    return fail(
        fmt::format("program \"{}\" is not executable; chmod +x it, or add it with --file", name));
  }
  for (const auto& folder : split(search_path, ':')) {
    auto path = (folder.empty() ? "." : folder) + '/' + name;
    if (executable(path)) return path;
  }
  return fail(
      fmt::format("program \"{}\" is not found in PATH ({}); for one in this folder write "
                  "./{}",
                  name, search_path, name));
}

// The words after "#!", nothing for other files.
std::vector<std::string> interpreter_line(const std::string& path) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> start{};  // the kernel reads no more either
  const auto n = ::read(fd.get(), start.data(), start.size());
  if (n < 2) return {};
  std::string_view line(start.data(), static_cast<std::size_t>(n));
  if (!line.starts_with("#!")) return {};
  line = trim(line.substr(2, line.find('\n') - 2));
  auto words = split(line, ' ');
  std::erase(words, std::string());
  return words;
}

// The NAME of "#!/usr/bin/env [-S] [VARIABLE=value...] NAME".
std::optional<std::string> program_of_env(const std::vector<std::string>& words) {
  if (words.empty() || fs::path(words.front()).filename() != "env") return std::nullopt;
  const auto name = std::find_if(words.begin() + 1, words.end(), [](const std::string& word) {
    return !word.starts_with('-') && word.find('=') == std::string::npos;
  });
  return name == words.end() ? std::nullopt : std::optional(*name);
}

class planner {
 public:
  explicit planner(const pack_request& request) : request_(request), libraries_(plan_.files) {}

  result<pack_plan> plan() {
    plan_.metadata.env = request_.env;
    plan_.metadata.workdir = request_.workdir;
    plan_.metadata.entrypoint = request_.entrypoint;
    plan_.metadata.cmd = request_.cmd;
    plan_.metadata.tool = request_.tool;
    plan_.metadata.architecture = host_architecture();
    add_default("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (auto valid = validate(plan_.metadata); !valid) return pass(std::move(valid));
    if (auto done = add_all(); !done) return pass(std::move(done));
    for (const auto& [path, what] : plan_.files.nodes()) {
      const auto* file = std::get_if<copied_file>(&what);
      if (file != nullptr) plan_.created = std::max(plan_.created, file->modified);
    }
    return std::move(plan_);
  }

 private:
  // Adds "NAME=value" unless the user has given NAME.
  void add_default(const std::string& entry) {
    auto& env = plan_.metadata.env;
    const auto name = entry.substr(0, entry.find('=') + 1);
    if (std::none_of(env.begin(), env.end(),
                     [&](const std::string& given) { return given.starts_with(name); })) {
      env.push_back(entry);
    }
  }

  result<void> add_all() {
    if (auto done = add_skeleton(plan_.files); !done) return done;
    for (const auto& name : request_.programs) {
      if (auto done = add_program(name); !done) return done;
    }
    for (const auto& file : request_.files) {
      if (auto done = add_extra(file); !done) return done;
    }
    if (request_.mpi) {
      auto left_out = add_runtime_files(plan_.files, libraries_);
      if (!left_out) return pass(std::move(left_out));
      plan_.left_out = std::move(*left_out);
    }
    // A rank that nobody launched would start Open MPI's daemon and look for ssh; alone it needs
    // neither.
    if (libraries_.found().contains("libopen-rte.so.40")) {
      add_default("OMPI_MCA_ess_singleton_isolated=1");
    }
    if (!request_.workdir.empty() && !plan_.files.contains(request_.workdir)) {
      if (auto done = plan_.files.put(request_.workdir, folder{}); !done) return done;
    }
    return add_libc_files(plan_.files, libraries_);
  }

  result<void> add_program(const std::string& name) {
    const auto path = find_program(name, request_.search_path);
    if (!path) return failure(path.error());
    auto target = "/usr/bin/" + fs::path(*path).filename().string();
    std::error_code code;
    const auto real = fs::canonical(*path, code).string();
    if (auto done = plan_.files.copy(real, target); !done) return done;
    plan_.metadata.programs.push_back(std::move(target));
    if (auto done = libraries_.add(real); !done) return done;
    return add_interpreter(name, interpreter_line(real));
  }

  result<void> add_interpreter(const std::string& script, const std::vector<std::string>& words) {
    if (words.empty()) return {};
    std::vector<std::string> needed{words.front()};
    if (auto name = program_of_env(words)) needed.push_back(std::move(*name));
    for (const auto& program : needed) {
      auto path = find_program(program, request_.search_path);
      if (!path) return pass(std::move(path), fmt::format("interpreter of \"{}\"", script));
      const auto absolute = normal_path(*path);
      if (auto done = plan_.files.mirror(absolute); !done) return done;
      if (auto done = libraries_.add(absolute); !done) return done;
    }
    return {};
  }

  result<void> add_extra(const extra_file& file) {
    const auto source = normal_path(file.source);
    struct stat info {};
    if (::stat(source.c_str(), &info) != 0) return fail_errno(fmt::format("file \"{}\"", source));
    if (!S_ISDIR(info.st_mode)) {
      if (auto done = libraries_.add(source); !done) return done;
    }
    if (file.target.empty()) return plan_.files.mirror(source);
    if (!S_ISDIR(info.st_mode)) return plan_.files.copy(source, file.target);
    return copy_folder(source, file.target);
  }

  // Links below the folder stay as they are.
  result<void> copy_folder(const std::string& source, const std::string& target) {
    if (auto done = plan_.files.put(target, folder{}); !done) return done;
    std::error_code code;
    for (fs::recursive_directory_iterator entry(source, code), end; !code && entry != end;
         entry.increment(code)) {
      const auto at = target + entry->path().string().substr(source.size());
      result<void> done;
      if (entry->is_symlink()) {
        done = plan_.files.put(at, symlink{fs::read_symlink(entry->path(), code).string()});
      } else if (entry->is_directory()) {
        done = plan_.files.put(at, folder{});
      } else {
        done = plan_.files.copy(entry->path().string(), at);
      }
      if (!done) return done;
    }
    if (code) return failure(error(fmt::format("cannot read folder \"{}\"", source), code));
    return {};
  }

  const pack_request& request_;
  pack_plan plan_;
  library_closure libraries_;
};

}  // namespace

result<pack_plan> plan_image(const pack_request& request) {
  return planner(request).plan();
}

result<extra_file> parse_extra_file(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return extra_file{text, {}};
  extra_file file{text.substr(0, colon), text.substr(colon + 1)};
  if (file.source.empty() || !file.target.starts_with('/')) {
    return fail(fmt::format("--file \"{}\": write SRC or SRC:DST with an absolute DST", text));
  }
  file.target = normal_path(file.target);
  return file;
}

}  // namespace berth::image
