#include "image/metadata.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace berth::image {
namespace {

using testing::HasSubstr;

std::string with(std::string_view more) {
  return fmt::format(R"({{"schema":1,"architecture":"amd64"{}}})", more);
}

TEST(Metadata, ReadsBackWhatItWrites) {
  const image_metadata data{"arm64",
                            {"PATH=/usr/bin", "EMPTY=", "TEXT=a=b \"c\"\n\xc3\xa9"},
                            "/data/my dir",
                            "2024-05-01T12:00:00Z",
                            {"/usr/bin/train"},
                            "berth 1.2.3",
                            {"/usr/bin/tini", "--", ""},
                            {"train", "a b"}};
  const auto back = parse_metadata(write_metadata(data));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->architecture, data.architecture);
  EXPECT_EQ(back->env, data.env);
  EXPECT_EQ(back->workdir, data.workdir);
  EXPECT_EQ(back->created, data.created);
  EXPECT_EQ(back->programs, data.programs);
  EXPECT_EQ(back->tool, data.tool);
  EXPECT_EQ(back->entrypoint, data.entrypoint);
  EXPECT_EQ(back->cmd, data.cmd);
}

TEST(Metadata, AcceptsLittleAndIgnoresUnknownKeys) {
  for (const auto* more : {"", R"(,"later":{"a":[1,2]})", R"(,"env":[])", R"(,"workdir":"/")",
                           R"(,"created":"2024-05-01T12:00:00.5+02:00")"}) {
    EXPECT_TRUE(parse_metadata(with(more))) << more;
  }
}

TEST(Metadata, RefusesWhatIsWrongAndNamesIt) {
  const std::pair<std::string, const char*> texts[] = {
      {"", "not a JSON object"},
      {"[1]", "not a JSON object"},
      {R"({"schema":1)", "not a JSON object"},
      {R"({"architecture":"amd64"})", "schema"},
      {R"({"schema":2,"architecture":"amd64"})", "schema"},
      {R"({"schema":"1","architecture":"amd64"})", "schema"},
      {R"({"schema":1})", "architecture"},
      {R"({"schema":1,"architecture":"AMD 64"})", "architecture"},
      {R"({"schema":1,"architecture":7})", "architecture"},
      {with(R"(,"env":"PATH=/bin")"), "env"},
      {with(R"(,"env":[1])"), "env"},
      {with(R"(,"env":["NOVALUE"])"), "environment variable"},
      {with(R"(,"env":["=x"])"), "environment variable"},
      {with(R"(,"env":["1A=x"])"), "environment variable"},
      {with(R"(,"env":["A-B=x"])"), "environment variable"},
      {with(R"(,"env":["A=x\u0000y"])"), "environment variable"},
      {with(R"(,"workdir":"data")"), "working directory"},
      {with(R"(,"entrypoint":"/bin/sh")"), "entrypoint"},
      {with(R"(,"entrypoint":[""])"), "entrypoint"},
      {with(R"(,"cmd":["a\u0000b"])"), "cmd"},
      {with(R"(,"workdir":"/a/../b")"), "working directory"},
      {with(R"(,"workdir":"/a\u001b[2J")"), "working directory"},
      {with(R"(,"created":"yesterday")"), "created"},
      {with(R"(,"programs":["train"])"), "programs"},
      {with(R"(,"tool":"\u001b]0;x\u0007")"), "tool"},
      {std::string(100000, '['), "larger than"},
      {std::string(60000, '['), "not a JSON object"},
  };
  for (const auto& [text, message] : texts) {
    const auto data = parse_metadata(text);
    ASSERT_FALSE(data) << text;
    EXPECT_THAT(data.error().text(), HasSubstr(message)) << text;
  }
}

TEST(Metadata, LimitsSizeAndNumberOfVariables) {
  const auto variables = [](int n) {
    std::string list = "\"A=1\"";
    for (int i = 1; i < n; ++i) list += ",\"A=1\"";
    return with(R"(,"env":[)" + list + "]");
  };
  EXPECT_TRUE(parse_metadata(variables(256)));
  EXPECT_FALSE(parse_metadata(variables(257)));
  const auto padded = [](std::size_t size) {
    auto text = with("");
    return text + std::string(size - text.size(), ' ');
  };
  EXPECT_TRUE(parse_metadata(padded(65536)));
  EXPECT_FALSE(parse_metadata(padded(65537)));
}

TEST(Metadata, WritesTimesAsRfc3339) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(1714564800), "2024-05-01T12:00:00Z");
}

}  // namespace
}  // namespace berth::image
