#include "models/checkpoint_file.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "common/hdf5_attributes.hpp"

namespace berth::apps {

namespace {

constexpr const char* format_name = "berth checkpoint 2";
using texts = std::vector<std::string>;

result<void> write_header(const hdf5_file& file, const saved_pass& pass,
                          const checkpoint_identity& identity) {
  texts names;
  texts values;
  for (const auto& [name, value] : identity) {
    names.push_back(name);
    values.push_back(value);
  }
  const std::pair<const char*, std::int64_t> counts[] = {{"twofold", pass.is_twofold ? 1 : 0},
                                                         {"rows", pass.rows},
                                                         {"height", pass.height},
                                                         {"length", pass.length},
                                                         {"counted", pass.counted}};
  auto ok = write_attribute(file.get(), "format", std::string(format_name));
  for (const auto& [name, count] : counts) {
    if (ok) ok = write_attribute(file.get(), name, count);
  }
  if (ok) ok = write_attribute(file.get(), "names", std::span<const std::string>(names));
  if (ok) ok = write_attribute(file.get(), "values", std::span<const std::string>(values));
  texts logarithms;  // numbers of 64 bits
  for (const auto part : pass.logarithms.parts()) logarithms.push_back(std::to_string(part));
  if (ok) ok = write_attribute(file.get(), "log_weights", std::span<const std::string>(logarithms));
  if (!ok || pass.scale.empty()) return ok;
  auto scale = write_doubles(file.get(), "scale", {std::ssize(pass.scale)}, pass.scale);
  return scale ? result<void>{} : berth::apps::pass(std::move(scale));
}

result<void> make_rows(const hdf5_file& file, const char* name, std::int64_t rows,
                       std::int64_t length) {
  const hsize_t shape[2] = {static_cast<hsize_t>(rows), static_cast<hsize_t>(length)};
  const hdf5_space space(H5Screate_simple(2, shape, nullptr));
  const hdf5_dataset made(H5Dcreate2(file.get(), name, H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT));
  if (made) return {};
  return fail(fmt::format("cannot create {}: {}", name, hdf5_reason()), blame::run);
}

// One row of a dataset [rows x length].
struct row_selection {
  hdf5_dataset dataset;
  hdf5_space space;
  hdf5_space memory;

  row_selection(const hdf5_file& file, const char* name, std::size_t at, std::size_t length)
      : dataset(H5Dopen2(file.get(), name, H5P_DEFAULT)), space(H5Dget_space(dataset.get())) {
    const hsize_t start[2] = {at, 0};
    const hsize_t count[2] = {1, length};
    memory = hdf5_space(H5Screate_simple(1, count + 1, nullptr));
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr);
  }
};

result<std::vector<std::int64_t>> read_counts(const hdf5_file& file, const char* name) {
  auto values = read_doubles(file.get(), name);
  if (!values) return pass(std::move(values));
  std::vector<std::int64_t> counts;
  for (const double value : *values) {
    if (!(value >= 0 && value < 0x1p53 && std::floor(value) == value)) {
      return fail(fmt::format("{} has {}, not a count", name, value));
    }
    counts.push_back(static_cast<std::int64_t>(value));
  }
  return counts;
}

result<log_sum> read_logarithms(const hdf5_file& file) {
  const auto words = read_texts(file.get(), "log_weights");
  if (!words) return failure(words.error());
  log_sum::fixed_point parts{};
  bool is_good = words->size() == parts.size();
  for (std::size_t i = 0; is_good && i < parts.size(); ++i) {
    const auto& word = (*words)[i];
    const auto end = word.data() + word.size();
    is_good = std::from_chars(word.data(), end, parts[i]).ptr == end && !word.empty();
  }
  if (!is_good) return fail("log_weights are not three whole numbers");
  return log_sum::of(parts);
}

// Nodes must be apart and ascending, within the blocks.
result<void> check_nodes(const saved_pass& saved) {
  if (saved.levels.size() != saved.indices.size()) return fail("has levels without indices");
  if (saved.height < 1) return fail("has blocks of no rows");
  const std::int64_t blocks = (saved.rows + saved.height - 1) / saved.height;
  std::int64_t next = 0;
  for (std::size_t k = 0; k < saved.levels.size(); ++k) {
    if (saved.levels[k] > 50 || saved.indices[k] > blocks >> saved.levels[k] ||
        saved.indices[k] << saved.levels[k] < next) {
      return fail("has blocks that overlap");
    }
    next = (saved.indices[k] + 1) << saved.levels[k];
  }
  return {};
}

// At most, with the room that HDF5 takes for its own.
std::int64_t bytes_of(const saved_pass& pass, const checkpoint_identity& identity,
                      std::int64_t nodes) {
  constexpr std::int64_t own = 32 << 10;
  const auto numbers =
      nodes * (pass.length * (pass.is_twofold ? 2 : 1) + 2) + std::ssize(pass.scale);
  std::size_t letters = 0;
  for (const auto& [name, value] : identity) letters += name.size() + value.size();
  return own + 8 * numbers + 2 * static_cast<std::int64_t>(letters);
}

}  // namespace

