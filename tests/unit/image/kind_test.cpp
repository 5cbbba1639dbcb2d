#include "image/kind.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include "base/subprocess.hpp"
#include "base/unique_fd.hpp"
#include "scratch.hpp"

namespace berth::image {
namespace {

using testing::HasSubstr;

class Kind : public testing::Test {
 protected:
  Kind() { folder_.write("root/file", "x"); }
  void make(const std::vector<std::string>& argv) {
    const auto made = run_ok({argv, current_environment(), {}});
    ASSERT_TRUE(made) << made.error().text();
  }
  static result<image_content> look(const std::string& path) {
    const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return recognise(fd.get());
  }
  scratch folder_;
};

TEST_F(Kind, IsFoundByContentWhateverTheName) {
  make({"mksquashfs", folder_ / "root", folder_ / "a.erofs", "-quiet", "-no-progress"});
  make({"mkfs.erofs", "--quiet", folder_ / "b.sqsh", folder_ / "root"});
  const std::pair<std::string, kind> images[] = {
      {"a.erofs", kind::squashfs}, {"b.sqsh", kind::erofs}, {"root", kind::folder}};
  for (const auto& [name, expected] : images) {
    const auto found = look(folder_ / name);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(kind_of(*found), expected) << name;
  }
}

TEST_F(Kind, ACutImageIsNoImage) {
  make({"mkfs.erofs", "--quiet", folder_ / "b.erofs", folder_ / "root"});
  make({"mksquashfs", folder_ / "root", folder_ / "a.sqsh", "-quiet", "-no-progress"});
  std::filesystem::resize_file(folder_ / "b.erofs", 4095);
  std::filesystem::resize_file(folder_ / "a.sqsh", 120);
  for (const auto* name : {"a.sqsh", "b.erofs"}) {
    const auto found = look(folder_ / name);
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().text(), HasSubstr("truncated: has "));
  }
}

TEST_F(Kind, SaysWhatOtherFilesAre) {
  const auto tar = folder_ / "a.tar";
  make({"tar", "cf", tar, "-C", folder_ / "root", "file"});
  const std::pair<std::string, const char*> files[] = {
      {folder_.write("empty", ""), "is empty, not a squashfs image, an EROFS image or a folder"},
      {folder_.write("text", "hello"), "is not a squashfs image"},
      {folder_.write("short", "hsq"), "is not a squashfs image"},
      {folder_.write("a.gz", "\x1f\x8b\x08"), "is a gzip file, not"},
      {tar, "is a tar archive (docker save"},
      {"/proc/self/exe", "is an ELF program, not"},
      {"/dev/null", "is not a regular file or a folder"},
  };
  for (const auto& [path, message] : files) {
    const auto found = look(path);
    ASSERT_FALSE(found) << path;
    EXPECT_THAT(found.error().text(), HasSubstr(message)) << path;
  }
}

}  // namespace
}  // namespace berth::image
