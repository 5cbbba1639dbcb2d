#include "cli/node_talk.hpp"

#include <chrono>

#include "base/channel.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

constexpr std::chrono::seconds request_patience{10};

result<node_request> ask(const node_reply& question) {
  if (auto sent = send_message(request_socket, encode(question)); !sent) {
    return pass(std::move(sent));
  }
  return receive_request();
}

}  // namespace

result<node_request> receive_request() {
  const auto received = receive_message(request_socket, from_now(request_patience));
  if (!received) return failure(received.error());
  return decode_request(received->bytes);
}

result<void> ask_for_job(node_request& request) {
  node_reply question;
  question.asks_for_job = true;
  auto again = ask(question);
  if (!again) return pass(std::move(again));
  request.job = std::move(again->job);
  return {};
}

result<std::vector<std::string>> ask_for_variables(std::vector<std::string> names) {
  node_reply question;
  question.asks_for_variables = std::move(names);
  auto again = ask(question);
  if (!again) return pass(std::move(again));
  return std::move(again->variables);
}

result<void> ask_for_patience() {
  node_reply notice;
  notice.unpacks = true;
  return send_message(request_socket, encode(notice));
}

}  // namespace berth::cli
