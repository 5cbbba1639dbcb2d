#include "container/backend.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto any = backend_choice::any;
constexpr auto squashfs = image::kind::squashfs;
constexpr auto erofs = image::kind::erofs;

TEST(Backend, TheKernelReadsTrustedImagesOfStepsAlone) {
  for (const auto kind : {squashfs, erofs}) {
    EXPECT_EQ(choose_backend(any, {kind, true, true, false, false, {}})->way, backend::kernel);
    EXPECT_NE(choose_backend(any, {kind, true, false, false, false, {}})->way, backend::kernel);
    EXPECT_NE(choose_backend(any, {kind, false, true, false, false, {}})->way, backend::kernel);
    EXPECT_EQ(choose_backend(backend_choice::kernel, {kind, true, true, false, false, {}})->way,
              backend::kernel);
    const auto refused =
        choose_backend(backend_choice::kernel, {kind, true, false, false, false, {}});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), HasSubstr("root alone can change"));
    const auto without_root =
        choose_backend(backend_choice::kernel, {kind, false, true, false, false, {}});
    ASSERT_FALSE(without_root);
    EXPECT_THAT(without_root.error().text(), HasSubstr("needs root"));
  }
}

TEST(Backend, AUsersSquashfsIsServedAndAUsersErofsUnpacked) {
  const auto served =
      choose_backend(any, {squashfs, true, false, false, false, "others can change it"});
  EXPECT_EQ(served->way, backend::fuse);
  EXPECT_EQ(served->why, "others can change it");
  const auto unpacked =
      choose_backend(any, {erofs, true, false, false, false, "others can change it"});
  EXPECT_EQ(unpacked->way, backend::unpack);
  EXPECT_THAT(unpacked->why, AllOf(HasSubstr("EROFS"), HasSubstr("others can change it")));
  EXPECT_TRUE(unpacked->for_erofs);
  EXPECT_EQ(choose_backend(any, {erofs, false, true, false, false, {}})->way, backend::unpack);
}

TEST(Backend, WhoIsRootInsideGetsFilesOfHisOwn) {
  for (const auto kind : {squashfs, erofs}) {
    const auto way = [kind](bool step, bool trusted, bool several) {
      return choose_backend(any, {kind, step, trusted, true, several, {}})->way;
    };
    EXPECT_EQ(way(true, true, true), backend::kernel);
    EXPECT_EQ(way(true, true, false), backend::unpack);
    EXPECT_EQ(way(true, false, true), backend::unpack);
    EXPECT_EQ(way(false, true, false), backend::unpack);
    const auto refused = [kind](backend_choice wanted) {
      return choose_backend(wanted, {kind, true, true, true, false, {}}).error().text();
    };
    EXPECT_THAT(refused(backend_choice::fuse), HasSubstr("one owner of a file"));
    EXPECT_THAT(refused(backend_choice::kernel), HasSubstr("needs ranges of ids"));
  }
}

TEST(Backend, FuseIsForSquashfs) {
  EXPECT_EQ(choose_backend(backend_choice::fuse, {squashfs, true, true, false, false, {}})->way,
            backend::fuse);
  for (const auto& [trusted, cure] : {std::pair{true, "the kernel"}, {false, "is unpacked"}}) {
    const auto refused =
        choose_backend(backend_choice::fuse, {erofs, true, trusted, false, false, {}});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(),
                AllOf(HasSubstr("--container-backend=fuse is for squashfs"), HasSubstr(cure)));
  }
}

TEST(Backend, AFolderStaysAFolder) {
  for (const auto wanted : {any, backend_choice::fuse, backend_choice::unpack}) {
    EXPECT_EQ(choose_backend(wanted, {image::kind::folder, false, false, false, false, {}})->way,
              backend::folder);
  }
}

TEST(Backend, FuseIsTriedForWhatTheKernelLacksAndNotForDamage) {
  const backend_facts image{squashfs, true, true, false, false, {}};
  const auto reason = [](std::errc code) { return error("why", std::make_error_code(code)); };
  for (const auto lacks : {std::errc::no_such_device, std::errc::not_supported,
                           std::errc::inappropriate_io_control_operation}) {
    EXPECT_TRUE(falls_back_to_fuse(any, image, reason(lacks)));
    EXPECT_FALSE(falls_back_to_fuse(backend_choice::kernel, image, reason(lacks)));
    EXPECT_FALSE(falls_back_to_fuse(any, {erofs, true, true, false, false, {}}, reason(lacks)));
    EXPECT_FALSE(falls_back_to_fuse(any, {squashfs, true, true, true, false, {}}, reason(lacks)));
  }
  for (const auto damage : {std::errc::invalid_argument, std::errc::io_error}) {
    EXPECT_FALSE(falls_back_to_fuse(any, image, reason(damage)));
  }
}

TEST(Backend, WhoDidNotAskForUnpackingIsToldOfTheOtherWay) {
  const auto asked = explain_failed_unpack({backend::unpack, "", false}, error("no space"));
  EXPECT_EQ(asked.value().text(), "no space");
  const auto unasked = explain_failed_unpack({backend::unpack, "", true}, error("no space"));
  EXPECT_THAT(unasked.value().text(),
              AllOf(HasSubstr("EROFS"), HasSubstr("no space"), HasSubstr("berth convert")));
}

}  // namespace
}  // namespace berth::container
