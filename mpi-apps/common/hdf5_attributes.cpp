#include "common/hdf5_attributes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace berth::apps {

namespace {

failure cannot(const char* verb, const char* name, blame whose) {
  return fail(fmt::format("cannot {} \"{}\": {}", verb, name, hdf5_reason()), whose);
}

result<void> write_value(hid_t where, const char* name, hid_t file_type, hid_t memory_type,
                         const hdf5_space& space, const void* value) {
  const hdf5_attribute attribute(
      H5Acreate2(where, name, file_type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  if (!attribute || H5Awrite(attribute.get(), memory_type, value) < 0) {
    return cannot("write attribute", name, blame::run);
  }
  return {};
}

hdf5_type utf8_string() {
  hdf5_type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

// A string of the longest text's length, padded with zeros, and all of them one after the other.
struct fixed_texts {
  hdf5_type type;
  std::string bytes;

  explicit fixed_texts(std::span<const std::string> texts) : type(H5Tcopy(H5T_C_S1)) {
    std::size_t width = 1;
    for (const auto& text : texts) width = std::max(width, text.size());
    H5Tset_size(type.get(), width);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
    for (const auto& text : texts) bytes += text + std::string(width - text.size(), '\0');
  }
};

std::vector<std::string> cut(const std::string& bytes, std::size_t width) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < bytes.size(); at += width) {
    texts.emplace_back(&bytes[at], ::strnlen(&bytes[at], width));
  }
  return texts;
}

// Bytes of `space` full of strings of `type`.
result<std::size_t> size_of(const char* name, const hdf5_type& type, const hdf5_space& space,
                            std::size_t most) {
  if (!type || H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0) {
    return fail(fmt::format("\"{}\" is not text of fixed length", name));
  }
  const auto count = H5Sget_simple_extent_npoints(space.get());
  const auto width = static_cast<std::size_t>(H5Tget_size(type.get()));
  if (count < 0 || width == 0 || static_cast<std::size_t>(count) > most / width) {
    return fail(fmt::format("\"{}\" claims {} texts of {} bytes", name, count, width));
  }
  return static_cast<std::size_t>(count) * width;
}

result<std::vector<std::string>> read_variable(const hdf5_attribute& attribute, const char* name,
                                               const hdf5_type& type, std::size_t count) {
  std::vector<char*> raw(count, nullptr);
  if (H5Aread(attribute.get(), type.get(), raw.data()) < 0) {
    return cannot("read attribute", name, blame::input);
  }
  std::vector<std::string> texts;
  for (const char* text : raw) texts.emplace_back(text != nullptr ? text : "");
  const hdf5_space space(H5Aget_space(attribute.get()));
  H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, raw.data());
  return texts;
}

result<std::vector<std::string>> read_fixed(const hdf5_attribute& attribute, const char* name,
                                            std::size_t most) {
  const hdf5_type type(H5Aget_type(attribute.get()));
  const hdf5_space space(H5Aget_space(attribute.get()));
  const auto size = size_of(name, type, space, most);
  if (!size) return failure(size.error());
  std::string raw(*size, '\0');
  if (H5Aread(attribute.get(), type.get(), raw.data()) < 0) {
    return cannot("read attribute", name, blame::input);
  }
  return cut(raw, H5Tget_size(type.get()));
}

}  // namespace

result<void> write_attribute(hid_t where, const char* name, const std::string& text) {
  const char* raw = text.c_str();
  const auto type = utf8_string();
  return write_value(where, name, type.get(), type.get(), hdf5_space(H5Screate(H5S_SCALAR)), &raw);
}

result<void> write_attribute(hid_t where, const char* name, double value) {
  return write_value(where, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                     hdf5_space(H5Screate(H5S_SCALAR)), &value);
}

result<void> write_attribute(hid_t where, const char* name, std::int64_t value) {
  return write_value(where, name, H5T_STD_I64LE, H5T_NATIVE_INT64,
                     hdf5_space(H5Screate(H5S_SCALAR)), &value);
}

