#include "image/signature.hpp"

#include <gmock/gmock.h>

#include <string>

namespace berth::image {
namespace {

std::string_view describe(std::string_view text) {
  return describe_content(std::as_bytes(std::span(text.data(), text.size())));
}

TEST(Signature, NamesKnownContents) {
  const std::pair<std::string, const char*> contents[] = {
      {"\x7f"
       "ELF\x02",
       "an ELF program"},
      {"\x89HDF\r\n", "an HDF5 file"},
      {"#!/bin/sh\n", "a script"},
      {"#!/usr/bin/env run-singularity\n" + std::string(1, '\0') + "SIF_MAGIC",
       "an Apptainer image (SIF)"},
      {std::string(257, '\0') + "ustar", "a tar archive (docker save writes such files)"},
      {std::string(1024, '\0') + "\xe2\xe1\xf5\xe0", "an EROFS image"},
      {std::string(1080, '\0') + "\x53\xef", "an ext4 file system"},
  };
  for (const auto& [content, meaning] : contents) EXPECT_EQ(describe(content), meaning);
}

TEST(Signature, SaysNothingOfOthers) {
  for (const auto* content : {"", "E", "ELF", "hello world"}) EXPECT_EQ(describe(content), "");
  EXPECT_EQ(describe(std::string(257, '\0') + "usta"), "");
}

}  // namespace
}  // namespace berth::image
