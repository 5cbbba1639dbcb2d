#include "image/libraries.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace berth::image {
namespace {

TEST(Libraries, ReadsTheLoadersList) {
  const auto list = parse_loader_list(
      "\tlinux-vdso.so.1 (0x00007f3e070a1000)\n"
      "\tlibz.so.1 => /lib/libz.so.1 (0x00007f3e06d67000)\n"
      "\tlibodd.so => /opt/a b/libodd.so (0x00007f3e06d67000)\n"
      "\tlibgone.so.2 => not found\n"
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f3e070a3000)\n");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].name, "libz.so.1");
  EXPECT_EQ(list[0].path, "/lib/libz.so.1");
  EXPECT_EQ(list[1].path, "/opt/a b/libodd.so");
  EXPECT_EQ(list[2].name, "libgone.so.2");
  EXPECT_EQ(list[2].path, "");
}

TEST(Libraries, CollectsTheClosureOfThisProgram) {
  tree files;
  library_closure libraries(files);
  ASSERT_TRUE(libraries.add(std::filesystem::canonical("/proc/self/exe")));
  EXPECT_TRUE(libraries.found().contains("libc.so.6"));
  EXPECT_TRUE(libraries.found().contains("libm.so.6"));  // through libstdc++
  EXPECT_TRUE(files.contains(libraries.loader()));
  for (const auto& [name, path] : libraries.found()) EXPECT_TRUE(files.contains(path)) << path;
}

}  // namespace
}  // namespace berth::image