result<checkpoint_writer> checkpoint_writer::create(const std::string& path, const saved_pass& pass,
                                                    const checkpoint_identity& identity,
                                                    std::int64_t nodes) {
  auto output = atomic_file::create(path);
  if (!output) return berth::apps::pass(std::move(output));
  auto room = output->check_space(bytes_of(pass, identity, nodes));
  if (!room) return berth::apps::pass(std::move(room));
  auto file = create_hdf5(output->temporary());
  if (!file) return berth::apps::pass(std::move(file));
  auto ok = write_header(*file, pass, identity);
  if (ok) ok = make_rows(*file, "hi", nodes, pass.length);
  if (ok && pass.is_twofold) ok = make_rows(*file, "lo", nodes, pass.length);
  if (!ok) return berth::apps::pass(std::move(ok));
  return checkpoint_writer(std::move(*output), std::move(*file), pass.length);
}

result<void> checkpoint_writer::write_row(const char* name, const buffer<double>& values) {
  const row_selection row(file_, name, levels_.size(), static_cast<std::size_t>(length_));
  if (H5Dwrite(row.dataset.get(), H5T_NATIVE_DOUBLE, row.memory.get(), row.space.get(), H5P_DEFAULT,
               values.data()) >= 0) {
    return {};
  }
  return fail(fmt::format("cannot write {}: {}", name, hdf5_reason()), blame::run);
}

result<void> checkpoint_writer::add(const sum_node& node) {
  auto ok = write_row("hi", node.sums.hi);
  if (ok && !node.sums.lo.empty()) ok = write_row("lo", node.sums.lo);
  levels_.push_back(node.level);
  indices_.push_back(static_cast<double>(node.index));
  return ok;
}

result<void> checkpoint_writer::finish() {
  auto made = write_doubles(file_.get(), "levels", {std::ssize(levels_)}, levels_);
  if (made) made = write_doubles(file_.get(), "indices", {std::ssize(indices_)}, indices_);
  if (!made) return pass(std::move(made));
  if (!made->close() || !file_.close()) return fail(hdf5_reason(), blame::run);
  return output_.commit();
}

result<checkpoint_reader> checkpoint_reader::open(const std::string& path) {
  auto file = open_hdf5(path);
  if (!file) return berth::apps::pass(std::move(file), "checkpoint");
  checkpoint_reader made;
  made.file_ = std::move(*file);
  auto ok = made.read_header();
  if (!ok) return berth::apps::pass(std::move(ok), fmt::format("checkpoint \"{}\"", path));
  return made;
}

result<void> checkpoint_reader::read_header() {
  const hid_t file = file_.get();
  const auto format = has_attribute(file, "format") ? read_text(file, "format").value_or("") : "";
  if (format != format_name) return fail("not a checkpoint of train; name another file");
  const std::pair<const char*, std::int64_t*> counts[] = {{"rows", &pass_.rows},
                                                          {"height", &pass_.height},
                                                          {"length", &pass_.length},
                                                          {"counted", &pass_.counted}};
  for (const auto& [name, count] : counts) {
    auto value = read_count(file, name);
    if (!value) return berth::apps::pass(std::move(value));
    *count = *value;
  }
  auto twofold = read_count(file, "twofold");
  if (!twofold) return berth::apps::pass(std::move(twofold));
  pass_.is_twofold = *twofold != 0;
  auto names = read_texts(file, "names");
  if (!names) return berth::apps::pass(std::move(names));
  auto values = read_texts(file, "values");
  if (!values) return berth::apps::pass(std::move(values));
  if (names->size() != values->size()) return fail("has names without values");
  for (std::size_t i = 0; i < names->size(); ++i) {
    identity_.emplace_back((*names)[i], (*values)[i]);
  }
  if (H5Lexists(file, "scale", H5P_DEFAULT) > 0) {
    auto scale = read_doubles(file, "scale");
    if (!scale) return berth::apps::pass(std::move(scale));
    pass_.scale = std::move(*scale);
  }
  auto logarithms = read_logarithms(file_);
  if (!logarithms) return berth::apps::pass(std::move(logarithms));
  pass_.logarithms = *logarithms;
  auto levels = read_counts(file_, "levels");
  if (!levels) return berth::apps::pass(std::move(levels));
  pass_.levels = std::move(*levels);
  auto indices = read_counts(file_, "indices");
  if (!indices) return berth::apps::pass(std::move(indices));
  pass_.indices = std::move(*indices);
  return check_nodes(pass_);
}

result<partial_sums> checkpoint_reader::read(std::size_t at) const {
  partial_sums sums;
  const auto length = static_cast<std::size_t>(pass_.length);
  const auto read_row = [&](const char* name, buffer<double>& values) -> result<void> {
    values.resize(length);
    const row_selection row(file_, name, at, length);
    if (H5Dread(row.dataset.get(), H5T_NATIVE_DOUBLE, row.memory.get(), row.space.get(),
                H5P_DEFAULT, values.data()) >= 0) {
      return {};
    }
    return fail(fmt::format("checkpoint: cannot read {}: {}", name, hdf5_reason()));
  };
  auto ok = read_row("hi", sums.hi);
  if (ok && pass_.is_twofold) ok = read_row("lo", sums.lo);
  if (!ok) return berth::apps::pass(std::move(ok));
  return sums;
}

}  // namespace berth::apps
