#include "data/filters.hpp"

#include <fmt/format.h>
#include <libdeflate.h>
#include <lzf.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace berth::apps {

namespace {

constexpr std::int64_t lzf = 32000;
constexpr std::size_t checksum_bytes = 4;

struct known_filter {
  std::int64_t id;
  const char* name;
};
// Registered at The HDF Group; those that people meet.
constexpr known_filter registered[] = {
    {H5Z_FILTER_SZIP, "szip"}, {305, "LZO"},   {307, "bzip2"},        {lzf, "LZF"},
    {32001, "Blosc"},          {32004, "LZ4"}, {32008, "bitshuffle"}, {32013, "ZFP"},
    {32015, "Zstandard"},      {32017, "SZ"},  {32026, "Blosc2"}};

std::string name_of(const filter_step& step) {
  const auto found = std::ranges::find(registered, step.id, &known_filter::id);
  if (found != std::end(registered)) return found->name;
  return step.name.empty() ? "unregistered" : step.name;
}

failure corrupt(const char* filter) {
  return fail(fmt::format("{} cannot decode it: the file is damaged", filter));
}

result<std::size_t> inflate(libdeflate_decompressor* inflater, std::span<const std::byte> from,
                            std::span<std::byte> out) {
  std::size_t got = 0;
  const auto status =
      libdeflate_zlib_decompress(inflater, from.data(), from.size(), out.data(), out.size(), &got);
  if (status != LIBDEFLATE_SUCCESS) return corrupt("deflate");
  return got;
}

result<std::size_t> verify(std::span<const std::byte> from) {
  if (from.size() < checksum_bytes) return corrupt("fletcher32");
  const auto data = from.first(from.size() - checksum_bytes);
  std::uint32_t stored = 0;
  std::memcpy(&stored, from.data() + data.size(), checksum_bytes);
  if (stored != fletcher32(data)) {
    return fail("its checksum (fletcher32) is wrong: the file is damaged; copy it again");
  }
  return data.size();
}

}  // namespace

filter_support support_of(const filter_step& step) {
  switch (step.id) {
    case H5Z_FILTER_DEFLATE:
    case H5Z_FILTER_SHUFFLE:
    case H5Z_FILTER_FLETCHER32:
    case lzf:
      return filter_support::native;
    default:
      return H5Zfilter_avail(static_cast<H5Z_filter_t>(step.id)) > 0 ? filter_support::library
                                                                     : filter_support::missing;
  }
}

filter_support support_of(std::span<const filter_step> steps) {
  auto worst = filter_support::native;
  for (const auto& step : steps) worst = std::max(worst, support_of(step));
  // HDF5 cannot mix: what it does not know itself, it cannot read for us.
  if (worst != filter_support::library) return worst;
  const auto unknown = [](const auto& step) {
    return H5Zfilter_avail(static_cast<H5Z_filter_t>(step.id)) <= 0;
  };
  return std::ranges::any_of(steps, unknown) ? filter_support::missing : worst;
}

std::string missing_filter_text(const filter_step& step) {
  return fmt::format(
      "is compressed with filter {} ({}), which is not installed; install its HDF5 plugin (Python "
      "package hdf5plugin, or hdf5-filter-plugin) and set HDF5_PLUGIN_PATH, or rewrite the file "
      "where it is readable: h5repack -f GZIP=1",
      step.id, name_of(step));
}

filter_decoder::filter_decoder(const array_storage& array)
    : array_(&array), inflater_(libdeflate_alloc_decompressor()) {
  // Room for a checksum that was taken before the data were compressed.
  const auto room = static_cast<std::size_t>(array.chunk_bytes()) + checksum_bytes;
  front_.resize(room);
  back_.resize(room);
}

filter_decoder::filter_decoder(filter_decoder&& other) noexcept
    : array_(other.array_),
      front_(std::move(other.front_)),
      back_(std::move(other.back_)),
      inflater_(std::exchange(other.inflater_, nullptr)) {}

filter_decoder::~filter_decoder() {
  if (inflater_ != nullptr) {
    libdeflate_free_decompressor(static_cast<libdeflate_decompressor*>(inflater_));
  }
}

result<std::span<const std::byte>> filter_decoder::undo(const filter_step& step,
                                                        std::span<const std::byte> from) {
  result<std::size_t> size = from.size();
  switch (step.id) {
    case H5Z_FILTER_FLETCHER32:
      size = verify(from);
      if (!size) return pass(std::move(size));
      return from.first(*size);
    case H5Z_FILTER_DEFLATE:
      size = inflate(static_cast<libdeflate_decompressor*>(inflater_), from, back_);
      break;
    case lzf:
      size = lzf_decompress(from.data(), static_cast<unsigned>(from.size()), back_.data(),
                            static_cast<unsigned>(back_.size()));
      if (*size == 0) return corrupt("LZF");
      break;
    default:
      if (from.size() > back_.size() || step.parameters.empty()) return corrupt("shuffle");
      unshuffle(from, static_cast<std::size_t>(step.parameters[0]),
                std::span(back_).first(from.size()));
  }
  if (!size) return pass(std::move(size));
  std::swap(front_, back_);
  return std::span<const std::byte>(front_).first(*size);
}

result<std::span<const std::byte>> filter_decoder::decode(std::span<const std::byte> stored,
                                                          std::uint32_t skipped) {
  std::span<const std::byte> data = stored;
  for (std::size_t i = array_->filters.size(); i-- > 0;) {
    if ((skipped >> i & 1U) != 0) continue;
    auto undone = undo(array_->filters[i], data);
    if (!undone) return undone;
    data = *undone;
  }
  if (std::ssize(data) != array_->chunk_bytes()) {
    return fail(fmt::format("has {} bytes after decoding instead of {}: the file is damaged",
                            data.size(), array_->chunk_bytes()));
  }
  return data;
}

}  // namespace berth::apps
