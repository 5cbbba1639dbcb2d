#include "data/element.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "common/hdf5.hpp"

namespace berth::apps {

namespace {

bool is_ieee(hid_t type) {
  struct fields {
    std::size_t bytes, sign, exponent_at, exponent_bits, mantissa_at, mantissa_bits, bias;
  };
  constexpr fields formats[] = {
      {2, 15, 10, 5, 0, 10, 15}, {4, 31, 23, 8, 0, 23, 127}, {8, 63, 52, 11, 0, 52, 1023}};
  fields has{};
  has.bytes = H5Tget_size(type);
  H5Tget_fields(type, &has.sign, &has.exponent_at, &has.exponent_bits, &has.mantissa_at,
                &has.mantissa_bits);
  has.bias = H5Tget_ebias(type);
  for (const auto& is : formats) {
    if (has.bytes == is.bytes && has.sign == is.sign && has.exponent_at == is.exponent_at &&
        has.exponent_bits == is.exponent_bits && has.mantissa_at == is.mantissa_at &&
        has.mantissa_bits == is.mantissa_bits && has.bias == is.bias) {
      return true;
    }
  }
  return false;
}

bool is_whole_integer(hid_t type) {
  const std::size_t bytes = H5Tget_size(type);
  const bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  return power && H5Tget_offset(type) == 0 && H5Tget_precision(type) == 8 * bytes;
}

std::vector<std::string> member_names(hid_t type) {
  std::vector<std::string> names;
  const int count = H5Tget_nmembers(type);
  for (int i = 0; i < count; ++i) {
    char* const name = H5Tget_member_name(type, static_cast<unsigned>(i));
    names.emplace_back(name);
    H5free_memory(name);
  }
  return names;
}

element_type describe_number(hid_t type, element_kind kind, bool plain) {
  const auto order = H5Tget_order(type);
  element_type described{plain && order != H5T_ORDER_VAX ? kind : element_kind::foreign,
                         static_cast<std::int64_t>(H5Tget_size(type)), order == H5T_ORDER_BE,
                         type_name(type)};
  if (!plain) described.name = fmt::format("{} of {} bits", described.name, H5Tget_precision(type));
  if (described.big_endian && described.bytes > 1) described.name = "big-endian " + described.name;
  return described;
}

result<element_type> describe_enum(hid_t type) {
  const hdf5_type base(H5Tget_super(type));
  auto described = describe_element(base.get());
  if (!described) return described;
  const auto names = member_names(type);
  const bool boolean = names.size() == 2 && names[0] == "FALSE" && names[1] == "TRUE";
  described->name = boolean ? "bool" : "enum of " + described->name;
  return described;
}

std::string structure_name(hid_t type) {
  const auto names = member_names(type);
  if (names == std::vector<std::string>{"r", "i"}) {
    return fmt::format("complex{}", 8 * H5Tget_size(type));
  }
  return fmt::format("compound ({})", fmt::join(names, ", "));
}

}  // namespace

result<element_type> describe_element(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return describe_number(type, element_kind::floating, is_ieee(type));
    case H5T_INTEGER:
      return describe_number(type,
                             H5Tget_sign(type) == H5T_SGN_NONE ? element_kind::unsigned_integer
                                                               : element_kind::signed_integer,
                             is_whole_integer(type));
    case H5T_BITFIELD: {
      if (!is_whole_integer(type)) return fail("has type bit field; it must be numeric");
      auto described = describe_number(type, element_kind::unsigned_integer, true);
      described.name = fmt::format("bits{}", 8 * described.bytes);
      return described;
    }
    case H5T_ENUM:
      return describe_enum(type);
    case H5T_STRING:
      return element_type{element_kind::text, static_cast<std::int64_t>(H5Tget_size(type)), false,
                          "string"};
    case H5T_COMPOUND:
      return fail(
          fmt::format("has type {}; it must be numeric: store each part as a dataset or "
                      "column of its own",
                      structure_name(type)));
    case H5T_ARRAY:
      return fail("has elements that are arrays; it must be numeric: store them as columns");
    case H5T_VLEN:
      return fail("has elements of variable length; it must be numeric: store them as columns");
    case H5T_REFERENCE:
      return fail("has type reference; it must be numeric: name the dataset that is referred to");
    default:
      return fail(fmt::format("has type {}; it must be numeric", type_name(type)));
  }
}

}  // namespace berth::apps
