#include "data/pack.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(Pack, GivesBackWhatWasPutInTheSameOrder) {
  packer to;
  to.put(std::int64_t{-7});
  to.put(std::string("größe\0x", 9));
  to.put(std::vector<std::string>{"", "a"});
  to.put(std::vector<double>{});
  to.put(true);
  unpacker from(std::move(to).take());
  std::int64_t number = 0;
  std::string text;
  std::vector<std::string> texts;
  std::vector<double> none{1};
  bool flag = false;
  from.get(number);
  from.get(text);
  from.get(texts);
  from.get(none);
  from.get(flag);
  EXPECT_EQ(number, -7);
  EXPECT_EQ(text, std::string("größe\0x", 9));
  EXPECT_EQ(texts, (std::vector<std::string>{"", "a"}));
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(flag);
}

}  // namespace
}  // namespace berth::apps