result<void> write_attribute(hid_t where, const char* name, std::span<const double> values) {
  const hsize_t count = values.size();
  return write_value(where, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                     hdf5_space(H5Screate_simple(1, &count, nullptr)), values.data());
}

result<void> write_attribute(hid_t where, const char* name, std::span<const std::string> texts) {
  std::vector<const char*> raw;
  for (const auto& text : texts) raw.push_back(text.c_str());
  const hsize_t count = raw.size();
  const auto type = utf8_string();
  return write_value(where, name, type.get(), type.get(),
                     hdf5_space(H5Screate_simple(1, &count, nullptr)), raw.data());
}

result<void> write_fixed(hid_t where, const char* name, const std::string& text) {
  const fixed_texts all({&text, 1});
  return write_value(where, name, all.type.get(), all.type.get(), hdf5_space(H5Screate(H5S_SCALAR)),
                     all.bytes.data());
}

result<void> write_fixed(hid_t where, const char* name, std::span<const std::string> texts) {
  const fixed_texts all(texts);
  const hsize_t count = texts.size();
  return write_value(where, name, all.type.get(), all.type.get(),
                     hdf5_space(H5Screate_simple(1, &count, nullptr)), all.bytes.data());
}

result<void> write_fixed_dataset(hid_t where, const char* name,
                                 std::span<const std::string> texts) {
  const fixed_texts all(texts);
  const hsize_t count = texts.size();
  const hdf5_space space(H5Screate_simple(1, &count, nullptr));
  const hdf5_dataset dataset(
      H5Dcreate2(where, name, all.type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (!dataset || H5Dwrite(dataset.get(), all.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           all.bytes.data()) < 0) {
    return cannot("write dataset", name, blame::run);
  }
  return {};
}

bool has_attribute(hid_t where, const char* name) {
  return H5Aexists(where, name) > 0;
}

result<std::vector<std::string>> read_texts(hid_t where, const char* name) {
  const hdf5_attribute attribute(H5Aopen(where, name, H5P_DEFAULT));
  if (!attribute) return cannot("read attribute", name, blame::input);
  const hdf5_type type(H5Aget_type(attribute.get()));
  if (H5Tget_class(type.get()) != H5T_STRING) {
    return fail(fmt::format("attribute \"{}\" is {}, not text", name, type_name(type.get())));
  }
  if (H5Tis_variable_str(type.get()) == 0) return read_fixed(attribute, name, most_text_bytes);
  const hdf5_space space(H5Aget_space(attribute.get()));
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()));
  return read_variable(attribute, name, type, count);
}

result<std::vector<std::string>> read_fixed(hid_t where, const char* name, std::size_t most) {
  const hdf5_attribute attribute(H5Aopen(where, name, H5P_DEFAULT));
  if (!attribute) return cannot("read attribute", name, blame::input);
  return read_fixed(attribute, name, most);
}

result<std::vector<std::string>> read_fixed_dataset(hid_t where, const char* name,
                                                    std::size_t most) {
  const hdf5_dataset dataset(H5Dopen2(where, name, H5P_DEFAULT));
  if (!dataset) return cannot("read dataset", name, blame::input);
  const hdf5_type type(H5Dget_type(dataset.get()));
  const hdf5_space space(H5Dget_space(dataset.get()));
  const auto size = size_of(name, type, space, most);
  if (!size) return failure(size.error());
  if (H5Dget_storage_size(dataset.get()) < *size) {
    return fail(fmt::format("dataset \"{}\" was never written", name));
  }
  std::string raw(*size, '\0');
  if (H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) {
    return cannot("read dataset", name, blame::input);
  }
  return cut(raw, H5Tget_size(type.get()));
}

result<std::string> read_text(hid_t where, const char* name) {
  auto texts = read_texts(where, name);
  if (!texts) return pass(std::move(texts));
  return texts->empty() ? std::string() : texts->front();
}

