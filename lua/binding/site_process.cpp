#include "binding/site_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "binding/sandbox.hpp"
#include "binding/site_file.hpp"
#include "binding/wire.hpp"

namespace berth::lua {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;
constexpr std::chrono::seconds patience{2};

// Root obeys this file, so nobody else may be able to write it.
result<void> check_ownership(const std::string& path, const struct stat& about) {
  if (::geteuid() != 0) return {};
  if (about.st_uid != 0) {
    return fail(fmt::format("site file \"{0}\" belongs to user {1}, not to root; chown root {0}",
                            path, about.st_uid));
  }
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(
        fmt::format("site file \"{0}\" can be written by others than root; chmod go-w {0}", path));
  }
  return {};
}

result<std::string> read_site_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return fail_errno(fmt::format("cannot open site file \"{}\"", path));
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) {
    return fail_errno(fmt::format("cannot examine site file \"{}\"", path));
  }
  if (!S_ISREG(about.st_mode)) {
    return fail(fmt::format("site file \"{}\" is not a regular file", path));
  }
  auto owned = check_ownership(path, about);
  if (!owned) return pass(std::move(owned));
  auto text = read_all(fd.get(), largest_file);
  if (!text) return pass(std::move(text), fmt::format("site file \"{}\"", path));
  return text;
}

// The child, from here to its end. It answers one evaluation, then question after question until
// the parent closes the socket.
[[noreturn]] void serve(const std::string& path, const std::string& source, int socket,
                        pid_t parent) {
  const auto say = [](const std::string& text) {
    if (!send_message(0, text, from_now(patience))) ::_exit(1);
  };
  const auto harmless = give_up_everything(socket, parent);
  if (!harmless) ::_exit(2);
  evaluation first;
  auto file = site_file::evaluate(path, source, first.problems);
  if (!file && first.problems.empty()) first.problems = {file.error().text()};
  if (file) {
    first.rules = file->config();
    first.from = file->from();
  }
  say(encode(first));
  while (file && file->config().has_admit) {
    const auto question = receive_message(0, no_deadline);
    if (!question) break;
    const auto asked = decode_question(question->bytes);
    if (!asked) break;
    say(encode(file->admit(asked->job, asked->image)));
  }
  ::_exit(0);
}

std::string how_it_ended(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    return fmt::format("ended by signal {}; it may use 2 s of processor time and 256 MiB of memory",
                       WTERMSIG(status));
  }
  if (WEXITSTATUS(status) == 2) return "could not give up its privileges";
  return fmt::format("ended without an answer, exit code {}", WEXITSTATUS(status));
}

}  // namespace

site_process::site_process(site_process&& other) noexcept
    : child_(std::exchange(other.child_, -1)),
      socket_(std::move(other.socket_)),
      rules_(std::move(other.rules_)),
      from_(std::move(other.from_)) {}

site_process::~site_process() {
  end();
}

void site_process::end() noexcept {
  socket_.reset();
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

result<site_process> site_process::start(const std::string& path) {
  std::vector<std::string> problems;
  auto started = start(path, problems);
  if (started || problems.size() < 2) return started;
  return fail(fmt::format("{} (and {} more: berth config check {})", problems.front(),
                          problems.size() - 1, path));
}

result<site_process> site_process::start(const std::string& path,
                                         std::vector<std::string>& problems) {
  const auto source = read_site_file(path);
  if (!source) return failure(source.error());
  site_process fresh;
  auto done = fresh.spawn(path, *source);
  if (done) done = fresh.take_evaluation(path, problems);
  if (!done) return pass(std::move(done));
  return fresh;
}

result<site_process> site_process::start_or_default(const std::string& path) {
  auto started = start(path);
  const bool missing = !started && started.error().code() == std::errc::no_such_file_or_directory;
  if (missing && path == default_site_file) return site_process();
  return started;
}

result<void> site_process::spawn(const std::string& path, const std::string& source) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("cannot create a socket for the site file's process");
  }
  socket_ = unique_fd(ends[0]);
  const unique_fd childs_end(ends[1]);
  const auto parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) return fail_errno("cannot start the site file's process");
  if (child_ == 0) serve(path, source, childs_end.get(), parent);
  return {};
}

result<std::string> site_process::ask(std::optional<std::string> message) {
  const auto until = from_now(patience);
  auto sent = message ? send_message(socket_.get(), *message, until) : result<void>();
  auto answer = sent ? receive_message(socket_.get(), until) : pass(std::move(sent));
  if (answer) return std::move(answer->bytes);
  const auto code = answer.error().code();
  if (code == std::errc::timed_out) {
    end();
    return fail(fmt::format("no answer within {} seconds", patience.count()));
  }
  if (code == std::errc::connection_reset || code == std::errc::broken_pipe) {
    socket_.reset();
    return fail("its process " + how_it_ended(std::exchange(child_, -1)));
  }
  end();
  return pass(std::move(answer));
}

result<void> site_process::take_evaluation(const std::string& path,
                                           std::vector<std::string>& problems) {
  auto message = ask(std::nullopt);
  if (!message) return pass(std::move(message), fmt::format("site file \"{}\"", path));
  auto values = decode_evaluation(*message);
  if (!values) return pass(std::move(values), fmt::format("site file \"{}\"", path));
  problems = std::move(values->problems);
  if (!problems.empty()) return fail(problems.front());
  auto valid = site::validate(values->rules);
  if (!valid) return pass(std::move(valid), fmt::format("site file \"{}\"", path));
  rules_ = std::move(values->rules);
  from_ = std::move(values->from);
  if (!rules_.has_admit) end();
  return {};
}

result<site::decision> site_process::admit(const site::job_facts& job,
                                           const site::image_facts& image) {
  if (!rules_.has_admit) return site::decision{};
  if (child_ < 0) return fail("the site's policy admit(job, image): its process has ended");
  auto message = ask(encode(question{job, image}));
  if (!message) return pass(std::move(message), "the site's policy admit(job, image)");
  auto answer = decode_decision(*message);
  if (!answer) return pass(std::move(answer), "the site's policy admit(job, image)");
  return answer;
}

}  // namespace berth::lua
