#include "models/kept_sums.hpp"

#include <span>

namespace berth::apps {

bool is_kept(const gram_matrix& sums) noexcept {
  return sums.columns.features <= most_kept_features;
}

gram_matrix sums_of_factor(const communicator& comm, const normal_system& system,
                           const qr_factor& factor) {
  const auto n = static_cast<std::int64_t>(system.order);
  gram_builder builder({n, 0, false}, row_blocks_of(n), gram_precision::exact);
  if (comm.is_root()) builder.add({0, n}, factor.root.data(), nullptr, nullptr);
  const auto squares = builder.finish(comm);
  auto made = *system.gram;
  made.sums.lo.assign(made.sums.hi.size(), 0);
  made.origin = gram_origin::factor;
  for (std::size_t i = 0; i < system.order; ++i) {
    for (std::size_t j = i; j < system.order; ++j) {
      const double unit = system.to_scaled[i] * system.to_scaled[j];
      const twofold square = squares.at(i, j);
      made.set(system.column(i), system.column(j), {square.hi / unit, square.lo / unit});
    }
  }
  return made;
}

std::shared_ptr<const gram_pass> keep_sums(gram_pass sums, const std::vector<double>& coefficients,
                                           const residual_sums& residuals) {
  auto& gram = sums.gram;
  if (gram.sums.lo.empty()) gram.sums.lo.assign(gram.sums.hi.size(), 0);
  const std::size_t width = gram.columns.ones() + 1;
  for (std::size_t t = 0; t < residuals.targets; ++t) {
    const std::size_t y = gram.columns.target(t);
    const std::span<const double> b(&coefficients[t * width], width);
    twofold squares = residuals.squares[t];
    for (std::size_t i = 0; i < width; ++i) {
      const twofold gradient = residuals.gradient[t * residuals.height + i];
      twofold product = gradient;
      for (std::size_t j = 0; j < width; ++j) {
        if (b[j] != 0) product += gram.at(i, j) * twofold(b[j]);
      }
      gram.set(i, y, product);
      squares += (product + gradient) * twofold(b[i]);
    }
    gram.set(y, y, squares);
  }
  return std::make_shared<const gram_pass>(std::move(sums));
}

}  // namespace berth::apps
