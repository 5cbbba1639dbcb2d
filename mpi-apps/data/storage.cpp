#include "data/storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace berth::apps {

namespace {

std::string file_of(hid_t dataset) {
  const auto length = H5Fget_name(dataset, nullptr, 0);
  if (length <= 0) return {};
  std::string name(static_cast<std::size_t>(length), '\0');
  H5Fget_name(dataset, name.data(), name.size() + 1);
  return name;
}

filter_step describe_filter(hid_t creation, unsigned at) {
  std::array<unsigned, 32> values{};
  std::size_t count = values.size();
  std::array<char, 64> name{};
  unsigned flags = 0;
  unsigned config = 0;
  const auto id = H5Pget_filter2(creation, at, &flags, &count, values.data(), name.size(),
                                 name.data(), &config);
  filter_step step{id, name.data(), {}};
  step.parameters.assign(
      values.begin(),
      values.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(count, values.size())));
  return step;
}

std::uint64_t user_block_of(hid_t dataset) {
  const hdf5_file file(H5Iget_file_id(dataset));
  const hdf5_properties creation(H5Fget_create_plist(file.get()));
  hsize_t bytes = 0;
  H5Pget_userblock(creation.get(), &bytes);
  return bytes;
}

// Why the bytes of chunks cannot be read where HDF5 says they are; empty when they can.
std::string indirect_chunks(hid_t dataset, hid_t creation, bool filtered) {
  unsigned options = 0;
  H5Pget_chunk_opts(creation, &options);
  if (filtered && (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0) {
    return "chunks at the border without filters";
  }
  // Releases disagree on whether the addresses of chunks count from the user block.
  return user_block_of(dataset) > 0 ? "chunks after a user block" : "";
}

// By coordinates: by index, HDF5 1.10 walks the whole index for every chunk.
void list_chunks(hid_t dataset, array_storage& array) {
  const auto across = array.chunks_across();
  array.chunks.resize(static_cast<std::size_t>(array.bands() * across));
  for (std::size_t i = 0; i < array.chunks.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const hsize_t corner[] = {static_cast<hsize_t>(at / across * array.chunk_rows),
                              static_cast<hsize_t>(at % across * array.chunk_columns)};
    unsigned skipped = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t bytes = 0;
    const auto ok = H5Dget_chunk_info_by_coord(dataset, corner, &skipped, &address, &bytes);
    if (ok < 0 || address == HADDR_UNDEF) continue;
    array.chunks[i] = {address, static_cast<std::uint32_t>(bytes), skipped};
  }
}

void describe_chunks(hid_t dataset, hid_t creation, array_storage& array) {
  hsize_t extent[2] = {1, 1};
  H5Pget_chunk(creation, 2, extent);
  array.layout = layout_kind::chunked;
  array.chunk_rows = static_cast<std::int64_t>(extent[0]);
  array.chunk_columns = static_cast<std::int64_t>(array.shape.size() < 2 ? 1 : extent[1]);
  const int filters = H5Pget_nfilters(creation);
  for (int i = 0; i < filters; ++i) {
    array.filters.push_back(describe_filter(creation, static_cast<unsigned>(i)));
  }
  array.indirect_kind = indirect_chunks(dataset, creation, filters > 0);
  if (!array.indirect_kind.empty()) array.layout = layout_kind::indirect;
  list_chunks(dataset, array);
}

void describe_contiguous(hid_t dataset, hid_t creation, array_storage& array) {
  if (H5Pget_external_count(creation) > 0) {
    array.layout = layout_kind::indirect;
    array.indirect_kind = "external";
    std::array<char, 4096> name{};
    off_t offset = 0;
    hsize_t bytes = 0;
    H5Pget_external(creation, 0, name.size() - 1, name.data(), &offset, &bytes);
    array.external_file = name.data();
    return;
  }
  array.address = H5Dget_offset(dataset);
  array.written = array.address != HADDR_UNDEF;
}

void describe_layout(hid_t dataset, array_storage& array) {
  const hdf5_properties creation(H5Dget_create_plist(dataset));
  switch (H5Pget_layout(creation.get())) {
    case H5D_CONTIGUOUS:
      return describe_contiguous(dataset, creation.get(), array);
    case H5D_CHUNKED:
      describe_chunks(dataset, creation.get(), array);
      break;
    case H5D_COMPACT:
      array.layout = layout_kind::indirect;
      array.indirect_kind = "compact";
      break;
    default:
      array.layout = layout_kind::indirect;
      array.indirect_kind = "virtual";
  }
  if (array.indirect_kind == "virtual" || array.indirect_kind == "compact") return;
  array.written = std::ranges::any_of(array.chunks, [](const auto& c) { return c.bytes > 0; });
}

}  // namespace

