#include "container/unpack_job.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/channel.hpp"
#include "container/wire.hpp"

namespace berth::container {
namespace {

constexpr std::uint32_t answer_ok = 0;
constexpr std::uint32_t answer_failed = 1;

result<void> check_program(const std::string& program) {
  struct stat info {};
  if (::stat(program.c_str(), &info) != 0) {
    return fail_errno(fmt::format("program \"{}\"", program));
  }
  if (info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return fail(
      fmt::format("program \"{}\" must belong to root and be writable by nobody else", program));
}

[[noreturn]] void exec_program(const std::string& program, int socket, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto copy = ::fcntl(socket, F_DUPFD, unpack_socket + 1);
  if (::getppid() == parent && copy >= 0 && ::dup2(copy, unpack_socket) >= 0 &&
      ::close_range(unpack_socket + 1, ~0U, 0) == 0) {
    ::execl(program.c_str(), program.c_str(), nullptr);
  }
  ::_exit(1);
}

result<unpacked_image> read_answer(int socket) {
  auto received = receive_message(socket, no_deadline);
  if (!received) return pass(std::move(received), "the program that unpacks");
  wire_reader in(received->bytes);
  const auto status = in.u32();
  auto text = in.text();
  if (auto whole = in.finish(); !whole) return pass(std::move(whole));
  if (status != answer_ok) return fail(std::move(text));
  if (!received->fd || !received->second_fd) return fail("the answer brings no files");
  unpacked_image made;
  made.folder.fd = std::move(received->fd);
  made.folder.path = std::move(text);
  made.folder.kind = image::kind::folder;
  made.lease = std::move(received->second_fd);
  return made;
}

std::string answer(std::uint32_t status, const std::string& text) {
  wire_writer out;
  out.u32(status);
  out.text(text);
  return out.take();
}

}  // namespace

std::string encode(const unpack_job& job) {
  wire_writer out;
  out.text(job.image);
  out.u32(job.kind == image::kind::erofs ? 1 : 0);
  out.u32(job.user.uid);
  out.u32(job.user.gid);
  out.numbers(job.user.groups);
  out.text(job.folder);
  out.u64(job.quota);
  return out.take();
}

result<unpack_job> decode_unpack_job(std::string_view bytes) {
  wire_reader in(bytes);
  unpack_job job;
  job.image = in.text();
  job.kind = in.u32() == 1 ? image::kind::erofs : image::kind::squashfs;
  job.user.uid = in.u32();
  job.user.gid = in.u32();
  job.user.groups = in.numbers();
  job.folder = in.text();
  job.quota = in.u64();
  if (auto whole = in.finish(); !whole) return pass(std::move(whole));
  return job;
}

result<unpacked_image> unpack_elsewhere(const std::string& program, const unpack_job& job,
                                        int image) {
  if (auto usable = check_program(program); !usable) return pass(std::move(usable));
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) exec_program(program, sockets->theirs.get(), parent);
  sockets->theirs.reset();
  const auto sent = send_message(sockets->ours.get(), encode(job), no_deadline, image);
  auto made = sent ? read_answer(sockets->ours.get()) : failure(sent.error());
  // What has not answered by now never will.
  if (!made) ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return made;
}

result<void> answer_unpacked(int socket, const std::string& path, int folder, int lease) {
  return send_message(socket, answer(answer_ok, path), no_deadline, folder, lease);
}

result<void> answer_unpack_failure(int socket, const std::string& reason) {
  return send_message(socket, answer(answer_failed, reason));
}

}  // namespace berth::container
