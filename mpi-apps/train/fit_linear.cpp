#include "models/linear.hpp"
#include "train/fit.hpp"

namespace berth::apps {

// Reading and computing overlap: one phase.
result<trained> train_linear(const communicator& comm, const train_options& chosen,
                             const dataset& data, phase_clock& clock) {
  auto stream = stream_source::create(comm, data, chosen.stream);
  if (!stream) return pass(std::move(stream));
  auto fitted = clock.time("read and fit", [&] {
    return fit_linear(comm, stream->info(), stream->rows(), chosen.linear);
  });
  if (!fitted) return pass(std::move(fitted));
  return trained{std::move(*fitted), stream->facts()};
}

}  // namespace berth::apps
