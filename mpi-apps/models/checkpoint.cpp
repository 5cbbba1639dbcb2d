#include "models/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "data/pack.hpp"
#include "models/checkpoint_file.hpp"
#include "models/weight_facts.hpp"

namespace berth::apps {

namespace {

using clock = std::chrono::steady_clock;

std::int64_t first_block(const sum_node& node) noexcept {
  return node.index << node.level;
}

// Who makes which blocks: those that are missing are shared, and a rank's nodes are those in
// between.
struct block_shares {
  std::int64_t blocks = 0;
  std::vector<std::int64_t> missing;
  int ranks = 1;

  block_shares(const row_blocks& all, const saved_pass& saved, int size)
      : blocks(all.count()), ranks(size) {
    std::int64_t next = 0;
    for (std::size_t k = 0; k <= saved.levels.size(); ++k) {
      const bool is_end = k == saved.levels.size();
      const auto end = is_end ? blocks : saved.indices[k] << saved.levels[k];
      for (; next < end; ++next) missing.push_back(next);
      if (!is_end) next = (saved.indices[k] + 1) << saved.levels[k];
    }
  }
  [[nodiscard]] std::int64_t share(int rank) const { return std::ssize(missing) * rank / ranks; }
  [[nodiscard]] std::int64_t begin(int rank) const {
    if (rank == 0) return 0;
    if (rank == ranks) return blocks;
    const auto at = share(rank);
    return at < std::ssize(missing) ? missing[static_cast<std::size_t>(at)] : blocks;
  }
  // Blocks that the busiest rank makes.
  [[nodiscard]] std::int64_t rounds() const {
    std::int64_t most = 0;
    for (int rank = 0; rank < ranks; ++rank) most = std::max(most, share(rank + 1) - share(rank));
    return most;
  }
  [[nodiscard]] int owner(std::int64_t block) const {
    int rank = ranks - 1;
    while (rank > 0 && begin(rank) > block) --rank;
    return rank;
  }
};

void send_node(const communicator& comm, const sum_node& node, int to) {
  const std::array<double, 2> place{static_cast<double>(node.level),
                                    static_cast<double>(node.index)};
  comm.send(place, to);
  comm.send(node.sums.hi, to);
  comm.send(node.sums.lo, to);
}

sum_node receive_node(const communicator& comm, const saved_pass& pass, int from) {
  std::array<double, 2> place{};
  comm.receive(place, from);
  sum_node node{static_cast<int>(place[0]), static_cast<std::int64_t>(place[1]), {}};
  const auto length = static_cast<std::size_t>(pass.length);
  node.sums.hi.resize(length);
  node.sums.lo.resize(pass.is_twofold ? length : 0);
  comm.receive(node.sums.hi, from);
  comm.receive(node.sums.lo, from);
  return node;
}

// Rank 0 reads, the owners keep. After a failure it goes on with what it has: the others wait.
result<std::vector<sum_node>> load_nodes(const communicator& comm, const std::string& path,
                                         const saved_pass& saved, const block_shares& shares) {
  std::vector<sum_node> mine;
  result<void> ok;
  std::optional<checkpoint_reader> file;
  if (comm.is_root() && !saved.levels.empty()) {
    auto opened = checkpoint_reader::open(path);
    if (opened) file.emplace(std::move(*opened));
    if (!opened) ok = pass(std::move(opened));
  }
  for (std::size_t k = 0; k < saved.levels.size(); ++k) {
    sum_node node{static_cast<int>(saved.levels[k]), saved.indices[k], {}};
    const int owner = shares.owner(first_block(node));
    if (comm.is_root()) {
      node.sums.hi.assign(static_cast<std::size_t>(saved.length), 0);
      node.sums.lo.assign(saved.is_twofold ? static_cast<std::size_t>(saved.length) : 0, 0);
      if (ok) {
        auto sums = file->read(k);
        if (sums) node.sums = std::move(*sums);
        if (!sums) ok = pass(std::move(sums));
      }
      if (owner != 0) send_node(comm, node, owner);
    } else if (comm.rank() == owner) {
      node = receive_node(comm, saved, 0);
    }
    if (comm.rank() == owner) mine.push_back(std::move(node));
  }
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  return mine;
}

// One pass in blocks.
class saving_pass {
 public:
  saving_pass(const communicator& comm, const row_source& source, const checkpoint_options& options,
              const checkpoint_identity& identity, saved_pass state, gram_precision precision)
      : comm_(comm),
        source_(source),
        options_(options),
        identity_(identity),
        state_(std::move(state)),
        blocks_(blocks_of(source)),
        shares_(blocks_, state_, comm.size()),
        builder_(source.columns, blocks_, precision, state_.scale),
        written_(clock::now()) {}

  result<void> load() {
    auto nodes = load_nodes(comm_, options_.path, state_, shares_);
    if (!nodes) return pass(std::move(nodes));
    stored_ = std::move(*nodes);
    if (!state_.levels.empty()) {
      tell(fmt::format("going on from \"{}\": {} of {} blocks are done", options_.path, done(),
                       shares_.blocks));
    }
    return {};
  }

