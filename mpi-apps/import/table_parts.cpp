#include "import/table_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "common/collective.hpp"
#include "import/line_stream.hpp"

namespace berth::apps {

namespace {

constexpr int guesses = 64;
constexpr std::size_t guess_buffer = std::size_t{1} << 16;

struct numbers_of_parts {
  std::vector<std::int64_t> begin, end, lines, kept, faulty;

  explicit numbers_of_parts(std::size_t parts)
      : begin(parts), end(parts), lines(parts), kept(parts), faulty(parts) {}
  void share(const communicator& comm) {
    for (auto* each : {&begin, &end, &lines, &kept, &faulty}) {
      comm.sum(std::span<std::int64_t>(*each));
    }
  }
};

class part_scanner {
 public:
  part_scanner(part_range range, const source_file& source, const table_head& head,
               const table_rules& rules, const progress_callback& progress)
      : range_(range),
        source_(source),
        head_(head),
        rules_(rules),
        progress_(progress),
        begins_(range.count),
        found_(range.count) {}

  void guess() {
    for_each_part(range_, [this](std::size_t part) {
      begins_[part - range_.first] =
          part == 0 ? head_.data_begin : guess_record(source_, head_, border(part));
    });
  }

  // Scans the parts that `wanted` says begin elsewhere than they were scanned from.
  void scan(const std::vector<bool>& wanted) {
    for_each_part(range_, [&](std::size_t part) {
      if (!wanted[part]) return;
      const std::size_t mine = part - range_.first;
      found_[mine] = scan_part(source_, head_.dialect, {begins_[mine], border(part + 1)},
                               head_.columns, rules_, progress_);
    });
  }

  [[nodiscard]] numbers_of_parts numbers() const {
    numbers_of_parts all(range_.all);
    for (std::size_t i = 0; i < range_.count; ++i) {
      const std::size_t part = range_.first + i;
      all.begin[part] = begins_[i];
      all.end[part] = found_[i].end;
      all.lines[part] = found_[i].lines;
      all.kept[part] = found_[i].table.kept;
      all.faulty[part] = found_[i].fault ? 1 : 0;
    }
    return all;
  }

  void move(std::size_t part, std::int64_t begin) {
    if (part >= range_.first && part < range_.first + range_.count) {
      begins_[part - range_.first] = begin;
    }
  }

  std::vector<part_facts> take() { return std::move(found_); }
  [[nodiscard]] const text_fault* fault(std::size_t part) const {
    if (part < range_.first || part >= range_.first + range_.count) return nullptr;
    return &*found_[part - range_.first].fault;
  }

 private:
  [[nodiscard]] std::int64_t border(std::size_t part) const {
    const std::int64_t bytes = source_.size() - head_.data_begin;
    return head_.data_begin + static_cast<std::int64_t>(static_cast<long double>(bytes) *
                                                        static_cast<long double>(part) /
                                                        static_cast<long double>(range_.all));
  }

  part_range range_;
  const source_file& source_;
  const table_head& head_;
  const table_rules& rules_;
  const progress_callback& progress_;
  std::vector<std::int64_t> begins_;
  std::vector<part_facts> found_;
};

// Which parts did not begin where the part before ended. Behind a fault of a part that is right,
// nothing counts any more.
std::vector<bool> wrong_guesses(const numbers_of_parts& all) {
  std::vector<bool> wrong(all.begin.size());
  bool right = true;
  for (std::size_t part = 1; part < wrong.size(); ++part) {
    if (right && all.faulty[part - 1] != 0) break;
    wrong[part] = all.faulty[part - 1] == 0 && all.begin[part] != all.end[part - 1];
    right = right && !wrong[part];
  }
  return wrong;
}

std::vector<part_place> places_of(const numbers_of_parts& all, std::int64_t line) {
  std::vector<part_place> places;
  std::int64_t row = 0;
  for (std::size_t part = 0; part < all.begin.size(); ++part) {
    places.push_back({all.begin[part], all.end[part], line, row, all.kept[part]});
    line += all.lines[part];
    row += all.kept[part];
  }
  return places;
}

}  // namespace

part_range parts_of(const communicator& comm, int threads) noexcept {
  const auto each = static_cast<std::size_t>(threads);
  return {static_cast<std::size_t>(comm.rank()) * each, each,
          static_cast<std::size_t>(comm.size()) * each};
}

void for_each_part(part_range range, const std::function<void(std::size_t)>& work) {
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < range.count; ++i) {
    others.emplace_back([&work, part = range.first + i] { work(part); });
  }
  work(range.first);
}

std::int64_t guess_record(const source_file& source, const table_head& head, std::int64_t from) {
  // A record begins at `from` itself when a line end is just before it.
  const std::int64_t first = next_line(source, std::max(head.data_begin, from) - 1);
  std::vector<std::string_view> fields;
  std::int64_t at = first;
  for (int guess = 0; guess < guesses && at < source.size(); ++guess) {
    csv_stream stream(source, head.dialect, at, guess_buffer);
    if (stream.next(fields) && fields.size() == head.columns.size()) return at;
    at = next_line(source, at);
  }
  return first;
}

error fault_error(const source_file& source, const text_fault& fault, std::int64_t line) {
  if (!fault.has_line) return error(fault.what, fault.whose);
  return error(fmt::format("\"{}\": line {}: {}", source.path(), line + fault.line, fault.what),
               fault.whose);
}

result<parts_scan> scan_parts(const communicator& comm, part_range range, const source_file& source,
                              const table_head& head, const table_rules& rules,
                              const progress_callback& progress) {
  part_scanner scanner(range, source, head, rules, progress);
  scanner.guess();
  std::vector<bool> wrong(range.all, true);
  for (;;) {
    scanner.scan(wrong);
    auto all = scanner.numbers();
    all.share(comm);
    wrong = wrong_guesses(all);
    if (std::ranges::find(wrong, true) != wrong.end()) {
      for (std::size_t part = 1; part < range.all; ++part) {
        if (wrong[part]) scanner.move(part, all.end[part - 1]);
      }
      continue;
    }
    auto places = places_of(all, head.data_line);
    const auto faulty = std::ranges::find(all.faulty, 1);
    if (faulty == all.faulty.end()) return parts_scan{std::move(places), scanner.take()};
    const auto part = static_cast<std::size_t>(faulty - all.faulty.begin());
    const auto* mine = scanner.fault(part);
    std::optional<error> why;
    if (mine != nullptr) why = fault_error(source, *mine, places[part].line);
    return failure(*first_error(comm, why ? &*why : nullptr));
  }
}

}  // namespace berth::apps