result<double> read_number(hid_t where, const char* name) {
  const hdf5_attribute attribute(H5Aopen(where, name, H5P_DEFAULT));
  double value = 0;
  if (!attribute || H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value) < 0) {
    return cannot("read attribute", name, blame::input);
  }
  return value;
}

result<std::int64_t> read_count(hid_t where, const char* name) {
  constexpr double limit = 0x1p53;
  const auto number = read_number(where, name);
  if (!number) return failure(number.error());
  if (!(*number >= 0 && *number < limit && std::floor(*number) == *number)) {
    return fail(fmt::format("attribute \"{}\" is {}, not a count", name, *number));
  }
  return static_cast<std::int64_t>(*number);
}

std::int64_t count_of(hid_t where, const char* name) {
  if (!has_attribute(where, name)) return 0;
  const hdf5_attribute attribute(H5Aopen(where, name, H5P_DEFAULT));
  const hdf5_space space(H5Aget_space(attribute.get()));
  return std::max<std::int64_t>(0, H5Sget_simple_extent_npoints(space.get()));
}

result<std::vector<double>> read_numbers(hid_t where, const char* name) {
  const hdf5_attribute attribute(H5Aopen(where, name, H5P_DEFAULT));
  std::vector<double> values(static_cast<std::size_t>(count_of(where, name)));
  if (!attribute || H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()) < 0) {
    return cannot("read attribute", name, blame::input);
  }
  return values;
}

std::vector<std::string> attribute_names(hid_t where) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*,
                          void* list) noexcept -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  H5Aiterate2(where, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names);
  return names;
}

result<hdf5_file> create_hdf5(const std::string& path) {
  const hdf5_properties access(H5Pcreate(H5P_FILE_ACCESS));
  // Format 1.8 and later keeps large attributes outside the object header.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V110);
  hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
  if (!file) {
    return fail(fmt::format("\"{}\": cannot create: {}", path, hdf5_reason()), blame::run);
  }
  return file;
}

result<hdf5_dataset> write_doubles(hid_t where, const char* name,
                                   const std::vector<std::int64_t>& shape,
                                   std::span<const double> values) {
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  const hdf5_space space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
  hdf5_dataset dataset(
      H5Dcreate2(where, name, H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (!dataset || H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           values.data()) < 0) {
    return cannot("write dataset", name, blame::run);
  }
  return dataset;
}

namespace {

result<std::vector<double>> read_all(const hdf5_dataset& dataset, const char* name,
                                     const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const auto extent : shape) count *= extent;
  const hdf5_type type(H5Dget_type(dataset.get()));
  // A file may claim any shape; what it stores is in the file.
  if (H5Dget_storage_size(dataset.get()) / H5Tget_size(type.get()) <
      static_cast<hsize_t>(std::max<std::int64_t>(count, 0))) {
    return fail(fmt::format("dataset \"{}\" was never written", name));
  }
  std::vector<double> values(static_cast<std::size_t>(count));
  if (H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    return cannot("read dataset", name, blame::input);
  }
  return values;
}

}  // namespace

result<std::vector<double>> read_doubles(hid_t where, const char* name) {
  const hdf5_dataset dataset(H5Dopen2(where, name, H5P_DEFAULT));
  if (!dataset) return cannot("read dataset", name, blame::input);
  const auto shape = shape_of(dataset.get());
  if (shape.size() != 1) {
    return fail(
        fmt::format("dataset \"{}\" has shape {}, not one dimension", name, shape_text(shape)));
  }
  return read_all(dataset, name, shape);
}

result<std::vector<double>> read_doubles(hid_t where, const char* name,
                                         const std::vector<std::int64_t>& shape) {
  const hdf5_dataset dataset(H5Dopen2(where, name, H5P_DEFAULT));
  if (!dataset) return cannot("read dataset", name, blame::input);
  if (shape_of(dataset.get()) != shape) {
    return fail(fmt::format("dataset \"{}\" has shape {}, not {}", name,
                            shape_text(shape_of(dataset.get())), shape_text(shape)));
  }
  return read_all(dataset, name, shape);
}

}  // namespace berth::apps