  result<gram_pass> run() {
    auto mine = make_blocks();
    // Ranks that are done, or failed, still take part in what the others agree on.
    while (!stopped_ && round_ < shares_.rounds()) vote();
    if (auto ok = agree(comm_, std::move(mine)); !ok) return pass(std::move(ok));
    if (stopped_) return stop();
    std::array<std::int64_t, 1> counted{facts_.counted};
    comm_.sum(std::span<std::int64_t>(counted));
    counted[0] += state_.counted;
    if (counted[0] == 0) return fail("weights: all are zero");
    auto logarithms = facts_.logarithms;
    logarithms.sum(comm_);
    logarithms.join(state_.logarithms);
    return gram_pass{builder_.finish(comm_), counted[0], logarithms.value()};
  }

 private:
  void tell(const std::string& what) const {
    if (comm_.is_root() && options_.tell) options_.tell(what);
  }
  [[nodiscard]] std::int64_t done() const {
    return shares_.blocks - std::ssize(shares_.missing) + finished_;
  }

  result<void> make_blocks() {
    const auto end = shares_.begin(comm_.rank() + 1);
    for (auto block = shares_.begin(comm_.rank()); block < end && !stopped_;) {
      if (next_ < stored_.size() && first_block(stored_[next_]) == block) {
        block = (stored_[next_].index + 1) << stored_[next_].level;
        builder_.blocks().push(std::move(stored_[next_++]));
        continue;
      }
      const auto until = next_ < stored_.size() ? first_block(stored_[next_]) : end;
      if (auto ok = read_blocks(block, until); !ok) return ok;
      block = until;
    }
    return {};
  }

  result<void> read_blocks(std::int64_t first, std::int64_t end) {
    const auto from = first * blocks_.height;
    const auto rows = std::min(end * blocks_.height, blocks_.rows) - from;
    auto ok = source_.visit_part({from, rows}, [this](const row_view& view) { return add(view); });
    if (ok && facts_.bad > 0) ok = facts_.refuse();
    return ok;
  }

  // Cuts what was read at the ends of blocks, where ranks agree.
  bool add(row_view view) {
    while (view.range.count > 0 && !stopped_ && facts_.bad == 0) {
      const auto block_end =
          std::min((view.range.first / blocks_.height + 1) * blocks_.height, blocks_.rows);
      row_view part = view;
      part.range.count = std::min(view.range.count, block_end - view.range.first);
      facts_.add(part);
      feed(part);
      const bool is_whole = part.range.end() == block_end;
      view.advance(part.range.count, source_.columns);
      if (is_whole) vote();
    }
    return !stopped_ && facts_.bad == 0;
  }

  void feed(const row_view& rows) {
    if (rows.x != nullptr) {
      builder_.add(rows.range, rows.x, rows.y, rows.weights);
    } else {
      builder_.add(rows.range, rows.narrow, rows.y, rows.weights);
    }
  }

  // Every rank votes as often as the busiest one has blocks.
  void vote() {
    ++round_;
    const std::chrono::duration<double> since = clock::now() - written_;
    const bool due = comm_.is_root() && since.count() >= options_.every;
    const bool wanted = options_.save && options_.save();
    const bool ends = options_.stop && options_.stop();
    std::array<double, 2> votes{due || wanted ? 1.0 : 0.0, ends ? 1.0 : 0.0};
    comm_.max(std::span<double>(votes));
    stopped_ = votes[1] > 0;
    if (votes[0] == 0 && !stopped_) return;
    count_finished();
    kept_ = write();
    written_ = clock::now();
    if (!comm_.is_root()) return;
    if (kept_) {
      tell(fmt::format("checkpoint written: {} of {} blocks", done(), shares_.blocks));
    } else {
      tell(fmt::format("warning: checkpoint not written: {}", kept_.error().text()));
    }
  }

  void count_finished() {
    std::array<std::int64_t, 1> sum{0};
    for (int rank = 0; rank < comm_.size(); ++rank) {
      sum[0] += std::min(round_, shares_.share(rank + 1) - shares_.share(rank));
    }
    finished_ = sum[0];
  }

