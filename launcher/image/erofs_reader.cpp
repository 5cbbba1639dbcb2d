#include "image/erofs_reader.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "image/bytes.hpp"

namespace berth::image {
namespace {

constexpr std::size_t slot_size = 32;
constexpr std::size_t compact_size = 32;
constexpr std::size_t extended_size = 64;
constexpr std::size_t entry_size = 12;  // of a folder
constexpr std::size_t attributes_header = 12;
constexpr std::uint64_t folder_limit = 64 << 20;  // bytes: a million names
constexpr std::uint64_t attribute_limit = 65536;
constexpr std::size_t attribute_count_limit = 256;
constexpr unsigned flat_plain = 0;
constexpr unsigned flat_inline = 2;

failure damaged(std::string_view what) {
  return fail(fmt::format("is a damaged EROFS image: {}", what));
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// As the kernel packs it into 32 bits: new_decode_dev().
dev_t decode_device(std::uint32_t packed) {
  return makedev((packed >> 8) & 0xfff, (packed & 0xff) | ((packed >> 12) & 0xfff00));
}

bool is_device(mode_t mode) {
  return S_ISCHR(mode) || S_ISBLK(mode);
}

bool known_type(mode_t mode) {
  return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || is_device(mode) || S_ISFIFO(mode) ||
         S_ISSOCK(mode);
}

bool legal_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.find('/') == std::string_view::npos;
}

// One block of a folder: its entries, then their names without separators.
result<void> read_block(std::string_view block, std::vector<erofs_entry>& into) {
  const auto raw = as_bytes(block);
  if (block.size() < entry_size) return damaged("a folder is cut");
  const std::size_t first_name = number_at<std::uint16_t>(raw, 8);
  const auto count = first_name / entry_size;
  if (count == 0 || first_name % entry_size != 0 || first_name > block.size()) {
    return damaged("a folder contradicts itself");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = number_at<std::uint16_t>(raw, i * entry_size + 8);
    const std::size_t end =
        i + 1 < count ? number_at<std::uint16_t>(raw, (i + 1) * entry_size + 8) : block.size();
    if (begin < first_name || begin > end || end > block.size()) {
      return damaged("a folder's names overlap");
    }
    auto name = block.substr(begin, end - begin);
    name = name.substr(0, name.find('\0'));
    if (name == "." || name == "..") continue;
    if (!legal_name(name)) return damaged("a file has an impossible name");
    into.push_back({std::string(name), number_at<std::uint64_t>(raw, i * entry_size)});
  }
  return {};
}

}  // namespace

result<std::string> erofs_reader::bytes(std::uint64_t offset, std::uint64_t count) const {
  const auto size = block_.block_count * block_.block_size;
  if (offset > size || count > size - offset) return damaged("something lies beyond its end");
  std::string data(count, '\0');
  for (std::uint64_t have = 0; have < count;) {
    const auto n =
        ::pread(fd_, data.data() + have, count - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read");
    if (n == 0) return fail("has become shorter");
    have += static_cast<std::uint64_t>(n);
  }
  return data;
}

result<erofs_inode> erofs_reader::inode(std::uint64_t number) const {
  const auto slots = block_.block_count * (block_.block_size / slot_size);
  if (number >= slots) return damaged("a file lies beyond its end");
  const auto at = std::uint64_t{block_.inode_block} * block_.block_size + number * slot_size;
  auto text = bytes(at, compact_size);
  if (!text) return pass(std::move(text));
  const auto format = number_at<std::uint16_t>(as_bytes(*text), 0);
  const bool extended = (format & 1) != 0;
  if (extended) {
    text = bytes(at, extended_size);
    if (!text) return pass(std::move(text));
  }
  const auto raw = as_bytes(*text);
  erofs_inode file;
  file.number = number;
  file.layout = (format >> 1) & 7;
  file.mode = number_at<std::uint16_t>(raw, 4);
  const auto address = number_at<std::uint32_t>(raw, 16);
  if (extended) {
    file.size = number_at<std::uint64_t>(raw, 8);
    file.uid = number_at<std::uint32_t>(raw, 24);
    file.gid = number_at<std::uint32_t>(raw, 28);
    file.modified = number_at<std::uint64_t>(raw, 32);
    file.modified_nsec = number_at<std::uint32_t>(raw, 40);
    file.links = number_at<std::uint32_t>(raw, 44);
  } else {
    file.size = number_at<std::uint32_t>(raw, 8);
    file.uid = number_at<std::uint16_t>(raw, 24);
    file.gid = number_at<std::uint16_t>(raw, 26);
    file.modified = block_.created;
    file.links = number_at<std::uint16_t>(raw, 6);
  }
  if (is_device(file.mode)) {
    file.device = decode_device(address);
  } else {
    file.first_block = address;
  }
  file.after_header = at + (extended ? extended_size : compact_size);
  const auto words = number_at<std::uint16_t>(raw, 2);
  if (words != 0) {
    file.attribute_bytes = static_cast<std::uint32_t>(attributes_header + (words - 1U) * 4U);
  }
  if (!known_type(file.mode) || file.modified > INT64_MAX || file.modified_nsec >= 1000000000) {
    return damaged("a file's facts are impossible");
  }
  return file;
}

result<std::string> erofs_reader::content(const erofs_inode& file, std::uint64_t limit) const {
  if (file.size > limit) return fail(fmt::format("is larger than {} bytes", limit));
  if (file.layout != flat_plain && file.layout != flat_inline) return fail("is compressed");
  const auto tail = file.layout == flat_inline ? file.size % block_.block_size : 0;
  auto data = file.size == tail
                  ? result<std::string>(std::string())
                  : bytes(std::uint64_t{file.first_block} * block_.block_size, file.size - tail);
  if (!data || tail == 0) return data;
  const auto end = bytes(file.after_header + file.attribute_bytes, tail);
  if (!end) return end;
  return *data + *end;
}

result<std::vector<erofs_entry>> erofs_reader::list(const erofs_inode& folder) const {
  if (!S_ISDIR(folder.mode)) return fail("is not a folder");
  const auto data = content(folder, folder_limit);
  if (!data) return failure(data.error());
  std::vector<erofs_entry> entries;
  for (std::size_t at = 0; at < data->size(); at += block_.block_size) {
    const auto block = std::string_view(*data).substr(at, block_.block_size);
    if (auto done = read_block(block, entries); !done) return pass(std::move(done));
  }
  return entries;
}

// The attribute at `at`, which moves behind it: lengths, which prefix, the rest of the name, value.
result<attribute> erofs_reader::attribute_at(std::string_view area, std::size_t& at) const {
  constexpr std::array<std::string_view, 7> prefixes{
      "",        "user.",    "system.posix_acl_access", "system.posix_acl_default", "trusted.",
      "lustre.", "security."};
  constexpr std::size_t header = 4;
  if (area.size() - at < header) return damaged("an attribute is cut");
  const auto raw = as_bytes(area.substr(at));
  const auto name_size = std::to_integer<std::size_t>(raw[0]);
  const auto prefix = std::to_integer<std::size_t>(raw[1]);
  const std::size_t value_size = number_at<std::uint16_t>(raw, 2);
  if (prefix == 0 || prefix >= prefixes.size() ||
      area.size() - at - header < name_size + value_size) {
    return damaged("an attribute contradicts itself");
  }
  attribute found{prefixes.at(prefix), area.substr(at + header + name_size, value_size)};
  found.first += area.substr(at + header, name_size);
  at = std::min(area.size(), (at + header + name_size + value_size + 3) / 4 * 4);
  if (found.first.find('\0') != std::string::npos) return damaged("an attribute has a bad name");
  return found;
}

result<attribute> erofs_reader::shared_attribute(std::uint32_t id) const {
  const auto offset = std::uint64_t{block_.xattr_block} * block_.block_size + std::uint64_t{id} * 4;
  const auto header = bytes(offset, 4);
  if (!header) return failure(header.error());
  const auto raw = as_bytes(*header);
  const auto size = 4 + std::to_integer<std::uint64_t>(raw[0]) + number_at<std::uint16_t>(raw, 2);
  const auto area = bytes(offset, size);
  if (!area) return failure(area.error());
  std::size_t at = 0;
  return attribute_at(*area, at);
}

result<std::vector<attribute>> erofs_reader::attributes(const erofs_inode& file) const {
  std::vector<attribute> all;
  if (file.attribute_bytes == 0) return all;
  const auto area =
      bytes(file.after_header, std::min<std::uint64_t>(file.attribute_bytes, attribute_limit));
  if (!area) return failure(area.error());
  const auto raw = as_bytes(*area);
  const auto shared = std::to_integer<std::size_t>(raw[4]);
  auto at = attributes_header + shared * 4;
  if (at > area->size()) return damaged("a file's attributes contradict themselves");
  for (std::size_t i = 0; i < shared; ++i) {
    auto one = shared_attribute(number_at<std::uint32_t>(raw, attributes_header + i * 4));
    if (!one) return pass(std::move(one));
    all.push_back(std::move(*one));
  }
  while (at < area->size()) {
    auto one = attribute_at(*area, at);
    if (!one) return pass(std::move(one));
    all.push_back(std::move(*one));
    if (all.size() > attribute_count_limit) return damaged("a file has too many attributes");
  }
  return all;
}

result<erofs_inode> erofs_reader::find(std::string_view path) const {
  auto file = inode(root());
  for (const auto& part : split(path, '/')) {
    if (!file || part.empty()) continue;
    const auto names = list(*file);
    if (!names) return failure(names.error());
    const auto entry = std::find_if(names->begin(), names->end(),
                                    [&](const erofs_entry& e) { return e.name == part; });
    if (entry == names->end()) return fail_errno(fmt::format("\"{}\"", path), ENOENT);
    file = inode(entry->inode);
  }
  return file;
}

}  // namespace berth::image
