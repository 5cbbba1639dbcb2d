#include "data/read_rows.hpp"
#include "models/labels.hpp"
#include "models/logistic.hpp"
#include "train/fit.hpp"

namespace berth::apps {

result<trained> train_logistic(const communicator& comm, const train_options& chosen, dataset& data,
                               phase_clock& clock) {
  if (auto ok = check_enough_rows(data.info); !ok) return pass(std::move(ok));
  auto rows = clock.time("read", [&] { return read_rows(comm, data); });
  if (!rows) return pass(std::move(rows));
  if (auto ok = check_finite(data.info, rows->features, rows->targets); !ok) {
    return pass(std::move(ok));
  }
  auto fitted = clock.time("fit", [&]() -> result<model> {
    if (auto ok = number_classes(comm, data.info, rows->block); !ok) return pass(std::move(ok));
    return fit_logistic(comm, data.info, rows->block, chosen.logistic);
  });
  if (!fitted) return pass(std::move(fitted));
  return trained{std::move(*fitted), rows->facts};
}

}  // namespace berth::apps
