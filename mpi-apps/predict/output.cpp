#include "predict/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "models/metrics.hpp"

namespace berth::apps {

namespace {

using consumer = std::function<result<void>(row_range, std::span<const double>)>;

// Rank 0 receives every rank's values in turn, also after a failure: the others are sending.
result<void> for_each_rank(const communicator& comm, const row_partition& parts,
                           std::span<const double> mine, const consumer& consume) {
  if (!comm.is_root()) {
    comm.send(mine, 0);
    return {};
  }
  auto ok = consume(parts.of(0), mine);
  std::vector<double> other;
  for (int from = 1; from < comm.size(); ++from) {
    const auto range = parts.of(from);
    other.resize(static_cast<std::size_t>(range.count));
    comm.receive(other, from);
    if (ok) ok = consume(range, other);
  }
  return ok;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string csv_lines(const model& fitted, std::span<const double> scores) {
  std::string text;
  const bool named = fitted.levels.size() == 2;
  const std::string classes[] = {named ? quoted(fitted.levels[0]) : "0",
                                 named ? quoted(fitted.levels[1]) : "1"};
  for (const double score : scores) {
    if (fitted.kind == model_kind::linear) {
      fmt::format_to(std::back_inserter(text), "{}\n", score);
    } else {
      fmt::format_to(std::back_inserter(text), "{},{}\n", logistic_function(score),
                     classes[score >= 0 ? 1 : 0]);
    }
  }
  return text;
}

result<void> put(std::FILE* file, const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file) == text.size()) return {};
  return fail_errno("cannot write predictions", errno, blame::run);
}

result<void> stream_csv(const communicator& comm, std::FILE* file, const model& fitted,
                        const row_partition& parts, std::span<const double> scores) {
  const char* header = fitted.kind == model_kind::linear ? "prediction\n" : "probability,class\n";
  result<void> ok;
  if (comm.is_root()) ok = put(file, header);
  auto written = for_each_rank(comm, parts, scores, [&](row_range, std::span<const double> part) {
    return put(file, csv_lines(fitted, part));
  });
  if (ok) ok = std::move(written);
  if (ok && comm.is_root() && std::fflush(file) != 0) {
    ok = fail_errno("cannot write predictions", errno, blame::run);
  }
  return ok;
}

struct close_file {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

result<void> write_part(const hdf5_file& file, const char* name, row_range range,
                        std::span<const double> values) {
  const hdf5_dataset dataset(H5Dopen2(file.get(), name, H5P_DEFAULT));
  const hdf5_space space(H5Dget_space(dataset.get()));
  const auto start = static_cast<hsize_t>(range.first);
  const auto count = static_cast<hsize_t>(range.count);
  const hdf5_space memory(H5Screate_simple(1, &count, nullptr));
  if (count == 0) return {};
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr);
  if (H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT,
               values.data()) < 0) {
    return fail(fmt::format("cannot write {}: {}", name, hdf5_reason()), blame::run);
  }
  return {};
}

result<void> make_column(const hdf5_file& file, const char* name, std::int64_t rows) {
  const auto count = static_cast<hsize_t>(rows);
  const hdf5_space space(H5Screate_simple(1, &count, nullptr));
  const hdf5_dataset made(H5Dcreate2(file.get(), name, H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT));
  if (made) return {};
  return fail(fmt::format("cannot create {}: {}", name, hdf5_reason()), blame::run);
}

result<void> write_logistic_part(const hdf5_file& file, row_range range,
                                 std::span<const double> scores) {
  std::vector<double> probability;
  std::vector<double> label;
  for (const double score : scores) {
    probability.push_back(logistic_function(score));
    label.push_back(score >= 0 ? 1 : 0);
  }
  if (auto ok = write_part(file, "/probability", range, probability); !ok) return ok;
  return write_part(file, "/class", range, label);
}

result<void> prepare_hdf5_output(const hdf5_file& file, const model& fitted, std::int64_t rows) {
  if (fitted.kind == model_kind::linear) return make_column(file, "/prediction", rows);
  if (auto ok = make_column(file, "/probability", rows); !ok) return ok;
  if (auto ok = make_column(file, "/class", rows); !ok) return ok;
  if (fitted.levels.empty()) return {};
  const hdf5_dataset classes(H5Dopen2(file.get(), "/class", H5P_DEFAULT));
  return write_attribute(classes.get(), target_levels_attribute, std::span(fitted.levels));
}

result<void> stream_hdf5(const communicator& comm, const std::string& temporary,
                         const model& fitted, const row_partition& parts,
                         std::span<const double> scores) {
  result<hdf5_file> file = hdf5_file();
  auto ok = on_root(comm, [&]() -> result<void> {
    file = create_hdf5(temporary);
    if (!file) return failure(file.error());
    return prepare_hdf5_output(*file, fitted, parts.rows);
  });
  if (!ok) return ok;
  ok = for_each_rank(comm, parts, scores, [&](row_range range, std::span<const double> part) {
    return fitted.kind == model_kind::linear ? write_part(*file, "/prediction", range, part)
                                             : write_logistic_part(*file, range, part);
  });
  if (ok && comm.is_root() && !file->close()) ok = fail(hdf5_reason(), blame::run);
  return ok;
}

result<void> stream_csv_file(const communicator& comm, const std::string& temporary,
                             const model& fitted, const row_partition& parts,
                             std::span<const double> scores) {
  std::unique_ptr<std::FILE, close_file> file;
  auto ok = on_root(comm, [&]() -> result<void> {
    file.reset(std::fopen(temporary.c_str(), "we"));
    if (file) return {};
    return fail_errno(fmt::format("cannot write \"{}\"", temporary), errno, blame::run);
  });
  if (!ok) return ok;
  return stream_csv(comm, file.get(), fitted, parts, scores);
}

}  // namespace

result<void> write_predictions(const communicator& comm, const std::string& path,
                               const model& fitted, const row_partition& parts,
                               std::span<const double> scores) {
  if (path.empty()) return agree(comm, stream_csv(comm, stdout, fitted, parts, scores));
  std::optional<atomic_file> output;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto made = atomic_file::create(path);
    if (!made) return pass(std::move(made));
    output.emplace(std::move(*made));
    return {};
  });
  if (!ok) return ok;
  const std::string temporary = output ? output->temporary() : "";
  const bool hdf5 = path.ends_with(".h5") || path.ends_with(".hdf5");
  ok = hdf5 ? stream_hdf5(comm, temporary, fitted, parts, scores)
            : stream_csv_file(comm, temporary, fitted, parts, scores);
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all), "output");
  return on_root(comm, [&] { return output->commit(); });
}

}  // namespace berth::apps