  result<void> write() {
    std::vector<const sum_node*> nodes;
    for (const auto& each : builder_.blocks().nodes()) nodes.push_back(&each);
    for (std::size_t k = next_; k < stored_.size(); ++k) nodes.push_back(&stored_[k]);
    std::vector<std::int64_t> counts(static_cast<std::size_t>(comm_.size()) + 1, 0);
    counts[static_cast<std::size_t>(comm_.rank())] = std::ssize(nodes);
    counts.back() = facts_.counted;
    comm_.sum(std::span<std::int64_t>(counts));
    auto logarithms = facts_.logarithms;
    logarithms.sum(comm_);
    if (!comm_.is_root()) {
      for (const auto* node : nodes) send_node(comm_, *node, 0);
      return {};
    }
    std::int64_t total = 0;
    for (std::size_t rank = 0; rank + 1 < counts.size(); ++rank) total += counts[rank];
    auto header = state_;
    header.counted += counts.back();
    header.logarithms.join(logarithms);
    auto file = checkpoint_writer::create(options_.path, header, identity_, total);
    result<void> ok = file ? result<void>{} : failure(file.error());
    for (const auto* node : nodes) {
      if (ok) ok = file->add(*node);
    }
    for (int rank = 1; rank < comm_.size(); ++rank) {
      for (std::int64_t k = 0; k < counts[static_cast<std::size_t>(rank)]; ++k) {
        const auto node = receive_node(comm_, state_, rank);
        if (ok) ok = file->add(node);
      }
    }
    if (ok) ok = file->finish();
    return ok;
  }

  failure stop() {
    auto kept = agree(comm_, std::move(kept_));
    if (!kept)
      return pass(std::move(kept), fmt::format("stopped; checkpoint \"{}\"", options_.path));
    return fail(fmt::format("stopped after {} of {} blocks; go on with --checkpoint {} --resume",
                            done(), shares_.blocks, options_.path),
                blame::stopped);
  }

  const communicator& comm_;
  const row_source& source_;
  const checkpoint_options& options_;
  const checkpoint_identity& identity_;
  saved_pass state_;
  row_blocks blocks_;
  block_shares shares_;
  gram_builder builder_;
  weight_facts facts_;
  std::vector<sum_node> stored_;
  std::size_t next_ = 0;  // of stored_ that the builder has not
  std::int64_t round_ = 0;
  std::int64_t finished_ = 0;  // blocks of this run, of all ranks
  bool stopped_ = false;
  result<void> kept_;
  clock::time_point written_;
};

result<void> check_identity(const std::string& path, const checkpoint_identity& stored,
                            const checkpoint_identity& wanted) {
  std::vector<std::string> differences;
  for (const auto& each : wanted) {
    const auto found =
        std::ranges::find(stored, each.first, &checkpoint_identity::value_type::first);
    const auto there = found == stored.end() ? std::string("nothing") : found->second;
    if (there != each.second) {
      differences.push_back(
          fmt::format("{} is \"{}\", not \"{}\"", each.first, there, each.second));
    }
  }
  if (differences.empty()) return {};
  return fail(
      fmt::format("checkpoint \"{}\": is of another fit: {}; leave out --resume to begin again",
                  path, fmt::join(differences, ", ")));
}

std::string packed(const saved_pass& saved) {
  packer to;
  to.put(saved.is_twofold);
  for (const auto value : {saved.rows, saved.height, saved.length, saved.counted}) to.put(value);
  to.put(saved.logarithms);
  to.put(saved.scale);
  to.put(saved.levels);
  to.put(saved.indices);
  return std::move(to).take();
}

saved_pass unpacked(std::string bytes) {
  saved_pass saved;
  unpacker from(std::move(bytes));
  from.get(saved.is_twofold);
  for (auto* value : {&saved.rows, &saved.height, &saved.length, &saved.counted}) from.get(*value);
  from.get(saved.logarithms);
  from.get(saved.scale);
  from.get(saved.levels);
  from.get(saved.indices);
  return saved;
}

}  // namespace

result<checkpoint> checkpoint::open(const communicator& comm, checkpoint_options options,
                                    checkpoint_identity identity) {
  checkpoint made(std::move(options), std::move(identity));
  std::string bytes;
  auto ok = on_root(comm, [&]() -> result<void> {
    if (auto writable = check_writable(made.options_.path); !writable) return writable;
    if (!made.options_.resume || ::access(made.options_.path.c_str(), F_OK) != 0) return {};
    auto file = checkpoint_reader::open(made.options_.path);
    if (!file) return pass(std::move(file));
    auto same = check_identity(made.options_.path, file->identity(), made.identity_);
    if (same) bytes = packed(file->pass());
    return same;
  });
  if (!ok) return pass(std::move(ok));
  comm.broadcast(bytes);
  if (!bytes.empty()) made.saved_ = unpacked(std::move(bytes));
  return made;
}

result<gram_pass> checkpoint::run(const communicator& comm, const row_source& source,
                                  gram_precision precision, const std::vector<double>& scale) {
  const auto blocks = blocks_of(source);
  saved_pass state;
  state.is_twofold = precision == gram_precision::exact;
  state.rows = source.rows;
  state.height = blocks.height;
  state.length = std::ssize(make_gram(source.columns, {}).sums.hi);
  state.scale = scale;
  const bool goes_on = saved_.is_twofold == state.is_twofold && saved_.rows == state.rows &&
                       saved_.height == state.height && saved_.length == state.length &&
                       saved_.scale == state.scale;
  if (goes_on) state = saved_;
  saving_pass work(comm, source, options_, identity_, std::move(state), precision);
  if (auto ok = work.load(); !ok) return pass(std::move(ok));
  return work.run();
}

}  // namespace berth::apps
