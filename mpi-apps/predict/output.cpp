#include "predict/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "predict/prediction_file.hpp"
#include "predict/prediction_text.hpp"

namespace berth::apps {

namespace {

result<void> put_text(std::FILE* file, const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file) == text.size()) return {};
  return fail_errno("cannot write predictions", errno, blame::run);
}

result<void> put_bytes(int fd, std::span<const double> values, std::int64_t address) {
  auto bytes = std::as_bytes(values);
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), address);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return fail_errno("cannot write predictions", errno, blame::run);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    address += done;
  }
  return {};
}

struct close_file {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

struct prediction_output::state {
  const model* fitted = nullptr;
  bool bounds = false;
  bool is_hdf5 = false;
  std::optional<atomic_file> output;  // rank 0, unless stdout
  std::unique_ptr<std::FILE, close_file> owned;
  std::FILE* text = nullptr;            // rank 0, CSV
  int fd = -1;                          // HDF5
  std::vector<std::int64_t> addresses;  // of the columns, HDF5

  ~state() {
    if (fd >= 0) ::close(fd);
  }

  result<void> create(const std::string& path, std::int64_t rows) {
    if (path.empty()) {
      text = stdout;
      return put_text(text, csv_header(*fitted, bounds));
    }
    auto made = atomic_file::create(path);
    if (!made) return pass(std::move(made));
    output.emplace(std::move(*made));
    if (is_hdf5) {
      auto room = output->check_space(prediction_file_bytes(*fitted, rows, bounds));
      if (!room) return room;
      auto places = create_prediction_file(output->temporary(), *fitted, rows, bounds);
      if (!places) return pass(std::move(places), fmt::format("output \"{}\"", path));
      addresses = std::move(*places);
      return {};
    }
    owned.reset(std::fopen(output->temporary().c_str(), "we"));
    if (!owned) return fail_errno(fmt::format("cannot write \"{}\"", path), errno, blame::run);
    text = owned.get();
    return put_text(text, csv_header(*fitted, bounds));
  }

  result<void> share(const communicator& comm) {
    std::string temporary = output ? output->temporary() : std::string();
    comm.broadcast(temporary);
    addresses.resize(prediction_columns(*fitted, bounds));
    comm.broadcast(std::span<std::int64_t>(addresses));
    fd = ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(fmt::format("cannot write \"{}\"", temporary), errno, blame::run);
    return {};
  }

  // Rank 0 receives every rank's text in turn, also after a failure: the others are sending.
  result<void> gather(const communicator& comm, const std::string& mine) const {
    if (!comm.is_root()) {
      comm.send(mine, 0);
      return {};
    }
    auto ok = put_text(text, mine);
    std::string other;
    for (int from = 1; from < comm.size(); ++from) {
      comm.receive(other, from);
      if (ok) ok = put_text(text, other);
    }
    return ok;
  }

  result<void> write(row_range range, const predicted_rows& logs) const {
    const auto columns = columns_of(*fitted, logs);
    if (range.count == 0) return {};
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const auto width = std::ssize(columns[k]) / range.count;
      if (auto ok = put_bytes(fd, columns[k], addresses[k] + range.first * width * 8); !ok)
        return ok;
    }
    return {};
  }

  result<void> close_all() {
    if (fd >= 0 && ::close(std::exchange(fd, -1)) != 0) {
      return fail_errno("cannot write predictions", errno, blame::run);
    }
    if (text != nullptr && std::fflush(text) != 0) {
      return fail_errno("cannot write predictions", errno, blame::run);
    }
    return {};
  }
};

prediction_output::prediction_output(std::unique_ptr<state> made) : state_(std::move(made)) {}
prediction_output::prediction_output(prediction_output&&) noexcept = default;
prediction_output::~prediction_output() = default;

result<prediction_output> prediction_output::create(const communicator& comm,
                                                    const std::string& path, const model& fitted,
                                                    std::int64_t rows, bool bounds) {
  auto made = std::make_unique<state>();
  made->fitted = &fitted;
  made->bounds = bounds;
  made->is_hdf5 = path.ends_with(".h5") || path.ends_with(".hdf5");
  auto ok = on_root(comm, [&] { return made->create(path, rows); });
  if (ok && made->is_hdf5) ok = agree(comm, made->share(comm));
  if (!ok) return pass(std::move(ok));
  return prediction_output(std::move(made));
}

result<void> prediction_output::put(const communicator& comm, row_range range,
                                    const predicted_rows& logs) {
  if (state_->is_hdf5) return state_->write(range, logs);
  return state_->gather(comm, csv_lines(*state_->fitted, logs));
}

result<void> prediction_output::commit(const communicator& comm) {
  if (auto ok = agree(comm, state_->close_all()); !ok) return pass(std::move(ok), "output");
  return on_root(comm, [&]() -> result<void> {
    return state_->output ? state_->output->commit() : result<void>{};
  });
}

}  // namespace berth::apps
