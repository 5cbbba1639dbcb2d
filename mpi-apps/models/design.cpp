#include "models/design.hpp"

#include <fmt/format.h>

#include <new>

#include "common/collective.hpp"
#include "common/text.hpp"

namespace berth::apps {

namespace {

result<design> scaled_rows(const column_scaling& scaling, const row_block& block) {
  design made{block.range.count, static_cast<std::size_t>(block.features) + 1, {}};
  try {
    made.z.resize(static_cast<std::size_t>(made.rows) * made.cols);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory for the scaled design matrix; use more ranks", blame::run);
  }
  for (std::int64_t i = 0; i < made.rows; ++i) {
    scaling.apply(block.row(i),
                  {made.z.data() + static_cast<std::size_t>(i) * made.cols, made.cols});
  }
  return made;
}

}  // namespace

result<design> make_design(const communicator& comm, const column_scaling& scaling,
                           const row_block& block) {
  return agree(comm, scaled_rows(scaling, block));
}

result<void> check_enough_rows(const dataset_info& info) {
  if (info.rows > info.features) return {};
  return fail(
      fmt::format("dataset \"{}\": has {} but {} and an intercept to fit; it needs at least "
                  "{} rows",
                  info.path, counted(info.rows, "row", "rows"),
                  counted(info.features, "feature", "features"), info.features + 1));
}

}  // namespace berth::apps
