#include "data/writer.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "data/writer_file.hpp"

namespace berth::apps {

namespace {

static_assert(std::endian::native == std::endian::little, "files are written as memory is");

// Larger writes start their way to the disk at once, so that the sync at the end is short.
constexpr std::size_t flushed_bytes = 1 << 18;

// Follows https://reproducible-builds.org/specs/source-date-epoch/.
std::string creation_time() {
  const char* fixed = std::getenv("SOURCE_DATE_EPOCH");
  if (fixed == nullptr) return timestamp();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::strtoll(fixed, nullptr, 10)));
}

result<void> check_layout(const dataset_layout& layout) {
  if (layout.rows < 1 || layout.features < 1) {
    return fail(fmt::format("a dataset needs at least one row and one feature, not {} x {}",
                            layout.rows, layout.features));
  }
  const std::int64_t element = layout.values == precision::f32 ? 4 : 8;
  // A chunk holds a whole row and is below 4 GiB.
  if (!layout.sparse && layout.features >= (std::int64_t{1} << 32) / element) {
    return fail(fmt::format("{} features are more than a dense dataset can have; make it sparse",
                            layout.features));
  }
  return {};
}

result<void> check_space(const std::string& path, const dataset_layout& layout) {
  struct statvfs facts {};
  const auto folder = std::filesystem::path(path).parent_path();
  if (::statvfs(folder.empty() ? "." : folder.c_str(), &facts) != 0) return {};
  const double free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  if (bytes_of(layout) <= free) return {};
  return fail(fmt::format("output \"{}\": needs {:.1f} GB, but {:.1f} GB are free", path,
                          bytes_of(layout) / 1e9, free / 1e9),
              blame::run);
}

void share(const communicator& comm, array_place& place) {
  std::int64_t facts[4] = {place.rows, place.row_bytes, place.chunk_rows,
                           std::ssize(place.addresses)};
  comm.broadcast(std::span<std::int64_t>(facts));
  place.rows = facts[0];
  place.row_bytes = facts[1];
  place.chunk_rows = facts[2];
  place.addresses.resize(static_cast<std::size_t>(facts[3]));
  comm.broadcast(std::span<std::int64_t>(place.addresses));
}

void share(const communicator& comm, dataset_places& places) {
  for (auto* place :
       {&places.x, &places.data, &places.indices, &places.starts, &places.y, &places.weights}) {
    share(comm, *place);
  }
  std::int64_t wide = places.wide_indices ? 1 : 0;
  comm.broadcast(std::span<std::int64_t>(&wide, 1));
  places.wide_indices = wide != 0;
}

template <class To, class From>
std::vector<To> converted(std::span<const From> values) {
  std::vector<To> out(values.size());
  std::ranges::transform(values, out.begin(), [](From each) { return static_cast<To>(each); });
  return out;
}

}  // namespace

struct dataset_writer::state {
  const communicator* comm = nullptr;  // borrowed
  std::string path;
  dataset_layout layout;
  std::optional<atomic_file> output;  // rank 0
  dataset_places places;
  file_attributes attributes;
  std::vector<small_array> arrays;
  int fd = -1;

  ~state() {
    if (fd >= 0) ::close(fd);
  }

  result<void> open(const std::string& temporary) {
    fd = ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return fail_errno(fmt::format("output \"{}\": cannot open", path), errno, blame::run);
    return {};
  }

  result<void> write_bytes(std::span<const std::byte> bytes, std::int64_t address) const {
    auto left = bytes;
    auto at = static_cast<off_t>(address);
    while (!left.empty()) {
      const ssize_t wrote = ::pwrite(fd, left.data(), left.size(), at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) {
        return fail_errno(fmt::format("output \"{}\": cannot write", path), errno, blame::run);
      }
      left = left.subspan(static_cast<std::size_t>(wrote));
      at += wrote;
    }
    if (bytes.size() >= flushed_bytes) {
      ::sync_file_range(fd, address, static_cast<off_t>(bytes.size()), SYNC_FILE_RANGE_WRITE);
    }
    return {};
  }

  template <class T>
  result<void> write_rows(const array_place& place, std::int64_t first,
                          std::span<const T> values) const {
    auto bytes = std::as_bytes(values);
    for (std::int64_t row = first; !bytes.empty();) {
      const std::int64_t inside = row % place.chunk_rows;
      const auto room = static_cast<std::size_t>((place.chunk_rows - inside) * place.row_bytes);
      const auto part = bytes.first(std::min(room, bytes.size()));
      const auto chunk = static_cast<std::size_t>(row / place.chunk_rows);
      auto ok = write_bytes(part, place.addresses[chunk] + inside * place.row_bytes);
      if (!ok) return ok;
      row += static_cast<std::int64_t>(part.size()) / place.row_bytes;
      bytes = bytes.subspan(part.size());
    }
    return {};
  }

