#include "inference/row_records.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace berth::apps {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
std::uint64_t hash(std::int64_t row) noexcept {
  auto z = static_cast<std::uint64_t>(row) + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

bool is_sampled(std::int64_t row, std::int64_t total, std::int64_t wanted) noexcept {
  if (total <= wanted) return true;
  const double share = static_cast<double>(wanted) / static_cast<double>(total);
  return static_cast<double>(hash(row)) < share * 0x1p64;
}

// NaN is never extreme; of equals the first row counts.
template <class Size>
void append_extremes(std::vector<fitted_row> rows, std::size_t count, Size&& size,
                     std::vector<fitted_row>& to) {
  std::erase_if(rows, [&](const auto& each) { return std::isnan(size(each)); });
  const auto before = [&](const auto& a, const auto& b) {
    return size(a) != size(b) ? size(a) > size(b) : a.row < b.row;
  };
  const auto end = rows.begin() + std::ssize(rows);
  const auto middle = rows.begin() + std::min(std::ssize(rows), static_cast<std::ptrdiff_t>(count));
  std::partial_sort(rows.begin(), middle, end, before);
  to.insert(to.end(), rows.begin(), middle);
}

void append_all_extremes(const std::vector<fitted_row>& rows, std::size_t count,
                         std::vector<fitted_row>& to) {
  append_extremes(
      rows, count, [](const auto& each) { return std::abs(each.standardised); }, to);
  append_extremes(
      rows, count, [](const auto& each) { return std::abs(each.residual); }, to);
  append_extremes(
      rows, count, [](const auto& each) { return each.leverage; }, to);
  append_extremes(
      rows, count, [](const auto& each) { return each.cooks_distance; }, to);
}

// In the order of the rows, each once.
std::vector<fitted_row> distinct(std::vector<fitted_row> rows) {
  std::ranges::sort(rows, {}, &fitted_row::row);
  const auto rest = std::ranges::unique(rows, {}, &fitted_row::row);
  rows.erase(rest.begin(), rest.end());
  return rows;
}

constexpr std::size_t fields = 7;

std::vector<double> packed(const std::vector<fitted_row>& rows) {
  std::vector<double> numbers;
  for (const auto& each : rows) {
    numbers.insert(numbers.end(),
                   {static_cast<double>(each.row), each.fitted, each.residual, each.leverage,
                    each.standardised, each.studentised, each.cooks_distance});
  }
  return numbers;
}

std::vector<fitted_row> unpacked(const std::vector<double>& numbers) {
  std::vector<fitted_row> rows;
  for (auto at = numbers.begin(); at != numbers.end(); at += fields) {
    rows.push_back({static_cast<std::int64_t>(at[0]), at[1], at[2], at[3], at[4], at[5], at[6]});
  }
  return rows;
}

// Of all ranks in rank order, on every rank. Collective.
std::vector<double> gather_all(const communicator& comm, std::vector<double> mine) {
  const auto size = [](const std::vector<double>& of) {
    return std::array<double, 1>{static_cast<double>(of.size())};
  };
  if (!comm.is_root()) {
    comm.send(size(mine), 0);
    comm.send(mine, 0);
  }
  for (int from = 1; comm.is_root() && from < comm.size(); ++from) {
    std::array<double, 1> count{};
    comm.receive(count, from);
    const std::size_t before = mine.size();
    mine.resize(before + static_cast<std::size_t>(count[0]));
    comm.receive(std::span(mine).subspan(before), from);
  }
  auto count = size(mine);
  comm.broadcast(count);
  mine.resize(static_cast<std::size_t>(count[0]));
  comm.broadcast(mine);
  return mine;
}

}  // namespace

row_records::row_records(row_range range, std::size_t targets, bool weighted, bool leverages)
    : range_(range), targets_(targets), has_leverages_(leverages) {
  const auto rows = static_cast<std::size_t>(range.count);
  fitted_.resize(rows * targets);
  residuals_.resize(rows * targets);
  if (weighted) roots_.resize(rows);
  if (leverages) leverages_.resize(rows);
}

void row_records::add(const solved_rows& rows) {
  const auto count = static_cast<std::size_t>(rows.range.count);
  const auto at = static_cast<std::size_t>(rows.range.first - range_.first);
  std::copy_n(rows.fitted, count * targets_, &fitted_[at * targets_]);
  std::copy_n(rows.residuals, count * targets_, &residuals_[at * targets_]);
  for (std::size_t i = 0; i < count && rows.weights != nullptr; ++i) {
    roots_[at + i] = std::sqrt(rows.weights[i]);
  }
  if (has_leverages_) std::copy_n(rows.leverages, count, &leverages_[at]);
}

double row_records::root_of_weight(std::int64_t i) const noexcept {
  return roots_.empty() ? 1 : roots_[static_cast<std::size_t>(i)];
}

double row_records::weighted_residual(std::int64_t i, std::size_t target) const noexcept {
  return root_of_weight(i) * residuals_[static_cast<std::size_t>(i) * targets_ + target];
}

double row_records::leverage(std::int64_t i) const noexcept {
  return has_leverages_ ? leverages_[static_cast<std::size_t>(i)] : nan;
}

fitted_row row_records::row(std::int64_t i, std::size_t target, const residual_scale& scale) const {
  const auto at = static_cast<std::size_t>(i) * targets_ + target;
  const auto part = influence_of(scale, weighted_residual(i, target), leverage(i));
  return {range_.first + i,  fitted_[at],      residuals_[at],     leverage(i),
          part.standardised, part.studentised, part.cooks_distance};
}

std::vector<fitted_row> sample_rows(const communicator& comm, const row_records& records,
                                    std::int64_t total, std::size_t target,
                                    const residual_scale& scale, std::int64_t wanted,
                                    std::size_t extreme) {
  constexpr std::int64_t at_once = 8192;
  std::vector<fitted_row> mine;
  std::vector<fitted_row> extremes;
  for (std::int64_t first = 0; first < records.range().count; first += at_once) {
    auto rows = std::move(extremes);
    extremes.clear();
    for (auto i = first; i < std::min(first + at_once, records.range().count); ++i) {
      rows.push_back(records.row(i, target, scale));
      if (is_sampled(rows.back().row, total, wanted)) mine.push_back(rows.back());
    }
    append_all_extremes(rows, extreme, extremes);
    extremes = distinct(std::move(extremes));
  }
  const auto all = distinct(unpacked(gather_all(comm, packed(extremes))));
  auto sample = unpacked(gather_all(comm, packed(mine)));
  append_all_extremes(all, extreme, sample);
  return distinct(std::move(sample));
}

}  // namespace berth::apps
