#include "import/table_merge.hpp"

#include <array>
#include <cstring>

namespace berth::apps {

namespace {

// Facts with texts travel as bytes: lengths and numbers of eight bytes, then the texts.
class packer {
 public:
  void put(std::int64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void put(const std::string& text) {
    put(std::ssize(text));
    bytes_ += text;
  }
  template <class Map>
  void put_counts(const Map& counts) {
    put(std::ssize(counts));
    for (const auto& [text, count] : counts) {
      put(text);
      put(count);
    }
  }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

class unpacker {
 public:
  explicit unpacker(std::string_view bytes) : left_(bytes) {}
  std::int64_t number() {
    std::int64_t value = 0;
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = static_cast<std::size_t>(number());
    std::string value(left_.substr(0, size));
    left_.remove_prefix(size);
    return value;
  }

 private:
  std::string_view left_;
};

void pack(packer& out, const column_facts& facts) {
  out.put(facts.first_text ? 1 : 0);
  if (facts.first_text) {
    out.put(facts.first_text->line);
    out.put(facts.first_text->value);
  }
  out.put_counts(facts.levels);
  out.put_counts(facts.words.words());
}

void merge_text(std::optional<found_text>& first, found_text other) {
  if (!first || other.line < first->line) first = std::move(other);
}

// A level is kept while there are not too many: which are left out then makes no difference.
void merge_level(column_facts& facts, const std::string& level, std::int64_t count,
                 std::size_t most) {
  const auto at = facts.levels.find(level);
  if (at != facts.levels.end()) {
    at->second += count;
  } else if (facts.levels.size() <= most) {
    facts.levels.emplace(level, count);
  }
}

void unpack(unpacker& in, column_facts& facts, const table_rules& rules) {
  if (in.number() != 0) {
    const auto line = in.number();
    merge_text(facts.first_text, {line, in.text()});
  }
  for (auto left = in.number(); left > 0; --left) {
    const auto level = in.text();
    merge_level(facts, level, in.number(), rules.max_levels);
  }
  for (auto left = in.number(); left > 0; --left) {
    const auto word = in.text();
    facts.words.add_count(word, in.number());
  }
}

void add_numbers(column_facts& to, column_facts& from) {
  to.missing += from.missing;
  to.values += from.values;
  const auto words = from.sum.words();
  const auto sum = to.sum.words();
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += words[i];
  to.words.add_buckets(from.words.buckets());
}

void share_numbers(const communicator& comm, table_facts& table,
                   const std::vector<table_column>& columns) {
  std::array<std::int64_t, 2> rows{table.rows, table.kept};
  comm.sum(std::span<std::int64_t>(rows));
  table.rows = rows[0];
  table.kept = rows[1];
  for (std::size_t j = 0; j < columns.size(); ++j) {
    auto& facts = table.columns[j];
    std::array<std::int64_t, 2> counts{facts.missing, facts.values};
    comm.sum(std::span<std::int64_t>(counts));
    facts.missing = counts[0];
    facts.values = counts[1];
    comm.sum(facts.sum.words());
    if (columns[j].kind != column_kind::text || columns[j].words.mode != word_mode::hash ||
        !columns[j].words.tf_idf) {
      continue;
    }
    std::vector<std::int64_t> buckets(std::size_t{1}
                                      << static_cast<unsigned>(columns[j].words.bits));
    const auto& mine = facts.words.buckets();
    std::copy(mine.begin(), mine.end(), buckets.begin());
    comm.sum(std::span<std::int64_t>(buckets));
    facts.words = {};
    facts.words.add_buckets(buckets);
  }
}

}  // namespace

table_facts merge_parts(const communicator& comm, part_range range,
                        const std::vector<table_column>& columns, const table_rules& rules,
                        parts_scan& scan) {
  table_facts table;
  table.columns.resize(columns.size());
  packer texts;
  for (std::size_t i = 0; i < range.count; ++i) {
    auto& part = scan.mine[i].table;
    table.rows += part.rows;
    table.kept += part.kept;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      auto& facts = part.columns[j];
      if (facts.first_text) facts.first_text->line += scan.places[range.first + i].line;
      add_numbers(table.columns[j], facts);
      pack(texts, facts);
    }
  }
  share_numbers(comm, table, columns);
  for (int rank = 0; rank < comm.size(); ++rank) {
    std::string bytes = rank == comm.rank() ? texts.bytes() : std::string();
    comm.broadcast(bytes, rank);
    unpacker in(bytes);
    for (std::size_t i = 0; i < range.count; ++i) {
      for (auto& facts : table.columns) unpack(in, facts, rules);
    }
  }
  return table;
}

}  // namespace berth::apps
