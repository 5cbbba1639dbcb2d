#include "topology/codec.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <concepts>

namespace berth::topology {
namespace {

constexpr std::string_view header = "berth-topology 2";
constexpr std::string_view no_address = "-";

/// One number in the only form that `encode` writes.
template <std::integral T>
bool parse_number(std::string_view text, T& value) {
  if (text == "-1" && std::is_signed_v<T>) return value = static_cast<T>(-1), true;
  if (text.empty() || text.front() == '-' || (text.size() > 1 && text.front() == '0')) return false;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  return code == std::errc{} && stop == end;
}

template <class Kind, std::size_t N>
bool parse_kind(std::string_view text, const std::array<Kind, N>& all, Kind& value) {
  for (const auto kind : all) {
    if (name_of(kind) == text) return value = kind, true;
  }
  return false;
}

constexpr std::array memory_kinds{memory_kind::dram, memory_kind::hbm, memory_kind::gpu,
                                  memory_kind::other};
constexpr std::array device_kinds{device_kind::gpu, device_kind::network, device_kind::storage};

/// The words of one line, taken one after the other.
class words {
 public:
  explicit words(std::string_view line) : rest_(line) {}

  /// The next word, not empty; nothing at the end or where two blanks meet.
  std::string_view next() {
    if (done_) return {};
    const auto end = rest_.find(' ');
    const auto word = rest_.substr(0, end);
    done_ = end == std::string_view::npos;
    if (!done_) rest_.remove_prefix(end + 1);
    return word;
  }
  template <std::integral T>
  bool number(T& value) {
    return parse_number(next(), value);
  }
  bool range(pu_range& near) { return number(near.first) && number(near.count); }
  [[nodiscard]] bool at_end() const { return done_; }

 private:
  std::string_view rest_;
  bool done_ = false;
};

bool parse_numa(words line, machine& node) {
  numa_node memory;
  const bool good = line.number(memory.os_index) &&
                    parse_kind(line.next(), memory_kinds, memory.kind) &&
                    line.number(memory.bytes) && line.range(memory.near) && line.at_end();
  node.numa_nodes.push_back(memory);
  return good && node.numa_nodes.size() <= static_cast<std::size_t>(max_numa_nodes);
}

bool parse_device(words line, machine& node) {
  device it;
  if (!parse_kind(line.next(), device_kinds, it.kind)) return false;
  const auto address = line.next();
  if (address.empty()) return false;
  if (address != no_address) it.address = address;
  if (!line.number(it.link_mb_per_s) || !line.range(it.near)) return false;
  while (!line.at_end()) {
    if (it.names.size() == max_device_names) return false;
    it.names.emplace_back(line.next());
  }
  node.devices.push_back(std::move(it));
  return node.devices.size() <= static_cast<std::size_t>(max_devices);
}

bool parse_pu(words line, machine& node) {
  pu unit;
  const bool good = line.number(unit.os_index) && line.number(unit.core) && line.number(unit.l2) &&
                    line.number(unit.l3) && line.number(unit.numa) && line.number(unit.package) &&
                    line.number(unit.kind) && line.at_end();
  node.pus.push_back(unit);
  return good && node.pus.size() <= static_cast<std::size_t>(max_pus);
}

struct section {
  std::string_view word;
  std::string_view expected;
  bool (*parse)(words, machine&);
};
constexpr std::array<section, 3> sections{{
    {"numa", "\"numa\", OS index, kind, bytes and two positions", parse_numa},
    {"device", "\"device\", kind, address, three numbers and names", parse_device},
    {"pu", "\"pu\" and seven numbers", parse_pu},
}};

failure bad_line(std::size_t number, std::string_view expected) {
  return fail(fmt::format("topology text, line {}: expected {}", number, expected));
}

/// All lines between the header and the end.
result<machine> parse_body(std::string_view text) {
  machine node;
  std::size_t current = 0;
  for (std::size_t number = 2;; ++number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return bad_line(number, "\"end\" and a newline");
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == "end") {
      if (!text.empty()) return bad_line(number + 1, "nothing after \"end\"");
      return node;
    }
    words rest(line);
    const auto word = rest.next();
    while (current < sections.size() && sections[current].word != word) ++current;
    if (current == sections.size()) return bad_line(number, "numa, device, pu and end, in order");
    if (!sections[current].parse(rest, node)) return bad_line(number, sections[current].expected);
  }
}

}  // namespace

std::string encode(const machine& node) {
  fmt::memory_buffer text;
  const auto out = fmt::appender(text);
  fmt::format_to(out, "{}\n", header);
  for (const auto& memory : node.numa_nodes) {
    fmt::format_to(out, "numa {} {} {} {} {}\n", memory.os_index, name_of(memory.kind),
                   memory.bytes, memory.near.first, memory.near.count);
  }
  for (const auto& it : node.devices) {
    const std::string_view address = it.address.empty() ? no_address : it.address;
    fmt::format_to(out, "device {} {} {} {} {}", name_of(it.kind), address, it.link_mb_per_s,
                   it.near.first, it.near.count);
    for (const auto& name : it.names) fmt::format_to(out, " {}", name);
    fmt::format_to(out, "\n");
  }
  for (const auto& p : node.pus) {
    fmt::format_to(out, "pu {} {} {} {} {} {} {}\n", p.os_index, p.core, p.l2, p.l3, p.numa,
                   p.package, p.kind);
  }
  fmt::format_to(out, "end\n");
  return fmt::to_string(text);
}

result<machine> decode(std::string_view text) {
  if (text.size() > max_encoded) {
    return fail(
        fmt::format("topology text of {} bytes is longer than {}", text.size(), max_encoded));
  }
  if (!text.starts_with(header) || text.substr(header.size(), 1) != "\n") {
    return bad_line(1, fmt::format("\"{}\"", header));
  }
  auto node = parse_body(text.substr(header.size() + 1));
  if (!node) return node;
  if (auto valid = validate(*node); !valid) return pass(std::move(valid), "topology text");
  return node;
}

}  // namespace berth::topology
