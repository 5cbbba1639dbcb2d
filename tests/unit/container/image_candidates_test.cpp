#include <gmock/gmock.h>

#include "container/image_file.hpp"
#include "scene.hpp"

namespace berth::container {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImageCandidates, ANameIsLookedForInTheSubmitFolderThenInTheSites) {
  EXPECT_THAT(image_candidates("a.sqsh", "/home/ada", {"/srv/images", "/sw"}),
              ElementsAre("/home/ada/a.sqsh", "/srv/images/a.sqsh", "/sw/a.sqsh"));
}

TEST(ImageCandidates, ANameWithASlashIsOnePath) {
  const std::pair<const char*, const char*> cases[] = {
      {"/x/a.sqsh", "/x/a.sqsh"},
      {"./a.sqsh", "/home/ada/./a.sqsh"},
      {"../a.sqsh", "/home/ada/../a.sqsh"},
      {"sub/a.sqsh", "/home/ada/sub/a.sqsh"},
  };
  for (const auto& [name, path] : cases) {
    EXPECT_THAT(image_candidates(name, "/home/ada", {"/srv/images"}), ElementsAre(path));
  }
}

TEST(ImageCandidates, TheFirstThatExistsIsOpened) {
  const scratch folder;
  folder.write("root/etc/os-release", "NAME=x\n");
  folder.folder("here");
  folder.folder("one");
  folder.folder("two");
  folder.pack("root", "two/a.sqsh");
  const auto open = [&] {
    return open_image("a.sqsh", folder / "here",
                      {folder / "absent", folder / "one", folder / "two"}, current_identity());
  };
  ASSERT_TRUE(open()) << open().error().text();
  EXPECT_EQ(open()->path, std::filesystem::canonical(folder / "two/a.sqsh"));
  folder.pack("root", "one/a.sqsh");
  EXPECT_EQ(open()->path, std::filesystem::canonical(folder / "one/a.sqsh"));
  EXPECT_EQ(open()->size, std::filesystem::file_size(folder / "one/a.sqsh"));
  EXPECT_EQ(open()->owner, ::geteuid());
  // What is there but unusable is not passed over in silence.
  folder.write("here/a.sqsh", "not an image");
  EXPECT_THAT(open().error().text(), HasSubstr("is not a squashfs image"));
}

}  // namespace
}  // namespace berth::container
