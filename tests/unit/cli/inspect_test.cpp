#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "image/metadata.hpp"
#include "program.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Inspect : public program_test {
 protected:
  std::string squash(const std::string& metadata) const {
    fs::create_directories(path("root/.berth"));
    if (!metadata.empty()) write("root/.berth/image.json", metadata);
    const auto made = run_ok({{"mksquashfs", path("root"), path("i.sqsh"), "-quiet", "-noappend",
                               "-no-progress", "-mkfs-time", "1700000000"},
                              environment(),
                              {}});
    EXPECT_TRUE(made) << made.error().text();
    return path("i.sqsh");
  }
};

TEST_F(Inspect, SaysWhatAnImageIs) {
  const auto image = squash(R"({"schema":1,"architecture":")" + image::host_architecture() +
                            R"(","env":["A=b\u001b[2J"],"workdir":"/w"})");
  const auto text = berth({"inspect", image});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("squashfs 4.0, gzip"), HasSubstr("2023-11-14T22:13:20Z"),
                              HasSubstr("(as this machine)"), HasSubstr("A=b\\x1b[2J"),
                              HasSubstr("others than root can change")));
  const auto json = nlohmann::json::parse(berth({"inspect", "--json", image}).out);
  EXPECT_EQ(json["bytes"], fs::file_size(image));
  EXPECT_EQ(json["architecture"], image::host_architecture());
  EXPECT_EQ(json["workdir"], "/w");
  EXPECT_EQ(json["trusted_path"], false);
}

TEST_F(Inspect, EveryKindOfImageShowsTheSameFacts) {
  squash(R"({"schema":1,"architecture":"vax","programs":["/usr/bin/train"]})");
  const auto made =
      run_ok({{"mkfs.erofs", "--quiet", "-zlz4hc", "-T1700000000", path("i.erofs"), path("root")},
              environment(),
              {}});
  ASSERT_TRUE(made) << made.error().text();
  const std::pair<const char*, const char*> images[] = {
      {"i.sqsh", "squashfs"}, {"i.erofs", "erofs"}, {"root", "folder"}};
  for (const auto& [name, format] : images) {
    const auto text = berth({"inspect", path(name)});
    EXPECT_EQ(text.err, "");
    EXPECT_THAT(text.out, AllOf(HasSubstr("vax (this machine is "), HasSubstr("/usr/bin/train")));
    const auto json = nlohmann::json::parse(berth({"inspect", "--json", path(name)}).out);
    EXPECT_EQ(json["format"], format);
    EXPECT_EQ(json["programs"][0], "/usr/bin/train");
    const bool is_file = std::string_view(format) != "folder";
    EXPECT_EQ(json.contains("bytes"), is_file);
    EXPECT_EQ(json.value("created", ""), is_file ? "2023-11-14T22:13:20Z" : "");
  }
  EXPECT_THAT(berth({"inspect", path("i.erofs")}).out, HasSubstr("EROFS, lz4, blocks of 4096"));
}

TEST_F(Inspect, WarnsOfAnotherArchitecture) {
  const auto image = squash(R"({"schema":1,"architecture":"vax"})");
  EXPECT_THAT(berth({"inspect", image}).out, HasSubstr("vax (this machine is "));
}

TEST_F(Inspect, ImagesOfOtherToolsAreFine) {
  const auto image = squash("");
  const auto end = berth({"inspect", image});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.err, "");
  EXPECT_THAT(end.out, HasSubstr("unknown (not packed by berth)"));
}

TEST_F(Inspect, BrokenMetadataIsAWarning) {
  const auto end = berth({"inspect", squash("{")});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("berth: warning: "), HasSubstr("ignoring")));
}

TEST_F(Inspect, BadImagesAreOneLineAndExitCode2) {
  auto truncated = squash("");
  fs::resize_file(truncated, 100);
  const std::pair<std::string, const char*> images[] = {
      {truncated, "truncated: has 100 of "},
      {path("absent"), "cannot open: No such file or directory"},
      {write("text", "hello"), "is not a squashfs image"},
      {write("empty", ""), "is empty"},
      {BERTH_PROGRAM, "is an ELF program"},
      {"/dev/null", "is not a regular file or a folder"},
  };
  for (const auto& [image, message] : images) {
    const auto end = berth({"inspect", image});
    EXPECT_EQ(end.exit_code, 2) << image;
    EXPECT_EQ(end.out, "");
    EXPECT_THAT(end.err, AllOf(HasSubstr(fmt::format("berth: error: image \"{}\": ", image)),
                               HasSubstr(message)));
    EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1);
  }
}

}  // namespace
}  // namespace berth::cli