  template <class T>
  result<void> write_values(const array_place& place, std::int64_t first,
                            std::span<const T> values) const {
    using other = std::conditional_t<std::is_same_v<T, float>, double, float>;
    const bool same = (layout.values == precision::f32) == std::is_same_v<T, float>;
    if (same) return write_rows(place, first, values);
    return write_rows(place, first, std::span<const other>(converted<other>(values)));
  }
};

dataset_writer::dataset_writer(std::unique_ptr<state> made) : state_(std::move(made)) {}
dataset_writer::dataset_writer(dataset_writer&&) noexcept = default;
dataset_writer::~dataset_writer() = default;

result<dataset_writer> dataset_writer::create(const communicator& comm, const std::string& path,
                                              dataset_layout layout,
                                              const std::vector<std::string>& inputs) {
  auto made = std::make_unique<state>();
  made->comm = &comm;
  made->path = path;
  made->layout = std::move(layout);
  if (auto ok = check_layout(made->layout); !ok) return pass(std::move(ok));
  std::string temporary;
  auto ok = on_root(comm, [&]() -> result<void> {
    for (const auto& input : inputs) {
      if (auto fine = check_writable(path, {input}); !fine) return fine;
    }
    if (auto fine = check_space(path, made->layout); !fine) return fine;
    auto output = atomic_file::create(path);
    if (!output) return pass(std::move(output));
    temporary = output->temporary();
    made->output.emplace(std::move(*output));
    auto places = create_dataset_file(temporary, made->layout);
    if (!places) return pass(std::move(places), fmt::format("output \"{}\"", path));
    made->places = std::move(*places);
    return {};
  });
  if (!ok) return pass(std::move(ok));
  comm.broadcast(temporary);
  share(comm, made->places);
  if (auto all = agree(comm, made->open(temporary)); !all) return pass(std::move(all));
  return dataset_writer(std::move(made));
}

const dataset_layout& dataset_writer::layout() const noexcept {
  return state_->layout;
}

std::int64_t dataset_writer::chunk_rows() const noexcept {
  return state_->places.x.chunk_rows;
}

template <class T>
result<void> dataset_writer::write_features(std::int64_t first, std::span<const T> x) {
  return state_->write_values(state_->places.x, first, x);
}

template <class T>
result<void> dataset_writer::write_features(std::int64_t first, std::int64_t first_entry,
                                            const sparse_rows<T>& rows) {
  const auto& places = state_->places;
  auto ok = state_->write_values(places.data, first_entry, rows.values);
  if (ok && places.wide_indices) {
    ok = state_->write_rows(places.indices, first_entry, rows.columns);
  } else if (ok) {
    const auto narrow = converted<std::int32_t>(rows.columns);
    ok = state_->write_rows(places.indices, first_entry, std::span<const std::int32_t>(narrow));
  }
  if (!ok) return ok;
  std::vector<std::int64_t> starts(rows.starts.begin(), rows.starts.end());
  for (auto& each : starts) each += first_entry;
  // The first start of later rows is the last of the rows before.
  const std::span<const std::int64_t> all(starts);
  return first == 0 ? state_->write_rows(places.starts, 0, all)
                    : state_->write_rows(places.starts, first + 1, all.subspan(1));
}

template result<void> dataset_writer::write_features(std::int64_t, std::span<const float>);
template result<void> dataset_writer::write_features(std::int64_t, std::span<const double>);
template result<void> dataset_writer::write_features(std::int64_t, std::int64_t,
                                                     const sparse_rows<float>&);
template result<void> dataset_writer::write_features(std::int64_t, std::int64_t,
                                                     const sparse_rows<double>&);

result<void> dataset_writer::write_targets(std::int64_t first, std::span<const double> y) {
  return state_->write_rows(state_->places.y, first, y);
}

result<void> dataset_writer::write_weights(std::int64_t first, std::span<const double> weights) {
  return state_->write_rows(state_->places.weights, first, weights);
}

void dataset_writer::set(const std::string& name, std::string text) {
  state_->attributes.emplace_back(name, std::move(text));
}

void dataset_writer::set(const std::string& name, std::int64_t number) {
  state_->attributes.emplace_back(name, number);
}

void dataset_writer::add_array(const std::string& name, std::vector<std::int64_t> shape,
                               std::vector<double> values) {
  state_->arrays.push_back({name, std::move(shape), std::move(values)});
}

result<void> dataset_writer::commit() {
  auto& made = *state_;
  const auto what = fmt::format("output \"{}\"", made.path);
  result<void> synced;
  if (::fsync(made.fd) != 0) synced = fail_errno(what + ": cannot write", errno, blame::run);
  if (auto all = agree(*made.comm, std::move(synced)); !all) return all;
  return on_root(*made.comm, [&]() -> result<void> {
    set("created", creation_time());
    const bool is_signed = std::ranges::any_of(
        made.attributes, [](const auto& each) { return each.first == "created_by"; });
    if (!is_signed) set("created_by", fmt::format("berth dataset {}", version()));
    auto ok = complete_file(made.output->temporary(), made.attributes, made.arrays);
    if (!ok) return pass(std::move(ok), what);
    return made.output->commit();
  });
}

}  // namespace berth::apps
