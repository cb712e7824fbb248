// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/low_voltage.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "sim/strikes/ranked_population.h"

namespace tilestrike::sim {
namespace {

constexpr double kMostVolts = 10.0;

constexpr ParameterSource kSources[] = {
    {"median",
     "A:normal law through 0.06 % of the cells at 0.54 V and one of 37 Mbit at 0.61 V, 28 nm block "
     "RAM;Q2:abstract of Salami et al., MICRO 2018, for 0.06 % and 0.61 V;R:0.54 V"},
    {"sigma", "A:as median"},
    {"correlated", "A:no figure published;Q:MoRS, that there is correlation"},
    {"in_rows", "A:rows and columns alike"},
    {"density", "A:no figure published"},
    {"ones", "A:both directions alike"},
};

/// Of what fails with probability p, the part that its share of the causes would make fail alone:
/// 1 - (1 - p)^part.
double part_of(double p, double part) { return -std::expm1(part * std::log1p(-p)); }
/// The p of which `part_of(p, part)` is q.
double whole_of(double q, double part) { return part_of(q, 1.0 / part); }

}  // namespace

FieldTable<LowVoltageConfig> low_voltage_fields() {
  using Config = LowVoltageConfig;
  return {
      real_field("voltage", &Config::voltage, 0.0, kMostVolts, "V", "supply of the arrays"),
      real_field("median", &Config::median, 0.0, kMostVolts, "V",
                 "voltage below which half of all cells fail"),
      real_field("sigma", &Config::sigma, 1e-6, kMostVolts, "V",
                 "standard deviation of the cells' failure voltages"),
      real_field("correlated", &Config::correlated, 0.0, 1.0, "",
                 "share of failures that come with a weak row or column; the rest is independent"),
      real_field("in_rows", &Config::in_rows, 0.0, 1.0, "", "of these, share that is of weak rows"),
      real_field("density", &Config::density, 1e-9, 1.0, "",
                 "share of the cells of a weak row or column that fail with it"),
      real_field("ones", &Config::ones, 0.0, 1.0, "",
                 "share of failing cells that read 1; the others read 0"),
  };
}

std::span<const ParameterSource> low_voltage_sources() { return kSources; }

double failing_share(const LowVoltageConfig& config, double voltage) {
  return 0.5 * std::erfc((voltage - config.median) / (config.sigma * std::sqrt(2.0)));
}

double voltage_of_share(const LowVoltageConfig& config, double share) {
  // Bisection: the share falls with the voltage; 40 sigma are beyond any number.
  double low = config.median - 40.0 * config.sigma, high = config.median + 40.0 * config.sigma;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (failing_share(config, middle) > share ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

LowVoltageArray::LowVoltageArray(const ArrayGeometry& geometry, const LowVoltageConfig& config,
                                 std::uint64_t seed, std::uint64_t chip, std::uint64_t array)
    : geometry_(&geometry), config_(config) {
  const std::uint64_t root = seed_of_part(RandomStream(seed, chip, Purpose::kChip).next(), array);
  own_seed_ = seed_of_part(root, 0);
  row_seed_ = seed_of_part(root, 1);
  column_seed_ = seed_of_part(root, 2);
  value_seed_ = seed_of_part(root, 3);
}

// A cell fails for any of three causes: its own, its row's, its column's. The causes' shares of the
// law are such that together they give it exactly.
std::vector<FailingCell> LowVoltageArray::failing(double voltage) const {
  const double share = failing_share(config_, voltage);
  std::vector<Failure> failures;
  add_own(share, failures);
  add_lines(Line::kRow, share, failures);
  add_lines(Line::kColumn, share, failures);
  std::ranges::sort(failures, [](const Failure& a, const Failure& b) {
    return a.index != b.index ? a.index < b.index : a.share < b.share;
  });
  // Of several causes of one cell the first counts.
  const auto rest = std::ranges::unique(failures, {}, &Failure::index);
  failures.erase(rest.begin(), rest.end());
  std::vector<FailingCell> cells;
  cells.reserve(failures.size());
  for (const Failure& failure : failures) {
    RandomStream random(value_seed_, failure.index, Purpose::kKind);
    cells.push_back({geometry_->bit_at(geometry_->cell_at(failure.index)),
                     random.unit() < config_.ones, failure.share});
  }
  std::ranges::sort(cells, {}, &FailingCell::bit);
  return cells;
}

void LowVoltageArray::add_own(double share, std::vector<Failure>& failures) const {
  const double part = 1.0 - config_.correlated;
  if (part <= 0.0) {
    return;
  }
  const RankedPopulation cells(own_seed_, geometry_->cells());
  for (const RankedMember& cell : cells.below(part_of(share, part))) {
    failures.push_back({cell.index, whole_of(cell.rank, part)});
  }
}

// With q the share of cells that fail for their row, a row is weak if its rank is below q /
// density, and of its cells those fail whose rank in the row is below the density; if q is larger
// than that, all rows are weak, and the cells below q fail. Either way it is a share q of all.
void LowVoltageArray::add_lines(Line line, double share, std::vector<Failure>& failures) const {
  const bool is_row = line == Line::kRow;
  const double part = config_.correlated * (is_row ? config_.in_rows : 1.0 - config_.in_rows);
  if (part <= 0.0) {
    return;
  }
  const double q = part_of(share, part);
  const double density = config_.density;
  const auto rows = static_cast<std::uint64_t>(geometry_->rows());
  const auto columns = static_cast<std::uint64_t>(geometry_->columns());
  const std::uint64_t seed = is_row ? row_seed_ : column_seed_;
  const RankedPopulation lines(
      seed, static_cast<std::uint64_t>(geometry_->banks()) * (is_row ? rows : columns));
  for (const RankedMember& weak : lines.below(std::min(1.0, q / density))) {
    const RankedPopulation cells(seed_of_part(seed, weak.index), is_row ? columns : rows);
    for (const RankedMember& cell : cells.below(std::max(density, q))) {
      const double needed = cell.rank < density ? weak.rank * density : cell.rank;
      const std::uint64_t index =
          is_row ? weak.index * columns + cell.index
                 : (weak.index / columns * rows + cell.index) * columns + weak.index % columns;
      failures.push_back({index, whole_of(needed, part)});
    }
  }
}

}  // namespace tilestrike::sim