result<array_storage> describe_storage(hid_t dataset, const std::string& path) {
  array_storage array;
  array.file = file_of(dataset);
  array.path = path;
  array.shape = shape_of(dataset);
  if (array.shape.empty() || array.shape.size() > 2) {
    return fail(fmt::format("{} has shape {}; it must have one or two dimensions", path,
                            shape_text(array.shape)));
  }
  const hdf5_type type(H5Dget_type(dataset));
  auto element = describe_element(type.get());
  if (!element) return fail(fmt::format("{} {}", path, element.error().text()));
  array.element = std::move(*element);
  describe_layout(dataset, array);
  return array;
}

std::string find_external_file(const array_storage& array) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(array.external_file, ignored)) return array.external_file;
  const auto beside = fs::path(array.file).parent_path() / array.external_file;
  return fs::exists(beside, ignored) ? beside.string() : "";
}

result<void> check_within_file(const array_storage& array) {
  std::error_code reason;
  const std::uint64_t size = std::filesystem::file_size(array.file, reason);
  if (reason) return failure(error(fmt::format("\"{}\": cannot open", array.file), reason));
  const auto fits = [&](std::uint64_t address, std::uint64_t bytes) {
    return address <= size && bytes <= size - address;
  };
  bool all = true;
  if (array.layout == layout_kind::contiguous && array.written) {
    std::int64_t bytes = 0;
    const bool overflow = __builtin_mul_overflow(array.rows(), array.columns(), &bytes) ||
                          __builtin_mul_overflow(bytes, array.element.bytes, &bytes);
    all = !overflow && fits(array.address, static_cast<std::uint64_t>(bytes));
  }
  for (const auto& chunk : array.chunks) all = all && fits(chunk.address, chunk.bytes);
  if (all) return {};
  return fail(
      fmt::format("\"{}\": {} lies in part beyond the end of the file: it is damaged; copy "
                  "it again",
                  array.file, array.path));
}

std::vector<row_range> unwritten_rows(const array_storage& array) {
  if (array.rows() == 0) return {};
  if (!array.written) return {{0, array.rows()}};
  std::vector<row_range> found;
  const auto across = array.chunks.empty() ? 1 : array.chunks_across();
  for (std::size_t i = 0; i < array.chunks.size(); ++i) {
    if (array.chunks[i].bytes > 0) continue;
    const auto first = static_cast<std::int64_t>(i) / across * array.chunk_rows;
    const auto count = std::min(array.chunk_rows, array.rows() - first);
    if (!found.empty() && found.back().end() >= first) {
      found.back().count = first + count - found.back().first;
    } else {
      found.push_back({first, count});
    }
  }
  return found;
}

void pack(packer& to, const array_storage& array) {
  to.put(array.file);
  to.put(array.path);
  to.put(array.shape);
  to.put(array.element.kind);
  to.put(array.element.bytes);
  to.put(array.element.big_endian);
  to.put(array.element.name);
  to.put(array.layout);
  to.put(array.indirect_kind);
  to.put(array.external_file);
  to.put(array.written);
  to.put(array.address);
  to.put(array.chunk_rows);
  to.put(array.chunk_columns);
  to.put(array.filters.size());
  for (const auto& step : array.filters) {
    to.put(step.id);
    to.put(step.name);
    to.put(step.parameters);
  }
  to.put(array.chunks);
}

void unpack(unpacker& from, array_storage& array) {
  from.get(array.file);
  from.get(array.path);
  from.get(array.shape);
  from.get(array.element.kind);
  from.get(array.element.bytes);
  from.get(array.element.big_endian);
  from.get(array.element.name);
  from.get(array.layout);
  from.get(array.indirect_kind);
  from.get(array.external_file);
  from.get(array.written);
  from.get(array.address);
  from.get(array.chunk_rows);
  from.get(array.chunk_columns);
  std::size_t filters = 0;
  from.get(filters);
  array.filters.resize(filters);
  for (auto& step : array.filters) {
    from.get(step.id);
    from.get(step.name);
    from.get(step.parameters);
  }
  from.get(array.chunks);
}

}  // namespace berth::apps
