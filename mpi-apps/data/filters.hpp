#pragma once
// Undoing HDF5's filters: deflate, shuffle, fletcher32 and LZF, without HDF5 and so in any number
// of threads.

#include <span>
#include <vector>

#include "data/buffer.hpp"
#include "data/storage.hpp"

namespace berth::apps {

enum class filter_support {
  native,   // filter_decoder undoes it
  library,  // this HDF5 library has it, built in or as a plugin
  missing,
};

/// Of one filter. Asks HDF5 for those that are not native.
filter_support support_of(const filter_step& step);

/// Of a whole pipeline: the worst of its steps.
filter_support support_of(std::span<const filter_step> steps);

/// "filter 32001 (blosc) is not installed; ...": what to do about a filter that is missing.
std::string missing_filter_text(const filter_step& step);

/// Undoes the pipeline of one array, chunk by chunk. One decoder a thread.
class filter_decoder {
 public:
  /// @pre every step is native. `array` is borrowed.
  explicit filter_decoder(const array_storage& array);
  filter_decoder(filter_decoder&&) noexcept;
  ~filter_decoder();

  /// Decodes `stored` (which may be overwritten) into array.chunk_bytes() bytes, valid until the
  /// next call. `skipped` as in stored_chunk. Errors: data that do not decode, a wrong checksum.
  result<std::span<const std::byte>> decode(std::span<const std::byte> stored,
                                            std::uint32_t skipped);

 private:
  result<std::span<const std::byte>> undo(const filter_step& step, std::span<const std::byte> from);
  const array_storage* array_;
  buffer<std::byte> front_;
  buffer<std::byte> back_;
  void* inflater_;  // libdeflate_decompressor, owned
};

/// The inverse of HDF5's shuffle: byte plane b of element i becomes byte i * size + b. Bytes that
/// are no whole element stay where they are. @pre out.size() == from.size(), no overlap
void unshuffle(std::span<const std::byte> from, std::size_t size,
               std::span<std::byte> out) noexcept;

/// HDF5's Fletcher checksum of `data`, as it is stored after a chunk. Source: HDF5 H5_checksum.c
/// as the file format specification describes it, and RFC 1146, appendix I.
std::uint32_t fletcher32(std::span<const std::byte> data) noexcept;

}  // namespace berth::apps
