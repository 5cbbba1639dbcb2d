#include "binding/channel.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <thread>

#include "base/unique_fd.hpp"

namespace berth::lua {
namespace {

using std::chrono::milliseconds;

deadline in(milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

class Channel : public testing::Test {
 protected:
  Channel() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    here_.reset(ends[0]);
    there_.reset(ends[1]);
  }
  unique_fd here_, there_;
};

TEST_F(Channel, MessagesKeepTheirBounds) {
  ASSERT_TRUE(send_message(here_.get(), "first", in(milliseconds(1000))));
  ASSERT_TRUE(send_message(here_.get(), "", in(milliseconds(1000))));
  EXPECT_EQ(*receive_message(there_.get(), in(milliseconds(1000))), "first");
  EXPECT_EQ(*receive_message(there_.get(), in(milliseconds(1000))), "");
}

TEST_F(Channel, LargeMessagesPassThrough) {
  const std::string large(longest_message, 'x');
  std::thread sender(
      [&] { EXPECT_TRUE(send_message(here_.get(), large, in(milliseconds(9000)))); });
  EXPECT_EQ(*receive_message(there_.get(), in(milliseconds(9000))), large);
  sender.join();
}

TEST_F(Channel, SilenceIsATimeout) {
  EXPECT_EQ(receive_message(here_.get(), in(milliseconds(20))).error().code(),
            std::errc::timed_out);
  EXPECT_EQ(::send(there_.get(), "ab", 2, 0), 2);
  EXPECT_EQ(receive_message(here_.get(), in(milliseconds(20))).error().code(),
            std::errc::timed_out);
  const std::string large(longest_message, 'x');
  EXPECT_EQ(send_message(here_.get(), large, in(milliseconds(20))).error().code(),
            std::errc::timed_out);
}

TEST_F(Channel, AClosedPeerIsAnError) {
  there_.reset();
  EXPECT_FALSE(send_message(here_.get(), "x", in(milliseconds(1000))));
  EXPECT_EQ(receive_message(here_.get(), in(milliseconds(1000))).error().code(),
            std::errc::connection_reset);
}

TEST_F(Channel, AnnouncedSizesAreLimited) {
  const std::uint32_t size = longest_message + 1;
  ASSERT_EQ(::send(there_.get(), &size, sizeof size, 0), 4);
  EXPECT_EQ(receive_message(here_.get(), in(milliseconds(1000))).error().text(),
            "message of 4194305 bytes is too long");
  EXPECT_FALSE(send_message(here_.get(), std::string(size, 'x'), in(milliseconds(1000))));
}

}  // namespace
}  // namespace berth::lua
