#include "base/channel.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/file.hpp"

namespace berth {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr auto soon = 100ms;
constexpr auto plenty = 10s;

class Channel : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pair_); }
  int ours() { return pair_->ours.get(); }
  int theirs() { return pair_->theirs.get(); }
  void send_raw(std::string_view bytes) { ASSERT_TRUE(write_all(theirs(), bytes)); }
  result<socket_pair> pair_ = make_socket_pair();
};

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(Channel, CarriesMessagesInOrder) {
  const std::string messages[] = {"", "one", std::string("\0\n\xff", 3)};
  for (const auto& bytes : messages) ASSERT_TRUE(send_message(theirs(), bytes));
  for (const auto& bytes : messages) {
    const auto got = receive_message(ours(), from_now(plenty));
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->bytes, bytes);
    EXPECT_FALSE(got->fd);
  }
}

TEST_F(Channel, CarriesTheLongestMessageAcrossSmallBuffers) {
  const std::string longest(message_limit, 'm');
  std::thread sender([&] { EXPECT_TRUE(send_message(theirs(), longest)); });
  const auto got = receive_message(ours(), from_now(plenty));
  sender.join();
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_TRUE(got->bytes == longest);
  EXPECT_FALSE(send_message(theirs(), longest + "m"));
}

TEST_F(Channel, PassesADescriptorThatClosesOnExec) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const unique_fd reader(pipe_ends[0]);
  unique_fd writer(pipe_ends[1]);
  ASSERT_TRUE(send_message(theirs(), "take it", no_deadline, writer.get()));
  writer.reset();
  auto got = receive_message(ours(), from_now(plenty));
  ASSERT_TRUE(got);
  ASSERT_TRUE(got->fd);
  EXPECT_EQ(::fcntl(got->fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  ASSERT_TRUE(write_all(got->fd.get(), "through"));
  got->fd.reset();
  EXPECT_EQ(*read_all(reader.get(), 100), "through");
}

TEST_F(Channel, BothEndsCloseOnExec) {
  for (const auto fd : {ours(), theirs()}) {
    EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
}

TEST_F(Channel, PassesTwoDescriptorsInTheirOrder) {
  const auto before = open_descriptors();
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  {
    const unique_fd reader(pipe_ends[0]);
    const unique_fd writer(pipe_ends[1]);
    ASSERT_TRUE(send_message(theirs(), "both", no_deadline, reader.get(), writer.get()));
    const auto got = receive_message(ours(), from_now(plenty));
    ASSERT_TRUE(got);
    ASSERT_TRUE(got->fd && got->second_fd);
    EXPECT_EQ(::fcntl(got->second_fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ASSERT_TRUE(write_all(got->second_fd.get(), "x"));
    char byte = 0;
    EXPECT_EQ(::read(got->fd.get(), &byte, 1), 1);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Channel, AMessageWithoutDescriptorsHasNone) {
  ASSERT_TRUE(send_message(theirs(), "plain"));
  const auto got = receive_message(ours(), from_now(plenty));
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->fd || got->second_fd);
}

TEST_F(Channel, KeepsTwoDescriptorsOfAPeerThatSendsMore) {
  const auto before = open_descriptors();
  std::array<int, 5> many{STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO,
                          STDERR_FILENO};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof many)> control{};
  std::string_view framed = "\x01\0\0\0x"sv;
  iovec data{const_cast<char*>(framed.data()), framed.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  auto* item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof many);
  std::memcpy(CMSG_DATA(item), many.data(), sizeof many);
  ASSERT_GT(::sendmsg(theirs(), &header, 0), 0);
  {
    const auto got = receive_message(ours(), from_now(plenty));
    EXPECT_LE(open_descriptors(), before + 2);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Channel, RefusesLengthsAboveTheLimit) {
  for (const auto length : {"\xff\xff\xff\xff"sv, "\x01\0\x40\0"sv}) {
    auto pair = make_socket_pair();
    ASSERT_TRUE(write_all(pair->theirs.get(), length));
    EXPECT_THAT(receive_message(pair->ours.get(), from_now(plenty)).error().text(),
                HasSubstr("too long"));
  }
}

TEST_F(Channel, NoticesAPeerThatCloses) {
  for (const auto sent : {""sv, "\x05\0"sv, "\x05\0\0\0abc"sv}) {
    auto pair = make_socket_pair();
    ASSERT_TRUE(write_all(pair->theirs.get(), sent));
    pair->theirs.reset();
    EXPECT_EQ(receive_message(pair->ours.get(), from_now(plenty)).error().code(),
              std::errc::connection_reset);
  }
}

TEST_F(Channel, SendingToAClosedPeerIsAnErrorAndNoSignal) {
  pair_->ours.reset();
  const auto sent = send_message(theirs(), "anybody?");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), std::errc::broken_pipe);
}

TEST_F(Channel, GivesUpWhenTheTimeHasPassed) {
  const auto start = std::chrono::steady_clock::now();
  const auto silence = receive_message(ours(), from_now(soon));
  ASSERT_FALSE(silence);
  EXPECT_EQ(silence.error().code(), std::errc::timed_out);
  EXPECT_GE(std::chrono::steady_clock::now() - start, soon);
}

TEST_F(Channel, GivesUpOnAPeerThatTakesNothing) {
  const std::string longest(message_limit, 'm');
  EXPECT_EQ(send_message(theirs(), longest, from_now(soon)).error().code(), std::errc::timed_out);
}

TEST_F(Channel, APeerThatTricklesDoesNotStretchTheTime) {
  send_raw("\xff\0\0\0"sv);
  std::thread trickle([socket = theirs()] {
    while (::send(socket, "x", 1, MSG_NOSIGNAL) == 1) std::this_thread::sleep_for(20ms);
  });
  const auto start = std::chrono::steady_clock::now();
  const auto got = receive_message(ours(), from_now(soon));
  const auto spent = std::chrono::steady_clock::now() - start;
  pair_->ours.reset();
  trickle.join();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), std::errc::timed_out);
  EXPECT_LT(spent, 2s);
}

}  // namespace
}  // namespace berth
